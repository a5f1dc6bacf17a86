"""The catalogue: what is published, searched with a form that works without script.

Whatever stands in the address is answered with a page: an unknown owner or a
page number that is none finds nothing, or the first page.
"""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response

from kpass_vc.actions.browse import NOT_LEVELLED, Entry, Question, browse, published
from kpass_vc.compose.narrative import workload
from kpass_vc.edge import Env, ReadTx
from kpass_vc.environment import Environment
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.model.definition import Definition, Workload
from kpass_vc.pages.definition import Words, in_words
from kpass_vc.pages.render import catalogue_address, chosen, html, places, render

router = APIRouter(include_in_schema=False)

PER_PAGE: Final = 20
_LONGEST: Final = 200


@dataclass(frozen=True)
class Card:
    """One definition among others."""

    title: Words
    description: Words
    owner: str
    code: str
    version: str
    level: str
    workload: str
    page: str
    picture: str
    compare: str
    illustrative: bool


@router.api_route("/catalogue", methods=["GET", "HEAD"])
def catalogue(
    request: Request,
    env: Env,
    session: ReadTx,
    q: str = "",
    owner: str = "",
    level: str = "",
    a: str = "",
    page: str = "",
    language: str | None = None,
) -> Response:
    """What answers the question, a page at a time; `a` is one that is to be compared with another."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    entries = published(session)
    question = Question(q.strip()[:_LONGEST], owner[:_LONGEST], level[:_LONGEST])
    first = next((entry for entry in entries if entry.name == a), None)
    found = [entry for entry in browse(entries, question) if entry is not first]
    last = max(1, -(-len(found) // PER_PAGE))
    number = min(int(page), last) if page.isascii() and page.isdecimal() and len(page) < 7 else 1
    number = max(number, 1)
    asked = {"q": question.words, "owner": question.owner, "level": question.level}
    asked["a"] = first.name if first else ""
    body = render(
        "catalogue.html",
        shown,
        question=question,
        first=first and (first.name, in_words(first.source.title, shown)),
        forget=catalogue_address(env, shown, **{**asked, "a": ""}),
        everything=catalogue_address(env, shown, a=asked["a"]),
        count=_count(len(found), shown),
        cards=[
            _card(env, entry, shown, first)
            for entry in found[(number - 1) * PER_PAGE : number * PER_PAGE]
        ],
        owners=_owners(entries, shown),
        levels=_levels(entries, shown),
        illustrative=any(entry.source.illustrative for entry in entries),
        number=number,
        last=last,
        turned={
            step: catalogue_address(env, shown, **asked, page=str(number + by))
            for step, by in (("previous", -1), ("next", 1))
            if 1 <= number + by <= last
        },
        **places(env),
        elsewhere={other: catalogue_address(env, other, **asked) for other in LANGUAGES},
    )
    return html(body, shown, vary="Accept-Language")


def _count(number: int, language: Language) -> str:
    key = {0: "none", 1: "one"}.get(number, "many")
    return say(language, f"catalogue.count.{key}", count=number)


def _card(env: Environment, entry: Entry, language: Language, first: Entry | None) -> Card:
    at = env.addresses.definition(entry.owner.slug, entry.code, entry.version)
    compare = (
        f"{env.addresses.base}/compare?a={first.name}&b={entry.name}&language={language}"
        if first
        else catalogue_address(env, language, a=entry.name)
    )
    return Card(
        title=in_words(entry.source.title, language),
        description=in_words(entry.source.description or {}, language),
        owner=entry.owner.name(language),
        code=entry.code,
        version=entry.version,
        level=short_level(entry.source, language),
        workload=workload(entry.source.workload or Workload(), language),
        page=at.page(language),
        picture=at.badge_small(language),
        compare=compare,
        illustrative=entry.source.illustrative,
    )


def short_level(source: Definition, language: Language) -> str:
    """The level and what it rests on, in a few words; nothing where nothing is said."""
    level = source.level
    if level is None or level.basis is None:
        return ""
    basis = say(language, f"badge.basis.{level.basis}")
    if level.level is None or level.basis == "not_levelled":
        return basis
    return f"{say(language, 'badge.level', level=level.level)}, {basis}"


def _owners(entries: list[Entry], language: Language) -> list[tuple[str, str]]:
    names = {entry.owner.slug: entry.owner.name(language) for entry in entries}
    return sorted(names.items(), key=lambda found: found[1].casefold())


def _levels(entries: list[Entry], language: Language) -> list[tuple[str, str]]:
    return [
        (
            level,
            say(language, "badge.basis.not_levelled")
            if level == NOT_LEVELLED
            else say(language, "badge.level", level=level),
        )
        for level in sorted({entry.level for entry in entries if entry.level})
    ]
