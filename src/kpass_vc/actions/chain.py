"""Give audit entries their places in the chain of their organisation, and sign its head once a day.

One writer per organisation at a time: the chain's row is held. A transaction that
commits late gets a later number, so that who has read up to a number misses nothing.
"""

import hashlib
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc.actions.sign import secure
from kpass_vc.compose.credential import CONTEXTS
from kpass_vc.crypto.jcs import canonical_json
from kpass_vc.environment import Environment
from kpass_vc.errors import Unavailable
from kpass_vc.formats import FORMATS
from kpass_vc.language import say
from kpass_vc.model.dates import STOCKHOLM, utc_text
from kpass_vc.model.document import JsonObject
from kpass_vc.records import audit as audits
from kpass_vc.records import organization as organizations
from kpass_vc.records.audit import AuditEntry, AuditHead, Unchained
from kpass_vc.records.organization import Organization

START: Final = "0" * 64
"""What the first entry follows."""
PAGE: Final = 500
HEAD: Final = "AuditHead"
LENGTH: Final = "auditLength"
END: Final = "auditHead"
"""What a signed head is, and what its members are called, in our vocabulary."""


def chain_all(env: Environment) -> int:
    """Chain whatever waits, of every organisation and of the operator; sign the heads of the day. Says how many."""
    with env.reading() as session:
        waiting = audits.waiting(session)
    total = 0
    for organization_id in waiting:
        total += chain_audit(env, organization_id)
    with env.reading() as session:
        unsigned = audits.unsigned(session, day=_today(env))
    for organization_id in unsigned:
        sign_head(env, organization_id)
    return total


def chain_audit(env: Environment, organization_id: str | None) -> int:
    """Chain what waits of one organisation, a page in each transaction; says how many entries that were."""
    total = 0
    while True:
        with env.writing() as session, session.begin():
            done = _chain_page(session, organization_id)
        total += done
        if done < PAGE:
            return total


def entry_hash(before: str, number: int, entry: AuditEntry | Unchained) -> str:
    """SHA-256 over the hash of the entry before, a line feed, and the entry in its canonical JSON (RFC 8785).

    The entry as `GET /v1/audit` shows it, with the organisation's id and without its hash; the first one
    follows sixty-four zeros.
    """
    document: JsonObject = {
        "number": number,
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "organization": entry.organization_id or "",
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": dict(entry.details),
    }
    return hashlib.sha256(before.encode() + b"\n" + canonical_json(document).encode()).hexdigest()


def sign_head(env: Environment, organization_id: str) -> AuditHead | None:
    """What the chain ends with today, signed by its organisation: once a day, and only if there is more than last."""
    with env.writing() as session, session.begin():
        owner = organizations.by_id(session, organization_id)
        held = audits.hold_chain(session, organization_id=organization_id, start=START)
        last = audits.last_head(session, organization_id=organization_id)
        day = _today(env)
        known = last is not None and (last.day >= day or last.length == held.length)
        if owner is None or owner.is_elsewhere or known or not held.length:
            return last
        try:
            body = _head(env, session, owner, held.length, held.head, day)
        except Unavailable:
            return last  # no active key: the next day has one
        row = AuditHead(
            organization_id=organization_id,
            day=day,
            length=held.length,
            head=held.head,
            body=body,
        )
        session.add(row)
        return row


def _today(env: Environment) -> date:
    return env.now().astimezone(STOCKHOLM).date()


def _chain_page(session: Session, organization_id: str | None) -> int:
    held = audits.hold_chain(session, organization_id=organization_id, start=START)
    page = audits.unchained(session, organization_id=organization_id, limit=PAGE)
    placed: dict[int, tuple[int, str]] = {}
    for entry in page:
        held.length += 1
        held.head = entry_hash(held.head, held.length, entry)
        placed[entry.id] = held.length, held.head
    session.flush()
    audits.place(session, placed)
    return len(page)


def _head(
    env: Environment, session: Session, owner: Organization, length: int, head: str, day: date
) -> bytes:
    now = env.now()
    document: JsonObject = {
        "@context": list(CONTEXTS),
        "id": env.addresses.audit_head(owner.slug, day.isoformat()),
        "type": ["VerifiableCredential", "EndorsementCredential", f"{env.vocabulary}{HEAD}"],
        "name": say("sv", "audit.head.name", day=day.isoformat()),
        "issuer": {"id": owner.did, "type": ["Profile"], "name": owner.name_sv},
        "validFrom": utc_text(now),
        "credentialSubject": {
            "id": owner.did,
            "type": ["EndorsementSubject"],
            "endorsementComment": say("sv", "audit.head.comment", length=length, head=head),
            f"{env.vocabulary}{LENGTH}": length,
            f"{env.vocabulary}{END}": head,
        },
    }
    return secure(env, session, owner, FORMATS["ldp_vc"], document, now).body
