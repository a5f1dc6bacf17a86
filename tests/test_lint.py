"""What is looked at before a key touches a credential."""

from typing import Any

import pytest

from kpass_vc.errors import DataLoss, InvalidInput, Malformed
from kpass_vc.lint import LINTS, lint, lint_nodes
from tests.sample import Json, replaced, sample

SUBJECT = "credentialSubject"


def refusal(credential: Json) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        lint(credential, sample().contexts)
    assert caught.value.sentence("sv") != caught.value.sentence("en")
    return caught.value


def test_a_composed_credential_passes_every_lint() -> None:
    lint(sample().credential, sample().contexts)

    assert len(LINTS) == 6


@pytest.mark.parametrize(
    "change",
    [
        lambda found: list(reversed(found)),
        lambda found: found[:1],
        lambda found: [*found, "https://w3id.org/security/data-integrity/v2"],
        lambda found: [*found, {"@vocab": "https://x.example/"}],
        tuple,
        lambda _: None,
        lambda found: found[0],
    ],
)
def test_only_the_two_contexts_in_their_order_are_signed(change: Any) -> None:
    made = sample()
    credential = made.credential | {"@context": change(made.credential["@context"])}

    (broken,) = refusal(credential).fields

    assert (broken.field, broken.rule) == ("/@context", "contexts")


@pytest.mark.parametrize(
    ("place", "value", "rule"),
    [
        (("name",), None, "empty"),
        (("evidence",), [], "empty"),
        (("issuer", "address"), {}, "empty"),
        (("evidence", 0, "name"), None, "empty"),
        ((SUBJECT, "achievement", "tag"), [], "empty"),
        ((SUBJECT, "achievement", "alignment", 0), {}, "empty"),
        ((SUBJECT, "result", 0, "value"), 0.1 + 0.2, "float"),
        ((SUBJECT, "achievement", "version"), 1.0, "float"),
    ],
)
def test_null_empty_and_decimal_values_are_never_signed(
    place: tuple[str | int, ...], value: object, rule: str
) -> None:
    (broken,) = refusal(replaced(sample().credential, place, value)).fields

    assert (broken.field, broken.rule) == ("/" + "/".join(map(str, place)), rule)


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x7f", "\ud800", "\ufffe", "\U0001ffff"])
def test_a_refused_character_anywhere_is_named(character: str) -> None:
    credential = replaced(sample().credential, ("evidence", 0, "name"), f"a{character}")

    with pytest.raises(Malformed) as caught:
        lint(credential, sample().contexts)

    assert (caught.value.rule, caught.value.data["field"]) == ("character", "/evidence/0/name")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("type",), ["VerifiableCredential"]),
        (("id",), "no uri"),
        (("validFrom",), "2026-11-22"),
        (("issuer",), "did:web:example.org"),
        ((SUBJECT, "achievement", "criteria"), "text"),
        ((SUBJECT, "identifier", 0, "hashed"), "false"),
        (("credentialStatus", "statusListIndex"), 5),
        (("credentialStatus", "statusListIndex"), "-1"),
    ],
)
def test_what_is_no_open_badge_is_never_signed(place: tuple[str | int, ...], value: object) -> None:
    assert refusal(replaced(sample().credential, place, value)).fields


@pytest.mark.parametrize(
    "dates",
    [
        {"awardedDate": "2030-01-01T00:00:00Z"},
        {"validUntil": "2000-01-01T00:00:00Z"},
        {"awardedDate": "2026-01-02T00:00:00Z", "validFrom": "2026-01-01T23:59:59Z"},
        {"validFrom": "2026-01-02T00:00:00Z", "validUntil": "2026-01-02T00:30:00+01:00"},
    ],
)
def test_the_dates_stand_in_order(dates: Json) -> None:
    (broken,) = refusal(sample().credential | dates).fields

    assert broken.rule == "dates_order"


def test_an_undefined_term_is_never_signed() -> None:
    with pytest.raises(DataLoss):
        lint(sample().credential | {"undefined": "x"}, sample().contexts)


def test_an_iri_described_in_two_ways_is_never_signed() -> None:
    made = sample()
    achievement = made.credential[SUBJECT]["achievement"]["id"]
    twice = [
        replaced(made.credential, ("relatedResource", 0, "id"), achievement),
        replaced(
            made.credential,
            ("issuer", "id"),
            made.credential[SUBJECT]["achievement"]["creator"]["id"],
        ),
        made.credential | {"evidence": [{"id": made.credential["id"], "type": ["Evidence"]}]},
    ]

    for credential in twice:
        with pytest.raises(Malformed) as caught:
            lint(credential, made.contexts)
        assert caught.value.rule == "described_twice"


def test_an_iri_described_twice_in_the_same_way_is_sound() -> None:
    made = sample()
    creator = made.credential[SUBJECT]["achievement"]["creator"]

    lint_nodes(made.credential | {"issuer": creator}, made.contexts)
