"""Status lists: signed anew when half of their life is gone, never later, never without need."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kpass_vc.actions.publish_status import (
    VALID_FOR,
    coalescing,
    current,
    is_ageing,
    next_index,
    open_list,
    put_bit,
)
from kpass_vc.crypto.jose import read_compact
from kpass_vc.crypto.keys import PublicKey
from kpass_vc.errors import Conflict, StatusListUnusable
from kpass_vc.formats import FORMATS
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.status_list import StatusList, StatusPublication
from kpass_vc.statuslist import SIZE, decode, get
from tests.world import World, body_of


def own_list(world: World, slug: str = "sobona") -> StatusList:
    organization = world.organization(slug)
    with world.writing() as session:
        return open_list(world.env, session, organization, "revocation")


def refreshed(world: World, row: StatusList) -> StatusPublication:
    with world.reading() as session:
        return current(world.env, session, row)


def raised(world: World, row: StatusList) -> tuple[int, list[int]]:
    """The version of a list and its raised indexes, the same in the row and in both signed forms."""
    found = refreshed(world, row)
    documents = [json.loads(found.body), json.loads(read_compact(found.body_jwt.decode()).payload)]
    for document in documents:
        assert decode(document["credentialSubject"]["encodedList"]) == found.bits
    return found.version, [index for index in range(SIZE) if get(found.bits, index)]


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


def test_several_changes_of_one_transaction_are_signed_once_and_each_alone_otherwise(
    world: World,
) -> None:
    row, other = own_list(world), own_list(world, "annan")

    with world.writing() as session:
        with coalescing(world.env, session):
            for index in (7, 1, 131_071):
                put_bit(world.env, session, row, index, value=True)
            with coalescing(world.env, session):
                put_bit(world.env, session, row, 1, value=False)
                put_bit(world.env, session, other, 9, value=True)
            assert not session.dirty
        put_bit(world.env, session, other, 10, value=True)

    assert raised(world, row) == (2, [7, 131_071])
    assert raised(world, other) == (3, [9, 10])


def test_bits_that_are_set_as_they_were_are_no_reason_to_sign(world: World) -> None:
    row = own_list(world)

    with world.writing() as session, coalescing(world.env, session):
        put_bit(world.env, session, row, 7, value=True)
        put_bit(world.env, session, row, 7, value=False)

    assert raised(world, row) == (1, [])


def test_what_a_rolled_back_savepoint_has_set_is_neither_signed_nor_kept_in_mind(
    world: World,
) -> None:
    row, other = own_list(world), own_list(world, "annan")

    with world.writing() as session, coalescing(world.env, session):
        put_bit(world.env, session, row, 1, value=True)
        with session.begin_nested() as savepoint:
            put_bit(world.env, session, row, 2, value=True)
            put_bit(world.env, session, row, 1, value=False)
            with session.begin_nested():
                put_bit(world.env, session, row, 3, value=True)
                put_bit(world.env, session, other, 3, value=True)
            savepoint.rollback()
        with session.begin_nested():
            put_bit(world.env, session, row, 4, value=True)
            with session.begin_nested() as savepoint:
                put_bit(world.env, session, row, 5, value=True)
                savepoint.rollback()

    assert raised(world, row) == (2, [1, 4])
    assert raised(world, other) == (1, [])


def test_a_savepoint_that_the_database_refuses_leaves_no_bit_behind(world: World) -> None:
    row = own_list(world)

    def refused(session: Session) -> None:
        with session.begin_nested():
            put_bit(world.env, session, row, 2, value=True)
            with coalescing(world.env, session):
                put_bit(world.env, session, row, 3, value=True)
                session.add(StatusPublication(status_list_id=row.id, bits=b"", version=0))
                session.flush()

    with world.writing() as session, coalescing(world.env, session):
        put_bit(world.env, session, row, 1, value=True)
        with pytest.raises(IntegrityError):
            refused(session)
        put_bit(world.env, session, row, 4, value=True)

    assert raised(world, row) == (2, [1, 4])


def test_an_error_that_leaves_the_changes_signs_none_and_those_after_it_are_signed(
    world: World,
) -> None:
    row = own_list(world)

    def broken_off(session: Session) -> None:
        with session.begin(), coalescing(world.env, session):
            put_bit(world.env, session, row, 1, value=True)
            raise Conflict("sunset")

    with world.env.writing() as session:
        with pytest.raises(Conflict):
            broken_off(session)
        with session.begin(), coalescing(world.env, session):
            put_bit(world.env, session, row, 2, value=True)

    assert raised(world, row) == (2, [2])


def test_an_index_outside_of_a_list_changes_none_of_those_it_came_with(world: World) -> None:
    row = own_list(world)

    def too_far(session: Session) -> None:
        with coalescing(world.env, session):
            put_bit(world.env, session, row, 1, value=True)
            put_bit(world.env, session, row, SIZE, value=True)

    with pytest.raises(StatusListUnusable), world.writing() as session:
        too_far(session)

    assert raised(world, row) == (1, [])
