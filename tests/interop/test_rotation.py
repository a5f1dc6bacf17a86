"""An issuer changes its keys three times: what it issued before, between and after, in everybody's verifier.

Its definition is its own, so that owner and issuer change keys together. Everything is
fetched from the served installation over TLS, after the last change.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from kpass_vc.actions.issue import Issued
from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from tests.interop.served import OF_FORMS, Served
from tests.interop.verdicts import Verdicts, not_accepted
from tests.world import OPERATOR_ACTOR, World, body_of

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]

ISSUER, CODE = "nyckelbytaren", "SOB-OPTO-93"
PERIODS = ("first", "second", "third", "fourth")
COMPROMISED = "second"


@dataclass(frozen=True)
class Rotated:
    """One award of each period, the verdicts after three changes, and those after one key was compromised."""

    awards: Mapping[str, Issued]
    verdicts: Mapping[str, Verdicts]
    verdicts_after_compromise: Mapping[str, Verdicts]


@pytest.fixture(scope="module")
def rotated(served: Served) -> Rotated:
    world = served.world
    world.published_definition(code=CODE, owner=ISSUER, authorised_issuers=[ISSUER])
    awards: dict[str, Issued] = {}
    for period in PERIODS:
        if awards:
            _rotate(world)
        awards[period] = world.issued(issuer=ISSUER, definition=f"{ISSUER}/{CODE}")
    verdicts = served.judge(_forms(awards))
    _compromise(world, awards[COMPROMISED])
    return Rotated(awards, verdicts, served.judge(_forms(awards)))


@pytest.mark.parametrize(("verifier", "form"), OF_FORMS)
def test_credentials_of_every_period_verify_after_three_changes(
    rotated: Rotated, verifier: str, form: str
) -> None:
    verdicts = rotated.verdicts[form][verifier]
    assert set(verdicts) == set(PERIODS)
    assert not_accepted(verdicts) == {}
    assert {each.revoked for each in verdicts.values()} == {False}


@pytest.mark.parametrize(("verifier", "form"), OF_FORMS)
def test_only_those_under_the_compromised_key_are_refused(
    rotated: Rotated, verifier: str, form: str
) -> None:
    verdicts = rotated.verdicts_after_compromise[form][verifier]
    assert set(not_accepted(verdicts)) == {COMPROMISED}
    assert not verdicts[COMPROMISED].verified


def test_every_period_has_keys_of_its_own(rotated: Rotated) -> None:
    used = [
        {each.verification_method for each in award.representations}
        for award in rotated.awards.values()
    ]
    assert len(set().union(*used)) == sum(map(len, used)) == 2 * len(PERIODS)


def test_the_did_document_that_is_served_has_the_newest_keys_first_and_no_compromised_one(
    served: Served, rotated: Rotated
) -> None:
    document = json.loads(served.answer(f"/o/{ISSUER}/did.json"))
    ids = [each["id"] for each in document["verificationMethod"]]
    used = {
        period: {each.verification_method for each in award.representations}
        for period, award in rotated.awards.items()
    }

    assert set(ids[:2]) == used["fourth"]
    assert set(ids) == used["first"] | used["third"] | used["fourth"]
    assert document["assertionMethod"] == ids


def _rotate(world: World) -> None:
    with world.writing() as session:
        rotate_keys(world.env, session, OPERATOR_ACTOR, ISSUER)


def _compromise(world: World, award: Issued) -> None:
    with world.writing() as session:
        for method in {each.verification_method for each in award.representations}:
            compromise_key(world.env, session, OPERATOR_ACTOR, ISSUER, method)


def _forms(awards: Mapping[str, Issued]) -> dict[str, dict[str, bytes]]:
    return {
        "document": {name: body_of(each) for name, each in awards.items()},
        "jwt": {name: body_of(each, "sv", "vc-jwt") for name, each in awards.items()},
    }
