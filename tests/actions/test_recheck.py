"""The chain of what was done, and the check of everything that is stored: each planted fault is found and named."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kpass_vc.actions.chain import START, chain_all, chain_audit, entry_hash, sign_head
from kpass_vc.actions.correct import CorrectionOrder, correct
from kpass_vc.actions.delegate import DelegationStatusOrder, change
from kpass_vc.actions.erase import erase
from kpass_vc.actions.publish import publish
from kpass_vc.actions.recheck import recheck, recheck_operator
from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from kpass_vc.errors import NotFound
from kpass_vc.records import audit as audits
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records.audit import AuditChain, AuditEntry, AuditHead
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.definition import DefinitionVersion
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.key import SigningKey
from kpass_vc.records.review import Review
from kpass_vc.records.status_list import StatusPublication
from tests.actions.test_people import person
from tests.actions.test_review import decided, handed_in
from tests.test_concurrency import at_once
from tests.world import OPERATOR_ACTOR, World, actor_of

OWNER, ISSUER = "sobona", "stadsnat-exempel"


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
    stranger = actor_of(used.organization(OWNER))
    with used.reading() as session, pytest.raises(NotFound):
        list(recheck(used.env, session, stranger, ISSUER))


@pytest.fixture
def lived(world: World) -> World:
    """All has happened that may: reviewed, authorised, withdrawn, corrected, suspended, erased, keys changed.

    One key is compromised that had signed credentials, and the lists are long enough to be signed twice.
    """
    version_id = handed_in(world)
    decided(world, person(world, OWNER, "reviewer"), version_id)
    owner, issuer = world.organization(OWNER), world.organization(ISSUER)
    with world.writing() as session:
        publish(world.env, session, actor_of(owner), version_id)
    world.clock.advance(seconds=1)
    first = world.issued()
    world.set_status(first, "revoked")
    world.clock.advance(seconds=1)
    with world.writing() as session:
        rotate_keys(world.env, session, OPERATOR_ACTOR, ISSUER)
    second, third = world.issued(), world.issued()
    with world.writing() as session:
        order = CorrectionOrder.model_validate(
            {"holder": {"name": "Amina Ek"}, "assessedOn": world.env.now().date().isoformat()}
        )
        correct(world.env, session, actor_of(issuer), second.award.id, order)
    with world.writing() as session:
        erase(world.env, session, actor_of(issuer), third.award.id)
    chain_all(world.env)
    world.clock.advance(days=1)
    with world.reading() as session:
        held = keys.of_organization(session, organization_id=issuer.id)
    for key in held:
        if key.state == "active":
            with world.writing() as session:
                compromise_key(world.env, session, OPERATOR_ACTOR, ISSUER, key.verification_method)
    world.clock.advance(seconds=1)
    world.issued(assessedOn=world.env.now().date().isoformat())
    with world.writing() as session:
        (row,) = session.scalars(select(Delegation).where(Delegation.body.is_not(None)))
        ended = DelegationStatusOrder(status="withdrawn", reason="Avtalet har gått ut.")
        change(world.env, session, actor_of(owner), row.id, ended)
    chain_all(world.env)
    return world


def test_whatever_may_happen_is_no_fault(lived: World) -> None:
    assert faults(lived) == []
    assert faults(lived, OWNER) == []
    with lived.reading() as session:
        assert list(recheck_operator(session, OPERATOR_ACTOR)) == []


def lost_award(session: Session, _: World) -> None:
    award = session.scalars(select(Award).where(Award.state == "active")).first()
    assert award is not None
    session.execute(delete(Representation).where(Representation.award_id == award.id))
    session.execute(delete(Award).where(Award.id == award.id))


def changed_head(session: Session, _: World) -> None:
    issuer = organizations.by_slug(session, ISSUER)
    assert issuer is not None
    audits.heads(session, organization_id=issuer.id)[0].length -= 1


def forged_body(session: Session, _: World) -> None:
    (row,) = session.scalars(select(Delegation).where(Delegation.body.is_not(None)))
    row.body = (row.body or b"").replace(b"SOB-OPTO-01", b"SOB-OPTO-99")


def forged_approval(session: Session, _: World) -> None:
    (row,) = session.scalars(select(Review).where(Review.endorsement.is_not(None)))
    row.endorsement = (row.endorsement or b"").replace(b"1.0.0", b"1.0.1")


def kept_body(session: Session, _: World) -> None:
    award_id = session.scalar(select(Award.id).where(Award.erased_at.is_not(None)))
    query = select(Representation).where(Representation.award_id == award_id)
    row = session.scalars(query).first()
    assert row is not None
    row.body = b"Amina Exempelsson"


def renamed(session: Session, _: World) -> None:
    session.execute(update(Award).where(Award.state == "active").values(holder_name="En Annan"))


GRAVE: dict[str, tuple[Callable[[Session, World], None], str, str]] = {
    "an award that was deleted": (lost_award, ISSUER, "award_lost"),
    "a signed head that was changed": (changed_head, ISSUER, "head_changed"),
    "an authorisation for more than was signed": (forged_body, OWNER, "signature"),
    "an approval of another version": (forged_approval, OWNER, "signature"),
    "a text that should have been erased": (kept_body, ISSUER, "body_kept"),
    "a record of somebody else": (renamed, ISSUER, "record_differs"),
}


@pytest.mark.parametrize("planted", GRAVE)
def test_a_fault_in_what_was_signed_or_done_is_found_and_named(lived: World, planted: str) -> None:
    plant, slug, kind = GRAVE[planted]
    with lived.writing() as session:
        plant(session, lived)

    with lived.reading() as session:
        found = list(recheck(lived.env, session, OPERATOR_ACTOR, slug))

    assert kind in [each.kind for each in found]
    for each in found:
        assert each.sentence("sv") != each.sentence("en")


def test_a_chain_that_was_written_anew_is_found_by_a_head_that_lay_elsewhere(used: World) -> None:
    organization_id = used.organization(ISSUER).id
    with used.reading() as session:
        kept = [row.body for row in audits.heads(session, organization_id=organization_id)]
    with used.writing() as session:
        found, head = entries(session, used), START
        found[1].details = {"reason": "other"}
        for entry in found:
            head = entry.entry_hash = entry_hash(head, entry.number or 0, entry)
        session.execute(delete(AuditHead).where(AuditHead.organization_id == organization_id))
        chain = session.get_one(AuditChain, organization_id)
        chain.head = head

    assert faults(used) == []
    with used.reading() as session:
        told = list(recheck(used.env, session, OPERATOR_ACTOR, ISSUER, kept))
        strange = list(recheck(used.env, session, OPERATOR_ACTOR, OWNER, kept))

    assert {each.kind for each in told} == {"chain_head"}
    assert {each.kind for each in strange} == {"head_of_another"}


@pytest.mark.postgresql
def test_two_chainers_at_once_give_each_entry_one_place(world: World) -> None:
    world.published_definition()
    for _ in range(20):
        world.issued(languages=["sv"])
    organization_id = world.organization(ISSUER).id

    at_once(4, lambda _: chain_audit(world.env, organization_id))

    with world.reading() as session:
        numbers = [entry.number for entry in entries(session, world)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20
    assert faults(world) == []
