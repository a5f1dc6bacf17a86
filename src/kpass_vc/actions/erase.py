"""Forget a learner: what was stored about the person goes, the hash of what was signed and its status bit stay.

A copy that the learner has kept goes on being verifiable, and can still be seen to be revoked;
nothing here says any more whose it was.
"""

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.notify import withdraw_notices
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.records import award as awards
from kpass_vc.records import learner as learners
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.batch import BatchRow
from kpass_vc.records.delivery import Delivery
from kpass_vc.records.dispute import Dispute
from kpass_vc.records.letter import LetterCode
from kpass_vc.records.share_link import ShareLink


def erase(env: Environment, session: Session, actor: Actor, award_id: str) -> list[Award]:
    """The awards of the learner of an award, of whom nothing is known any more; erasing again changes nothing.

    All that the organisation issued to the same learner, where it knows that it is the same: by its own
    record of the learner, or since one credential corrects another that was not somebody else's.
    """
    actor.require(Permission.LEARNERS_ERASE)
    organization_id = actor.own_organization()
    first = awards.by_id(
        session,
        organization_id=organization_id,
        award_id=award_id,
        tests_only=actor.is_test,
        for_update=True,
    )
    if first is None:
        raise NotFound("credential", credential=award_id)
    found = of_the_same(session, first)
    for award in found:
        if award.erased_at is None:
            _forget(env, session, award)
            audit(
                env,
                session,
                actor,
                "credential.erased",
                award.id,
                organization_id=organization_id,
            )
    for learner_id in {award.learner_id for award in found if award.learner_id is not None}:
        learner = learners.by_id(session, organization_id=organization_id, learner_id=learner_id)
        if learner is not None:
            learner.reference_index, learner.sealed_contact = None, None
            learner.erased_at = learner.erased_at or env.now()
    session.flush()
    return found


def of_the_same(session: Session, first: Award) -> list[Award]:
    """The awards that the organisation knows to be of the same learner, this one among them."""
    found: dict[str, Award] = {}
    left = [first]
    while left:
        award = left.pop()
        if award.id in found:
            continue
        found[award.id] = award
        if award.learner_id is not None:
            left += awards.of_learner(
                session, organization_id=award.organization_id, learner_id=award.learner_id
            )
        if award.replaces_id is not None:
            old = awards.by_id(
                session,
                organization_id=award.organization_id,
                award_id=award.replaces_id,
                for_update=True,
            )
            left += [old] if old is not None and not old.was_anothers else []
        new = awards.replacement_of(session, award_id=award.id, for_update=True)
        left += [new] if new is not None and not award.was_anothers else []
    return list(found.values())


def _forget(env: Environment, session: Session, award: Award) -> None:
    award.holder_name, award.holder_id, award.external_reference = None, "", None
    award.link_generation += 1
    award.erased_at = env.now()
    session.execute(
        update(Representation).where(Representation.award_id == award.id).values(body=b"")
    )
    session.execute(delete(Dispute).where(Dispute.award_id == award.id))
    session.execute(delete(LetterCode).where(LetterCode.award_id == award.id))
    session.execute(delete(ShareLink).where(ShareLink.award_id == award.id))
    withdraw_notices(session, award)
    session.execute(
        update(Delivery).where(Delivery.award_id == award.id).values(sealed_contact=None)
    )
    session.execute(
        update(BatchRow).where(BatchRow.award_id == award.id).values(sealed_order=None, errors=None)
    )
