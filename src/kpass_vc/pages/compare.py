"""Two published definitions side by side, in the words of their own pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from kpass_vc.compose.narrative import facts
from kpass_vc.edge import Env, ReadTx
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.model.definition import Definition
from kpass_vc.model.document import read_json
from kpass_vc.pages.definition import Words, alignments, in_words, named, outcomes, read_published
from kpass_vc.pages.render import catalogue_address, chosen, html, places, render
from kpass_vc.records import definition as definitions

router = APIRouter(include_in_schema=False)

_FACTS = (
    "workload", "level", "participation", "assessment", "assessor", "quality", "validity",
    "prerequisites", "parts", "stackability",
)  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One of the two."""

    name: str
    title: Words
    owner: Words
    version: str
    page: str
    picture: str
    other: str
    """Where another is picked to stand beside the one that stays."""
    definition: Definition


@dataclass(frozen=True)
class Row:
    """What both say of one thing; each cell is a list of texts, empty where it says nothing."""

    label: str
    cells: tuple[list[Words], list[Words]]

    @property
    def differs(self) -> bool:
        """Whether the two say different things."""
        return self.cells[0] != self.cells[1]


@router.api_route("/compare", methods=["GET", "HEAD"])
def compare(
    request: Request,
    env: Env,
    session: ReadTx,
    a: str = "",
    b: str = "",
    language: str | None = None,
) -> Response:
    """Two definitions by owner/CODE; where one is missing, it is picked from the catalogue."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    if not (a and b):
        return RedirectResponse(catalogue_address(env, shown, a=a or b), status_code=302)
    sides = tuple(_side(env, session, name, kept, shown) for name, kept in ((a, b), (b, a)))
    rows = compared(sides[0].definition, sides[1].definition, shown)
    page = render(
        "compare.html",
        shown,
        sides=sides,
        rows=rows,
        differing=sum(row.differs for row in rows),
        elsewhere={
            other: f"{env.addresses.base}/compare?a={sides[0].name}&b={sides[1].name}&language={other}"
            for other in LANGUAGES
        },
        **places(env),
    )
    return html(page, shown, vary="Accept-Language")


def compared(one: Definition, two: Definition, language: Language) -> list[Row]:
    """The fields of the definition's page, each with what both say."""
    pair = (one, two)
    rows = [
        _row("page.compare.description", [_list(d.description, language) for d in pair], language)
    ]
    domains = [dict(outcomes(definition, language)) for definition in pair]
    for domain in dict.fromkeys([*domains[0], *domains[1]]):
        cells = [[text for _, text in found.get(domain, [])] for found in domains]
        rows.append(Row(domain, (cells[0], cells[1])))
    told = [{fact.label: fact.text for fact in facts(each, language)} for each in pair]
    for label in _FACTS:
        cells = [_plain(found.get(label), language) for found in told]
        rows.append(_row(f"definition.label.{label}", cells, language))
    rows += [
        _row(
            "page.definition.language",
            [_plain(named("language", d.language, language), language) for d in pair],
            language,
        ),
        _row(
            "page.definition.country",
            [_plain(named("country", d.country, language), language) for d in pair],
            language,
        ),
        _row(
            "page.definition.area",
            [
                [
                    Words(f"ISCED-F {area.code}", language)
                    if area.name is None
                    else in_words(area.name, language)
                    for area in d.thematic_areas
                ]
                for d in pair
            ],
            language,
        ),
        _row(
            "page.definition.alignments",
            [[found.name for found in alignments(d, language)] for d in pair],
            language,
        ),
    ]
    return [row for row in rows if any(row.cells)]


def _row(key: str, cells: list[list[Words]], language: Language) -> Row:
    return Row(say(language, key), (cells[0], cells[1]))


def _list(given: Mapping[str, str] | None, language: Language) -> list[Words]:
    return [in_words(given, language)] if given else []


def _plain(text: str | None, language: Language) -> list[Words]:
    """A sentence of ours, with a capital at its beginning."""
    return [Words(text[0].upper() + text[1:], language)] if text else []


def _side(env: Environment, session: Session, name: str, kept: str, language: Language) -> Side:
    slug, _, code = name.partition("/")
    found = definitions.published_of_line(session, slug=slug, code=code)
    if found is None:
        raise NotFound("definition", definition=name[:100])
    version, line, owner = found
    at = env.addresses.definition(owner.slug, line.code, version.version)
    document = cast("dict[str, Any]", read_json(version.document or b""))
    definition = read_published(document)
    return Side(
        name=f"{owner.slug}/{line.code}",
        title=in_words(definition.title, language),
        owner=in_words(document["owner"]["name"], language),
        version=version.version,
        page=at.page(language),
        picture=at.badge_small(language),
        other=catalogue_address(env, language, a=kept),
        definition=definition,
    )
