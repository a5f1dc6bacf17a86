"""The page of one published definition version, and the start page that lists them.

A page is made of the published document alone, so it says what the stored and
signed bytes say; only the state of the version and links to other definitions
come from our records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from kpass_vc.addresses import DefinitionAddresses
from kpass_vc.compose.achievement import in_language
from kpass_vc.compose.definition import digest_sri, to_bytes
from kpass_vc.compose.narrative import facts, notice
from kpass_vc.language import LANGUAGES, Language, has, say
from kpass_vc.model.definition import Definition, Domain, read_definition
from kpass_vc.pages.render import render

DefinitionState = Literal["published", "superseded", "retired"]

_DOMAINS: Final[tuple[Domain, ...]] = ("knowledge", "skill", "responsibility_autonomy")
_NOT_OF_THE_IMPORT_FORM: Final = frozenset({"id", "definition", "schema_version", "owner"})


@dataclass(frozen=True)
class Link:
    """Where a page of ours is, and what to call it."""

    address: str
    title: str


@dataclass(frozen=True)
class ListedDefinition:
    """One definition on the start page; `pages` holds its page in each language."""

    code: str
    version: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    pages: Mapping[Language, str]
    illustrative: bool = False


@dataclass(frozen=True)
class ListedOrganization:
    """One organisation on the start page with what it has published."""

    slug: str
    name: Mapping[Language, str]
    url: str | None
    did_document: str
    definitions: Sequence[ListedDefinition]


@dataclass(frozen=True)
class _Text:
    """A text and the language it is in, so that it is also spoken right."""

    text: str
    language: str


@dataclass(frozen=True)
class _Aligned:
    name: _Text
    address: str
    framework: str
    kind: str


def definition_page(
    document: Mapping[str, Any],
    language: Language,
    *,
    addresses: DefinitionAddresses,
    state: DefinitionState,
    badge_url: str,
    digest: str | None = None,
    others: Mapping[str, Link] | None = None,
    home: str = "/",
    static: str = "/static",
) -> str:
    """The page of a published definition; `others` says where the codes it names have pages."""
    definition = _read(document)
    owner = _text(document["owner"]["name"], language)
    links = others or {}
    return render(
        "definition.html",
        language,
        definition=definition,
        title=_text(definition.title, language),
        description=_text(definition.description, language) if definition.description else None,
        owner=owner,
        owner_did=document["owner"]["id"],
        state=state,
        notice=notice(owner.text, language) if definition.illustrative else None,
        badge_url=badge_url,
        badge_text=say(
            language,
            "definition.caption",
            title=in_language(definition.title, language),
            owner=owner.text,
            code=definition.code,
            version=definition.version,
        ),
        outcomes=_outcomes(definition, language),
        facts=[
            (say(language, f"definition.label.{fact.label}"), fact.text)
            for fact in facts(definition, language)
        ],
        areas=[
            (_text(area.name, language) if area.name else None, area)
            for area in definition.thematic_areas
        ],
        country=_named("country", definition.country, language),
        taught_in=_named("language", definition.language, language),
        alignments=_alignments(definition, language),
        needed=_linked(
            definition.prerequisites.required_definitions if definition.prerequisites else (),
            links,
        ),
        parts=_linked(definition.stackability.parts if definition.stackability else (), links),
        addresses=addresses,
        languages=LANGUAGES,
        digest=digest or digest_sri(to_bytes(document)),
        home=home,
        static=static,
    )


def start_page(
    organizations: Sequence[ListedOrganization],
    language: Language,
    *,
    documentation: str = "/docs",
    openapi: str = "/openapi.json",
    home: str = "/",
    static: str = "/static",
) -> str:
    """The start page: who has published what, and where the programming interface is described."""
    listed = [
        (
            _text(cast("Mapping[str, str]", organization.name), language),
            organization,
            [
                (_text(item.title, language), _text(item.description, language), item)
                for item in sorted(organization.definitions, key=lambda item: item.code)
            ],
        )
        for organization in sorted(
            organizations, key=lambda item: in_language(_plain(item.name), language).casefold()
        )
    ]
    return render(
        "start.html",
        language,
        organizations=listed,
        count=sum(len(organization.definitions) for organization in organizations),
        illustrative=any(
            item.illustrative for organization in organizations for item in organization.definitions
        ),
        documentation=documentation,
        openapi=openapi,
        home=home,
        static=static,
    )


def _read(document: Mapping[str, Any]) -> Definition:
    """The published document in the form that the narrative reads."""
    body = {name: value for name, value in document.items() if name not in _NOT_OF_THE_IMPORT_FORM}
    *_, slug, _, _ = str(document["definition"]).split("/")
    return read_definition({**body, "owner": slug})


def _plain(names: Mapping[Language, str]) -> Mapping[str, str]:
    return cast("Mapping[str, str]", names)


def _text(given: Mapping[str, str], language: Language) -> _Text:
    for tag in (language, "sv", *given):
        if given.get(tag):
            return _Text(given[tag], tag)
    return _Text("", language)


def _outcomes(
    definition: Definition, language: Language
) -> list[tuple[str, list[tuple[str | None, _Text]]]]:
    groups = []
    for domain in _DOMAINS:
        found = [
            (outcome.id, _text(outcome.text, language))
            for outcome in definition.learning_outcomes
            if outcome.domain == domain and outcome.text
        ]
        if found:
            groups.append((say(language, f"definition.domain.{domain}"), found))
    return groups


def _alignments(definition: Definition, language: Language) -> list[_Aligned]:
    return [
        _Aligned(
            name=_text(alignment.target_name, language),
            address=alignment.target_url,
            framework=say(language, f"page.framework.{alignment.framework}"),
            kind=_kind(alignment.target_type, language),
        )
        for alignment in definition.alignments
    ]


def _kind(target_type: str | None, language: Language) -> str:
    if target_type is None:
        return ""
    stem = target_type.partition("-")[0]
    known = {"skill", "occupation", "occupation_group"}
    return say(language, f"page.target.{stem}") if stem in known else target_type


def _named(what: str, code: str | None, language: Language) -> str | None:
    key = f"page.{what}.{code}"
    return say(language, key) if has(key) else code


def _linked(codes: Sequence[str], links: Mapping[str, Link]) -> list[tuple[str, Link | None]]:
    return [(code, links.get(code)) for code in codes]
