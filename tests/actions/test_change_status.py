"""Revoking, suspending, reinstating: at once, for whom it is, and revoked for ever."""

import json

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from kpass_vc import statuslist
from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.issue import Issued
from kpass_vc.authz import ORGANIZATION, Actor, Permission
from kpass_vc.crypto.jose import read_compact, verify_compact
from kpass_vc.crypto.keys import PublicKey
from kpass_vc.errors import Conflict, Forbidden, NotFound
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.award import Award
from kpass_vc.records.status_list import StatusPublication
from tests.sample import outcome
from tests.world import World, body_of, failed_checks


def publication(world: World, issued: Issued) -> StatusPublication:
    with world.reading() as session:
        return session.get_one(StatusPublication, issued.award.status_list_id)


def bit(world: World, issued: Issued) -> set[bool]:
    """The bit in the row, in the signed list and in its JWT form."""
    row = publication(world, issued)
    lists = [json.loads(row.body), json.loads(read_compact(row.body_jwt.decode()).payload)]
    encoded = [found["credentialSubject"]["encodedList"] for found in lists]
    index = issued.award.status_index
    return {statuslist.get(bits, index) for bits in (row.bits, *map(statuslist.decode, encoded))}


def state(world: World, issued: Issued) -> str:
    with world.reading() as session:
        return session.get_one(Award, issued.award.id).state


def entries(world: World) -> int:
    with world.reading() as session:
        return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def suspendable(world: World) -> Issued:
    world.published_definition(status_purpose="suspension")
    return world.issued()


def test_a_revocation_shows_in_every_form_at_the_next_read(world: World) -> None:
    world.published_definition()
    issued, other = world.issued(), world.issued()
    before = publication(world, issued).version
    assert bit(world, issued) == {False}

    world.set_status(issued, "revoked", "wrong_holder")

    assert bit(world, issued) == {True}
    assert bit(world, other) == {False}
    assert publication(world, issued).version == before + 1
    for language in ("sv", "en"):
        for form in ("ldp_vc", "vc-jwt"):
            report = world.verified(body_of(issued, language, form))
            assert failed_checks(report) == ["status"]
            assert outcome(report, "status") == ("failed", "revoked")
            assert world.verified(body_of(other, language, form)).verified


def test_the_reason_and_the_time_are_kept_and_written_down(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    world.clock.advance(hours=1)

    world.set_status(issued, "revoked", "fraud")

    with world.reading() as session:
        award = session.get_one(Award, issued.award.id)
        assert (award.state, award.reason, award.status_changed_at) == (
            "revoked",
            "fraud",
            world.clock(),
        )
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.subject, entry.details) == (
            "credential.revoked",
            issued.award.id,
            {"reason": "fraud"},
        )


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
@pytest.mark.parametrize("status", ["active", "suspended"])
def test_revoked_never_clears(world: World, purpose: str, status: str) -> None:
    world.published_definition(status_purpose=purpose)
    issued = world.issued()
    world.set_status(issued, "revoked")
    version = publication(world, issued).version

    with pytest.raises(Conflict) as caught:
        world.set_status(issued, status)

    assert caught.value.rule == "revoked_for_ever"
    assert state(world, issued) == "revoked"
    assert bit(world, issued) == {True}
    assert publication(world, issued).version == version


def test_asking_for_the_status_it_has_changes_nothing(world: World) -> None:
    issued = suspendable(world)

    for status in ("active", "suspended", "revoked"):
        world.set_status(issued, status)
        before = (publication(world, issued).version, entries(world))
        world.set_status(issued, status, "other")
        assert (publication(world, issued).version, entries(world)) == before
    with world.reading() as session:
        assert session.get_one(Award, issued.award.id).reason == "issued_in_error"


def test_a_suspension_is_lifted_again_and_each_step_shows(world: World) -> None:
    issued = suspendable(world)

    world.set_status(issued, "suspended", "under_investigation")
    suspended = world.verified(body_of(issued))
    raised = bit(world, issued)
    world.set_status(issued, "active", "investigation_closed")

    assert raised == {True}
    assert failed_checks(suspended) == ["status"]
    assert outcome(suspended, "status") == ("failed", "suspended")
    assert bit(world, issued) == {False}
    assert world.verified(body_of(issued)).verified


def test_a_suspended_credential_can_be_revoked_for_ever(world: World) -> None:
    issued = suspendable(world)

    world.set_status(issued, "suspended")
    world.set_status(issued, "revoked")

    assert bit(world, issued) == {True}
    with pytest.raises(Conflict):
        world.set_status(issued, "active")


def test_what_its_definition_does_not_let_be_suspended_is_not(world: World) -> None:
    world.published_definition()
    issued = world.issued()

    with pytest.raises(Conflict) as caught:
        world.set_status(issued, "suspended")

    assert caught.value.rule == "not_suspendable"
    assert (state(world, issued), bit(world, issued)) == ("active", {False})


def test_another_organisation_and_a_lesser_token_change_nothing(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    other, owner = world.organization("annan"), world.organization("sobona")
    order = StatusOrder(status="revoked", reason="other")
    lesser = Actor("x", issued.award.organization_id, frozenset({Permission.CREDENTIALS_ISSUE}))

    for organization in (other, owner):
        with pytest.raises(NotFound), world.writing() as session:
            change_status(
                world.env,
                session,
                Actor("x", organization.id, ORGANIZATION),
                issued.award.id,
                order,
            )
    with pytest.raises(Forbidden), world.writing() as session:
        change_status(world.env, session, lesser, issued.award.id, order)
    actor = Actor("x", issued.award.organization_id, ORGANIZATION)
    with pytest.raises(NotFound), world.writing() as session:
        change_status(world.env, session, actor, "no-such-award", order)

    assert (state(world, issued), bit(world, issued)) == ("active", {False})


def test_what_is_not_committed_did_not_happen(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    actor = Actor("x", issued.award.organization_id, ORGANIZATION)

    with world.env.writing() as session:
        change_status(
            world.env,
            session,
            actor,
            issued.award.id,
            StatusOrder(status="revoked", reason="fraud"),
        )

    assert (state(world, issued), bit(world, issued)) == ("active", {False})


def test_every_bit_of_a_list_is_that_of_its_award(world: World) -> None:
    world.published_definition()
    issued = [world.issued(languages=["sv"]) for _ in range(6)]

    for each in issued[::2]:
        world.set_status(each, "revoked")

    assert [bit(world, each) for each in issued] == [{True}, {False}] * 3
    assert sum(byte.bit_count() for byte in publication(world, issued[0]).bits) == 3


@pytest.mark.parametrize(
    "order",
    [
        {"status": "revoked"},
        {"status": "deleted", "reason": "other"},
        {"status": "revoked", "reason": "because"},
        {"status": "revoked", "reason": "Amina 121212-1212"},
        {"status": "revoked", "reason": "other", "note": "x"},
        {"reason": "other"},
    ],
    ids=repr,
)
def test_an_order_outside_the_rules_is_no_order(order: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StatusOrder.model_validate(order)


def test_the_jwt_form_of_the_list_is_signed_with_the_ed25519_key(world: World) -> None:
    world.published_definition()
    issued = world.issued()

    found = read_compact(publication(world, issued).body_jwt.decode())

    assert (found.header["alg"], found.header["typ"]) == ("EdDSA", "vc+jwt")
    verify_compact(found, PublicKey.from_multikey(str(found.header["kid"]).partition("#")[2]))
