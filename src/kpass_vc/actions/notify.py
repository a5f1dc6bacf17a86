"""Put a notice to a learner on its way, in the transaction of what it tells about."""

from typing import Literal

from sqlalchemy.orm import Session

from kpass_vc.actions.learners import open_contact, seal_contact
from kpass_vc.environment import Environment
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import learner as learners
from kpass_vc.records.award import Award
from kpass_vc.records.delivery import Delivery

Kind = Literal["issued", "corrected", "revoked", "suspended", "reinstated", "link"]
DELIVER = "deliver"
"""The workflow that sends one notice."""


def notify(env: Environment, session: Session, award: Award, kind: Kind) -> Delivery | None:
    """The notice, which a workflow sends once the transaction has ended; None for who left no address.

    One that still waits is withdrawn: it would come late, and say what is true no more.
    Its Message-ID is settled here: whoever gets it twice sees that it is one.
    """
    learner = (
        learners.by_id(session, organization_id=award.organization_id, learner_id=award.learner_id)
        if award.learner_id
        else None
    )
    if learner is None or learner.sealed_contact is None:
        return None
    withdraw_notices(session, award)
    contact = open_contact(env, learner.id, learner.sealed_contact)
    delivery_id = env.new_id()
    row = Delivery(
        id=delivery_id,
        organization_id=award.organization_id,
        award_id=award.id,
        kind=kind,
        channel="email",
        state="waiting",
        sealed_contact=seal_contact(env, delivery_id, contact),
        message_id=f"<{delivery_id}@{env.addresses.host}>",
        attempts=0,
        created_at=env.now(),
    )
    session.add(row)
    session.flush()
    env.enqueue(
        session, "deliveries", DELIVER, row.organization_id, row.id, key=f"deliver/{row.id}"
    )
    return row


def withdraw_notices(session: Session, award: Award) -> None:
    """Send nothing of what still waits about an award."""
    deliveries.withdraw_waiting(session, organization_id=award.organization_id, award_id=award.id)
