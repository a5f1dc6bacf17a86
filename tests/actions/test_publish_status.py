"""Status lists: signed anew when half of their life is gone, never later, never without need."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from kpass_vc.actions.publish_status import VALID_FOR, current, is_ageing, next_index, open_list
from kpass_vc.crypto.keys import PublicKey
from kpass_vc.errors import StatusListUnusable
from kpass_vc.formats import FORMATS
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.status_list import StatusList, StatusPublication
from kpass_vc.statuslist import decode, get
from tests.world import World, body_of


def own_list(world: World, slug: str = "sobona") -> StatusList:
    organization = world.organization(slug)
    with world.writing() as session:
        return open_list(world.env, session, organization, "revocation")


def refreshed(world: World, row: StatusList) -> StatusPublication:
    with world.reading() as session:
        return current(world.env, session, row)


def test_a_list_is_signed_by_its_owner_and_valid_for_thirty_days(world: World) -> None:
    row = own_list(world)
    found = refreshed(world, row)

    document: dict[str, Any] = json.loads(found.body)

    presented = FORMATS["ldp_vc"].read(found.body)
    key = PublicKey.from_multikey(str(presented.proofs[0].verification_method).partition("#")[2])
    FORMATS["ldp_vc"].check_proof(presented, presented.proofs[0], key, world.env.contexts)
    assert document["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert document["id"] == row.url
    assert document["issuer"] == world.organization("sobona").did
    assert datetime.fromisoformat(document["validUntil"]) == world.clock() + timedelta(days=30)
    assert datetime.fromisoformat(document["validFrom"]) < world.clock()
    assert document["credentialSubject"]["statusPurpose"] == "revocation"
    assert len(decode(document["credentialSubject"]["encodedList"])) == 131_072 // 8


@pytest.mark.parametrize(
    ("passed", "signed_anew"),
    [
        (timedelta(0), False),
        (VALID_FOR / 2, False),
        (VALID_FOR / 2 + timedelta(seconds=1), True),
        (VALID_FOR * 3, True),
    ],
)
def test_a_list_past_half_of_its_life_is_signed_anew_by_the_read(
    world: World, passed: timedelta, *, signed_anew: bool
) -> None:
    row = own_list(world)
    before = refreshed(world, row)
    world.clock.moment += passed
    assert is_ageing(before.valid_until, world.clock()) == signed_anew

    after = refreshed(world, row)

    assert (after.version, after.body != before.body) == (before.version + signed_anew, signed_anew)
    assert after.valid_until == (world.clock() + VALID_FOR if signed_anew else before.valid_until)


def test_a_list_that_is_signed_anew_keeps_its_bits(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    world.set_status(issued, "revoked")
    world.clock.advance(days=20)
    with world.reading() as session:
        row = session.get_one(StatusList, issued.award.status_list_id)

    found = refreshed(world, row)

    encoded = json.loads(found.body)["credentialSubject"]["encodedList"]
    assert found.valid_until == world.clock() + VALID_FOR
    assert get(decode(encoded), issued.award.status_index)
    assert not world.verified(body_of(issued)).verified


def test_our_own_verifier_signs_an_old_list_anew_like_any_reader(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    world.clock.advance(days=31)

    assert world.verified(body_of(issued)).verified


def test_no_index_is_given_out_twice_and_none_lies_outside(world: World) -> None:
    organization = world.organization("sobona")

    with world.writing() as session:
        given = [next_index(world.env, session, organization, "revocation") for _ in range(500)]

    assert len({(row.id, index) for row, index in given}) == 500
    assert all(0 <= index < row.size for row, index in given)


def test_each_purpose_and_each_organisation_has_lists_of_its_own(world: World) -> None:
    first, second = world.organization("sobona"), world.organization("annan")

    with world.writing() as session:
        rows = [
            open_list(world.env, session, organization, purpose)
            for organization in (first, second)
            for purpose in ("revocation", "suspension")
            for _ in range(2)
        ]
        found = status_lists.by_url(session, rows[0].url)

    assert found is not None
    assert len({row.id for row in rows}) == 4
    assert len({row.url for row in rows}) == 4
    assert len({row.permutation_key for row in rows}) == 4


def test_a_bit_outside_the_list_is_never_read() -> None:
    with pytest.raises(StatusListUnusable):
        get(bytes(16_384), 131_072)
