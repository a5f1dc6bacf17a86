"""The chain of what was done, and the check of everything that is stored: each planted fault is found and named."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kpass_vc.actions.chain import chain_all, chain_audit, sign_head
from kpass_vc.actions.recheck import recheck
from kpass_vc.records.audit import AuditChain, AuditEntry
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.definition import DefinitionVersion
from kpass_vc.records.key import SigningKey
from kpass_vc.records.status_list import StatusPublication
from tests.world import OPERATOR_ACTOR, World, actor_of

ISSUER = "stadsnat-exempel"


@pytest.fixture
def used(world: World) -> World:
    """An installation that has issued, revoked and rotated, its chains signed yesterday."""
    world.published_definition()
    first = world.issued()
    world.issued()
    world.set_status(first, "revoked")
    chain_all(world.env)
    world.clock.advance(days=1)
    world.issued(assessedOn=world.env.now().date().isoformat())
    chain_all(world.env)
    return world


def faults(world: World, slug: str = ISSUER) -> list[str]:
    with world.reading() as session:
        return [each.kind for each in recheck(world.env, session, OPERATOR_ACTOR, slug)]


def test_an_untouched_installation_has_no_fault(used: World) -> None:
    assert faults(used) == []
    assert faults(used, "sobona") == []


def entries(session: Session, world: World) -> list[AuditEntry]:
    organization_id = world.organization(ISSUER).id
    found = select(AuditEntry).where(AuditEntry.organization_id == organization_id)
    return list(session.scalars(found.order_by(AuditEntry.number)))


def body_byte(session: Session, _: World) -> None:
    row = session.scalars(select(Representation)).first()
    assert row is not None
    row.body = row.body.replace(b"Amina", b"Amine", 1)


def swap_bodies(session: Session, _: World) -> None:
    one, other = session.scalars(
        select(Representation)
        .where(Representation.format == "ldp_vc")
        .where(Representation.language == "sv")
        .limit(2)
    )
    one.body, other.body = other.body, one.body
    one.sha256, other.sha256 = other.sha256, one.sha256


def award_state(session: Session, _: World) -> None:
    session.execute(update(Award).where(Award.state == "revoked").values(state="active"))


def status_bit(session: Session, _: World) -> None:
    for row in session.scalars(select(StatusPublication)):
        row.bits = bytes(len(row.bits))


def backdated(session: Session, world: World) -> None:
    entry = entries(session, world)[1]
    entry.at -= timedelta(days=30)


def deleted(session: Session, world: World) -> None:
    session.delete(entries(session, world)[2])


def cut(session: Session, world: World) -> None:
    """The newest entries, and the chain with them."""
    organization_id = world.organization(ISSUER).id
    found = entries(session, world)
    kept = found[1]
    session.execute(delete(AuditEntry).where(AuditEntry.id.in_([each.id for each in found[2:]])))
    session.execute(
        update(AuditChain)
        .where(AuditChain.organization_key == organization_id)
        .values(length=kept.number, head=kept.entry_hash)
    )


def another_actor(session: Session, world: World) -> None:
    entries(session, world)[0].actor = "somebody else"


def key_period(session: Session, world: World) -> None:
    later = world.env.now() + timedelta(days=3)
    session.execute(update(SigningKey).values(active_from=later))


def definition(session: Session, _: World) -> None:
    for row in session.scalars(select(DefinitionVersion)):
        row.document = (row.document or b"") + b" "


PLANTED: dict[str, tuple[Callable[[Session, World], None], str, str]] = {
    "a byte of a body": (body_byte, ISSUER, "body_changed"),
    "two bodies swapped": (swap_bodies, ISSUER, "body_of_another"),
    "an award's state": (award_state, ISSUER, "status_bit"),
    "a cleared status bit": (status_bit, ISSUER, "list_bits"),
    "a backdated entry": (backdated, ISSUER, "chain_changed"),
    "an entry of another": (another_actor, ISSUER, "chain_changed"),
    "an entry deleted in the middle": (deleted, ISSUER, "chain_gap"),
    "the newest entries deleted": (cut, ISSUER, "chain_cut"),
    "a signature outside of its key's period": (key_period, ISSUER, "key_period"),
    "a changed definition": (definition, "sobona", "definition_changed"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found_and_named(used: World, planted: str) -> None:
    plant, slug, kind = PLANTED[planted]
    with used.writing() as session:
        plant(session, used)

    found = faults(used, slug)

    assert kind in found
    with used.reading() as session:
        for each in recheck(used.env, session, OPERATOR_ACTOR, slug):
            assert each.sentence("sv") != each.sentence("en")


def test_chaining_twice_or_from_two_sides_gives_each_entry_one_place(used: World) -> None:
    used.issued(assessedOn=used.env.now().date().isoformat())
    organization_id = used.organization(ISSUER).id
    assert chain_audit(used.env, organization_id) > 0
    assert chain_audit(used.env, organization_id) == 0
    with used.reading() as session:
        numbers = [entry.number for entry in entries(session, used)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_head_is_signed_once_a_day_and_only_when_there_is_more(used: World) -> None:
    organization_id = used.organization(ISSUER).id
    first = sign_head(used.env, organization_id)
    assert first is not None
    used.clock.advance(days=1)
    again = sign_head(used.env, organization_id)
    assert again is not None
    assert again.day == first.day


def test_another_organisation_is_told_nothing(used: World) -> None:
    with used.reading() as session:
        stranger = actor_of(used.organization("sobona"))
        assert list(recheck(used.env, session, stranger, ISSUER)) == []
