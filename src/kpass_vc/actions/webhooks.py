"""Tell an organisation's own systems of changes: signed, in order, until they take it.

The form is that of Standard Webhooks (standardwebhooks.com): `webhook-id`, `webhook-timestamp` and
`webhook-signature`, HMAC-SHA-256 over id, timestamp and body. A receiver that is down is
tried again with growing pauses and loses nothing; it may get one event twice, under the
same id. Replay is to go on from an earlier place.
"""

import base64
import hmac
import json
import logging
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.authz import Actor, Permission
from kpass_vc.crypto.sealing import seal, unseal
from kpass_vc.environment import Environment
from kpass_vc.errors import FieldError, InvalidInput, NotFetched, NotFound
from kpass_vc.fetch import plain_https
from kpass_vc.model.changes import CHANGES, event_of
from kpass_vc.records import audit as audits
from kpass_vc.records import webhook as records
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.webhook import Webhook

_log: Final = logging.getLogger("kpass")
EVENTS: Final = {event_of(action): action for action in CHANGES}
PAUSES: Final = (10, 60, 300, 1800, 7200, 21600)
"""Seconds to wait after so many failures in a row; the last one from then on."""
LEASE: Final = timedelta(minutes=2)
AT_ONCE: Final = 100
"""Events that one receiver is sent before the others have their turn."""
SPELL: Final = timedelta(seconds=30)
"""How long one receiver is sent to before the others have their turn: well within the lease, however slow it is."""


class WebhookOrder(BaseModel):
    """Where to send events, and which."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: Annotated[str, Field(max_length=1000)]
    events: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=30)] = []
    """All, if left out."""


class ReplayOrder(BaseModel):
    """From where to send again."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    since: Annotated[int, Field(ge=0, le=2**53)]
    """From the event after this number of the change feed."""


def add_webhook(
    env: Environment, session: Session, actor: Actor, order: WebhookOrder
) -> tuple[Webhook, str]:
    """The webhook, and its secret, which is shown this once. It is told of what happens from now on."""
    actor.require(Permission.WEBHOOKS_WRITE)
    try:
        plain_https(order.url)
    except NotFetched as error:
        raise InvalidInput(FieldError("/url", "https_url")) from error
    for number, event in enumerate(order.events):
        if event not in EVENTS:
            expected = ", ".join(sorted(EVENTS))
            raise InvalidInput(FieldError(f"/events/{number}", "enum", expected=expected))
    organization_id = actor.own_organization()
    held = audits.chain(session, organization_id=organization_id)
    secret = base64.b64encode(env.entropy(32)).decode()
    webhook_id = env.new_id()
    row = Webhook(
        id=webhook_id,
        organization_id=organization_id,
        url=order.url,
        sealed_secret=seal(env.contact_key, secret, env.entropy(12), about=webhook_id),
        events=[EVENTS[event] for event in dict.fromkeys(order.events)],
        position=held.length if held else 0,
        failures=0,
        next_at=env.now(),
        created_at=env.now(),
    )
    session.add(row)
    session.flush()
    audit(env, session, actor, "webhook.added", row.id, organization_id=organization_id)
    return row, f"whsec_{secret}"


def own_webhooks(session: Session, actor: Actor) -> list[Webhook]:
    """The webhooks of the actor's organisation that have not ended, newest first."""
    actor.require(Permission.WEBHOOKS_WRITE)
    return records.of_organization(session, organization_id=actor.own_organization())


def end_webhook(env: Environment, session: Session, actor: Actor, webhook_id: str) -> None:
    """Tell it nothing any more."""
    row = own_webhook(session, actor, webhook_id)
    row.ended_at = env.now()
    audit(env, session, actor, "webhook.ended", row.id, organization_id=row.organization_id)


def replay(
    env: Environment, session: Session, actor: Actor, webhook_id: str, order: ReplayOrder
) -> Webhook:
    """The webhook, which is told once more of everything since a number."""
    row = own_webhook(session, actor, webhook_id)
    row.position, row.failures, row.next_at = order.since, 0, env.now()
    audit(
        env,
        session,
        actor,
        "webhook.replayed",
        row.id,
        organization_id=row.organization_id,
        since=str(order.since),
    )
    return row


def own_webhook(session: Session, actor: Actor, webhook_id: str) -> Webhook:
    """A webhook of the actor's organisation, else NotFound."""
    actor.require(Permission.WEBHOOKS_WRITE)
    row = records.by_id(session, organization_id=actor.own_organization(), webhook_id=webhook_id)
    if row is None:
        raise NotFound("webhook", webhook=webhook_id)
    return row


def tell(env: Environment) -> int:
    """Send what is due to every receiver; says how many events were taken.

    While one is sent to, its row says when another worker may try: no session is held meanwhile.
    """
    now = env.now()
    with env.writing() as session, session.begin():
        found = records.due(session, now)
        for row in found:
            row.next_at = now + LEASE
    return sum(_told(env, row) for row in found)


def _told(env: Environment, row: Webhook) -> int:
    """What is wrong with one webhook keeps no other from its events; it is looked at again after the lease."""
    try:
        return _tell(env, row)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are told
        _log.exception("the webhook %s waits: %s", row.id, type(error).__name__)
        return 0


def _tell(env: Environment, row: Webhook) -> int:
    until = env.now() + SPELL
    secret = base64.b64decode(unseal(env.contact_key, row.sealed_secret, about=row.id))
    with env.reading() as session:
        page = audits.after(
            session, organization_id=row.organization_id, number=row.position, limit=1000
        )
    taken, position, problem = 0, row.position, None
    for entry in page:
        wanted = entry.action in (row.events or CHANGES)
        if wanted and (taken == AT_ONCE or env.now() >= until):
            break
        if wanted:
            try:
                _send(env, row, secret, entry)
            except NotFetched as error:
                problem = error
                break
            taken += 1
        position = entry.number or position
    _note(env, row, position, problem)
    return taken


def _send(env: Environment, row: Webhook, secret: bytes, entry: AuditEntry) -> None:
    body = json.dumps(
        {
            "type": event_of(entry.action),
            "timestamp": entry.at.isoformat(),
            "number": entry.number,
            "data": {"id": entry.subject, **entry.details},
        }
    ).encode()
    event_id, moment = f"{row.id}-{entry.number}", int(env.now().timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{signature(secret, event_id, moment, body)}",
    }
    env.fetcher.post(row.url, body, headers)


def signature(secret: bytes, event_id: str, moment: int, body: bytes) -> str:
    """The signature of one event, in base64."""
    signed = f"{event_id}.{moment}.".encode() + body
    return base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def _note(env: Environment, row: Webhook, position: int, problem: NotFetched | None) -> None:
    with env.writing() as session, session.begin():
        held = records.by_id(session, organization_id=row.organization_id, webhook_id=row.id)
        if held is None:
            return
        if held.position == row.position:  # nobody asked for a replay meanwhile
            held.position = position
        held.failures = held.failures + 1 if problem else 0
        held.last_error = f"{problem.code}.{problem.rule}" if problem else None
        held.next_at = _next(env.now(), held.failures)


def _next(now: datetime, failures: int) -> datetime:
    if not failures:
        return now
    return now + timedelta(seconds=PAUSES[min(failures, len(PAUSES)) - 1])
