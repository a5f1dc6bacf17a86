"""Kinds of credential of the catalogues, the places in them that differ by learner, and texts to put there."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from kpass_vc.addresses import Addresses
from kpass_vc.compose.achievement import achievement
from kpass_vc.compose.credential import Award, Holder, Issuer, Piece, StatusEntry, compose
from kpass_vc.compose.definition import Owner
from kpass_vc.demo import catalogues
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.model.definition import read_definition
from tests.sample import Json, at, places

Place = tuple[str | int, ...]

ADDRESSES: Final = Addresses("https://mikromerit.example")
VOCABULARY: Final = "https://w3id.org/mikromerit#"
OF_A_LEARNER: Final = {
    *("id", "validFrom", "validUntil", "awardedDate", "identityHash", "salt"),
    *("narrative", "genre", "statusListIndex"),
}
MORE: Final = ("name", "description", "statusListCredential", "identifier", "tag", "caption")
SCHEMES: Final = (
    "https://a.example/{}",
    "http://å.example/{}?q=ö#中",
    "urn:uuid:{}",
    "urn:kpass-slot:{}",
    "did:web:a.example:{}",
    "did:key:z6Mk{}#ключ",
    "mailto:{}@a.example",
    "tag:a.example,2026:{}",
    "ni:///sha-256;{}",
    "x-own+1.0-a:{}",
)
TEXTS: Final = (
    "",
    " ",
    '"',
    "\\",
    '\\"',
    "\\u0041",
    "%s",
    "{0}",
    "_:c14n0",
    "_:a",
    "_:z",
    "urn:kpass-slot:0000",
    "urn:kpass-slot:0003",
    "<urn:kpass-slot:0001>",
    '"urn:kpass-slot:0002"',
    " .\n",
    '" .\n<urn:x> <urn:y> "z" .\n',
    "^^<http://www.w3.org/2001/XMLSchema#string>",
    "@sv",
    "\x7f",
    "\x85",
    "\u00a0",
    "\u2028\u2029",
    "\u200f\u202eA\u202c",
    "\ufeff",
    "\ufffd",
    "e\u0301",
    "\u00e9",
    "\U0001f600\U0010ffff",
    "\uffff",
    "\ufffe",
    "\U0001fffe",
    "\ud800",
    "Bj\u00f6rn \u00c5str\u00f6m",
    "x" * 20_000,
    "\U0001f600" * 2_000,
    "true",
    "1",
    "name",
    "https://a.example/1",
    "ext:MicroCredentialStack",
    "relative",
    "../up",
    "#fragment",
    "https://a b/",
    "https://a\u00a0b/",
    "https://",
    "urn:",
    ":",
    "sec:x",
    *(f"a{chr(code)}b" for code in range(0x20)),
)


@dataclass(frozen=True)
class Kind:
    """A credential and the places in it that differ."""

    name: str
    credential: Json
    places: tuple[Place, ...]


def kinds() -> list[Kind]:
    """Fourteen definitions in both languages, with one or the other part that is not always there."""
    return list(_kinds())


def with_more_places(kind: Kind, chance: random.Random) -> Kind:
    """The kind with places that its issuer would not take, in any order."""
    texts = [
        place
        for place in places(kind.credential)
        if place and isinstance(at(kind.credential, place), str) and "@context" not in place
    ]
    chosen = chance.sample(texts, chance.randint(1, 8))
    found = [*dict.fromkeys([*chosen, *chance.sample(kind.places, len(kind.places) // 2)])]
    chance.shuffle(found)
    return Kind(kind.name, kind.credential, tuple(found))


def plain_values(kind: Kind, number: int) -> list[str]:
    """What real learners would have."""
    return [_plain(kind, place, number) for place in kind.places]


def hostile_values(
    kind: Kind, number: int, chance: random.Random, iris: frozenset[int]
) -> list[str]:
    """Texts that are made to break something; most of the IRIs are IRIs, so that the rest counts."""
    everywhere = [
        text
        for place in places(kind.credential)
        if isinstance(text := at(kind.credential, place), str)
    ]
    made: list[str] = []
    for slot, place in enumerate(kind.places):
        roll = chance.random()
        if slot in iris and roll < 0.97:
            made.append(chance.choice(SCHEMES).format(f"{number}-{slot}"))
        elif roll < 0.3 and slot not in iris:
            made.append(_plain(kind, place, number))
        elif roll < 0.4 or roll > 0.99:
            made.append(chance.choice([*everywhere, *made, "x"]))
        elif roll < 0.5:
            made.append("".join(chr(chance.choice(_CODES)) for _ in range(chance.randint(1, 40))))
        else:
            made.append(chance.choice(TEXTS))
    return made


_CODES: Final = [
    *range(0xA0),
    *range(0x2000, 0x2070),
    *(0x300, 0x5D0, 0x6DD, 0x4E2D, 0xFB01, 0x1F600, 0x10FFFF, 0xE000, 0xFFFD),
]


def _plain(kind: Kind, place: Place, number: int) -> str:
    given = str(at(kind.credential, place))
    match place[-1]:
        case "validFrom" | "validUntil" | "awardedDate":
            return f"20{number % 70 + 30}-0{number % 9 + 1}-11T10:{number % 60:02d}:00Z"
        case "statusListIndex":
            return str(number)
        case _:
            return f"{given}{number}"


def _kinds() -> Iterator[Kind]:
    definitions = [each for catalogue in catalogues() for each in catalogue["definitions"]]
    for number, given in enumerate(definitions[:: len(definitions) // 13]):
        for language in LANGUAGES:
            credential = _credential(given, language, number)
            yield Kind(
                f"{given['code']} {language}",
                credential,
                tuple(_places_of_a_learner(credential)),
            )


def _places_of_a_learner(credential: Json) -> Iterator[Place]:
    for place in places(credential):
        is_learners = place[:1] not in {("issuer",), ("relatedResource",), ("termsOfUse",)}
        if "achievement" in place or not is_learners or not place:
            continue
        if isinstance(at(credential, place), str) and place[-1] in OF_A_LEARNER:
            yield place


def _credential(given: Json, language: Language, number: int) -> Json:
    definition = read_definition(given)
    slug = str(given["owner"])
    addresses = ADDRESSES.definition(slug, definition.code, definition.version)
    names: dict[Language, str] = {"sv": f"{slug} (exempel)", "en": f"{slug} (example)"}
    owner = Owner(ADDRESSES.did(slug), names, f"https://{slug}.example/")
    issuer = slug if number % 3 == 0 else "utbildare"
    base = "https://mikromerit.example"
    award = Award(
        credential_id=ADDRESSES.credential(issuer, f"c{number}"),
        holder=Holder(
            "urn:uuid:5f1c3d9e-8f4b-4d3c-9a43-6b0f1f9f0d11",
            None if number % 5 == 4 else "Amina Exempelsson",
            "amina@example.org" if number % 2 else None,
            "salt",
        ),
        assessed_on=date(2026, 3, 1),
        valid_from=datetime(2026, 3, 2, 10, tzinfo=UTC),
        valid_until=date(2029, 3, 1) if number % 2 == 0 else None,
        evidence=_evidence(number),
        status=StatusEntry(ADDRESSES.status_list(issuer, "revocation", 1), "revocation", 77),
        definition_url=addresses.document,
        definition_digest="sha384-x",
        authorization_url=f"{base}/o/{slug}/authorizations/1.json" if number % 3 else None,
        replaces=ADDRESSES.credential(issuer, "old") if number % 4 == 3 else None,
        is_test=number % 4 == 1,
    )
    shown = Issuer(
        did=ADDRESSES.did(issuer),
        name=f"{issuer} (exempel)",
        url=f"https://{issuer}.example/",
        email=f"info@{issuer}.example",
        image=ADDRESSES.image(issuer, "png") if number % 2 else None,
        country="SE",
    )
    edition = achievement(definition, owner, addresses, language)
    return compose(award, shown, edition, vocabulary=VOCABULARY, language=language)


def _evidence(number: int) -> Sequence[Piece]:
    pieces = (
        Piece("Praktiskt prov", "Prov på plats", "Bedömning"),
        Piece(url="https://bevis.example/1"),
        Piece("Del", None, None, "https://mikromerit.example/o/x/credentials/1", is_part=True),
        Piece("Skriftligt prov", "Prov i sal"),
    )
    return pieces[: number % 5]
