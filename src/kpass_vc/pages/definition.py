"""The page of one published definition version.

A page is made of the published document alone, so it says what the stored and
signed bytes say; only the state of the version and links to other definitions
come from our records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

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
class Words:
    """A text and the language it is in, so that it is also spoken right."""

    text: str
    language: str


@dataclass(frozen=True)
class Aligned:
    """What a definition corresponds to in another register."""

    name: Words
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
    compare: str = "/catalogue",
    digest: str | None = None,
    others: Mapping[str, Link] | None = None,
    home: str = "/",
    static: str = "/static",
) -> str:
    """The page of a published definition; `others` says where the codes it names have pages."""
    definition = read_published(document)
    owner = in_words(document["owner"]["name"], language)
    links = others or {}
    return render(
        "definition.html",
        language,
        definition=definition,
        title=in_words(definition.title, language),
        description=in_words(definition.description, language) if definition.description else None,
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
        outcomes=outcomes(definition, language),
        facts=[
            (say(language, f"definition.label.{fact.label}"), fact.text)
            for fact in facts(definition, language)
        ],
        areas=[
            (in_words(area.name, language) if area.name else None, area)
            for area in definition.thematic_areas
        ],
        country=named("country", definition.country, language),
        taught_in=named("language", definition.language, language),
        alignments=alignments(definition, language),
        needed=_linked(
            definition.prerequisites.required_definitions if definition.prerequisites else (),
            links,
        ),
        parts=_linked(definition.stackability.parts if definition.stackability else (), links),
        addresses=addresses,
        elsewhere={other: addresses.page(other) for other in LANGUAGES},
        languages=LANGUAGES,
        compare=compare,
        digest=digest or digest_sri(to_bytes(document)),
        home=home,
        static=static,
    )


def read_published(document: Mapping[str, Any]) -> Definition:
    """A published document in the form that the narrative reads."""
    body = {name: value for name, value in document.items() if name not in _NOT_OF_THE_IMPORT_FORM}
    *_, slug, _, _ = str(document["definition"]).split("/")
    return read_definition({**body, "owner": slug})


def in_words(given: Mapping[str, str], language: Language) -> Words:
    """The text in a language, else in Swedish, else in whatever there is; it says which."""
    for tag in (language, "sv", *given):
        if given.get(tag):
            return Words(given[tag], tag)
    return Words("", language)


def outcomes(
    definition: Definition, language: Language
) -> list[tuple[str, list[tuple[str | None, Words]]]]:
    """The learning outcomes with their ids, by domain."""
    groups = []
    for domain in _DOMAINS:
        found = [
            (outcome.id, in_words(outcome.text, language))
            for outcome in definition.learning_outcomes
            if outcome.domain == domain and outcome.text
        ]
        if found:
            groups.append((say(language, f"definition.domain.{domain}"), found))
    return groups


def alignments(definition: Definition, language: Language) -> list[Aligned]:
    """What it corresponds to in other registers."""
    return [
        Aligned(
            name=in_words(alignment.target_name, language),
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


def named(what: str, code: str | None, language: Language) -> str | None:
    """The name of a country or language, or its code where it has no name here."""
    key = f"page.{what}.{code}"
    return say(language, key) if has(key) else code


def _linked(codes: Sequence[str], links: Mapping[str, Link]) -> list[tuple[str, Link | None]]:
    return [(code, links.get(code)) for code in codes]
