"""Send one notice through its channel; resend one; correct a learner's address.

The message is made when it is sent, from what is true then, so that no text about
anybody waits in a queue. No database session is held while a server is spoken to.
"""

from dataclasses import dataclass
from typing import Final, Literal, cast

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.learners import (
    Contact,
    ContactOrder,
    know_learner,
    open_contact,
    seal_contact,
)
from kpass_vc.actions.notify import DELIVER, Kind, notify
from kpass_vc.actions.picture import marked
from kpass_vc.actions.share import private_link, renew_links
from kpass_vc.authz import Actor, Permission
from kpass_vc.delivery.channel import Notice
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotDelivered, NotFound, Undeliverable
from kpass_vc.language import say
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import learner as learners
from kpass_vc.records import organization as organizations
from kpass_vc.records.award import Award
from kpass_vc.records.delivery import Delivery

Outcome = Literal["sent", "later", "ended"]

WAITS: Final = (60, 300, 1800, 7200, 21600, 43200, 86400, 86400)
"""Seconds between one attempt and the next; after the last one it is given up, and may be sent again by hand."""


@dataclass(frozen=True)
class _Ready:
    channel: str
    notice: Notice


def deliver(env: Environment, organization_id: str, delivery_id: str) -> Outcome:
    """Try once: `later` if it will be tried again, by a workflow that is put into the same transaction.

    If the machine stops between sending and noting it down, it is sent again under the same Message-ID.
    """
    with env.writing() as session, session.begin():
        ready = _ready(env, session, organization_id, delivery_id)
    if ready is None:
        return "ended"
    problem = _problem(env, ready)
    with env.writing() as session, session.begin():
        row = deliveries.by_id(session, organization_id=organization_id, delivery_id=delivery_id)
        if row is None or row.state != "waiting":
            return "ended"
        if problem is None:
            row.state, row.sent_at, row.sealed_contact, row.last_error = (
                "sent",
                env.now(),
                None,
                None,
            )
            return "sent"
        row.last_error = f"{problem.code}.{problem.rule}"
        if isinstance(problem, NotDelivered) and row.attempts <= len(WAITS):
            env.enqueue(
                session,
                "deliveries",
                DELIVER,
                organization_id,
                row.id,
                key=f"deliver/{row.id}/{row.attempts}",
                delay=WAITS[row.attempts - 1],
            )
            return "later"
        row.state, row.sealed_contact = "failed", None
        return "ended"


def _problem(env: Environment, ready: _Ready) -> NotDelivered | Undeliverable | None:
    channel = env.channels.get(ready.channel)
    if channel is None:
        return NotDelivered("no_channel", channel=ready.channel)
    try:
        channel.deliver(ready.notice)
    except (NotDelivered, Undeliverable) as error:
        return error
    return None


def _ready(
    env: Environment, session: Session, organization_id: str, delivery_id: str
) -> _Ready | None:
    """What is to be sent, and that it is tried; None if it is not to be sent any more."""
    row = deliveries.by_id(session, organization_id=organization_id, delivery_id=delivery_id)
    if row is None or row.state != "waiting" or row.sealed_contact is None:
        return None
    award = awards.by_id(session, organization_id=organization_id, award_id=row.award_id)
    found = definitions.by_id(session, award.definition_version_id) if award else None
    issuer = organizations.by_id(session, organization_id)
    if award is None or found is None or issuer is None:
        return None
    row.attempts += 1
    contact = open_contact(env, row.id, row.sealed_contact)
    language = contact.language
    words = {
        "title": marked(found[0].title(language), language, is_test=award.is_test),
        "issuer": issuer.name(language),
        "name": award.holder_name or say(language, "mail.you"),
        "link": private_link(env, award),
        "reason": say(language, f"holder.reason.{award.reason}") if award.reason else "",
    }
    return _Ready(
        row.channel,
        Notice(
            message_id=row.message_id,
            address=contact.email,
            language=language,
            sender=issuer.name(language),
            reply_to=issuer.email,
            subject=say(language, f"mail.{row.kind}.subject", **words),
            text=say(language, f"mail.{row.kind}.text", **words),
        ),
    )


def resend(
    env: Environment,
    session: Session,
    actor: Actor,
    award_id: str,
    contact: ContactOrder | None = None,
) -> Delivery:
    """A new notice with the learner's link, to the address that is known or to a corrected one.

    A notice that still waits is withdrawn: it would go to the address that was wrong. What waits of the
    learner's other credentials goes to the right one, and whoever has the wrong one's mail has links that
    lead nowhere any more. NotFound for who has been forgotten.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    award = awards.by_id(
        session,
        organization_id=actor.own_organization(),
        award_id=award_id,
        tests_only=actor.is_test,
        for_update=True,
    )
    if award is None or award.erased_at is not None:
        raise NotFound("credential", credential=award_id)
    if contact is not None:
        _correct(env, session, award, contact)
        renew_links(env, session, actor, award)
    made = notify(env, session, award, _kind(award))
    if made is None:
        raise Conflict("no_address", credential=award.id)
    audit(
        env,
        session,
        actor,
        "credential.link_sent",
        award.id,
        organization_id=award.organization_id,
        delivery=made.id,
    )
    return made


def resend_undelivered(env: Environment, session: Session, actor: Actor) -> int:
    """A new notice of each credential whose last one was given up, to the address that is known; says how many."""
    organization_id = actor.own_organization()
    actor.require(Permission.CREDENTIALS_ISSUE)
    ids = list(session.scalars(deliveries.undelivered(organization_id=organization_id)))
    return sum(_resent(env, session, actor, award_id) for award_id in dict.fromkeys(ids))


def _resent(env: Environment, session: Session, actor: Actor, award_id: str) -> bool:
    try:
        resend(env, session, actor, award_id)
    except (
        Conflict,
        NotFound,
    ):  # no address any more, or forgotten, or no test where only those are seen
        return False
    return True


def _kind(award: Award) -> Kind:
    return cast("Kind", {"revoked": "revoked", "suspended": "suspended"}.get(award.state, "link"))


def _correct(env: Environment, session: Session, award: Award, contact: ContactOrder) -> None:
    row = (
        learners.by_id(session, organization_id=award.organization_id, learner_id=award.learner_id)
        if award.learner_id
        else None
    )
    if row is None:
        made = know_learner(
            env,
            session,
            organization_id=award.organization_id,
            reference=None,
            contact=contact,
            is_test=award.is_test,
        )
        award.learner_id = made.id if made else None
        return
    right = Contact(contact.email, contact.language)
    row.sealed_contact = seal_contact(env, row.id, right)
    for waiting in deliveries.waiting_of_learner(
        session, organization_id=award.organization_id, learner_id=row.id
    ):
        waiting.sealed_contact = seal_contact(env, waiting.id, right)
    session.flush()
