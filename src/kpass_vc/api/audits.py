"""What was done: an organisation's audit entries in their chain, the signed head of each day, and the change feed."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from kpass_vc.actions.chain import chain_audit
from kpass_vc.authz import Actor, Permission
from kpass_vc.edge import REVALIDATE, CurrentActor, Env, Limit, ReadTx, served
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.model.changes import CHANGES
from kpass_vc.records import audit as audits
from kpass_vc.records import organization as organizations
from kpass_vc.records.audit import AuditEntry

router = APIRouter(tags=["Audit"])

_PAGE = 1000


class EntryReply(BaseModel):
    """One thing that was done, in its place in the chain."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, str]
    hash: str


class EntryList(BaseModel):
    """Entries in order."""

    organization: str
    """The organisation's id, which is hashed with every entry."""
    entries: list[EntryReply]
    length: int
    """How long the chain is."""
    head: str
    """The hash of its last entry."""


class ChangeReply(BaseModel):
    """One change: of what, what became of it, and its id."""

    number: int
    at: datetime
    type: str
    """credential, definition, delegation or batch."""
    change: str
    id: str
    details: dict[str, str]


class ChangeList(BaseModel):
    """Changes in order."""

    changes: list[ChangeReply]
    next: int
    """What to ask for since next time."""
    more: bool
    """Whether there are more already."""


Since = Annotated[int, Query(ge=0, le=2**53, description="From the entry after this number.")]


@router.get("/v1/audit", summary="What was done in your organisation")
def get_audit(actor: CurrentActor, env: Env, since: Since = 0, limit: Limit = 100) -> EntryList:
    """In the order of the chain: each hash covers the entry and the one before it.

    `hash` is SHA-256 over the hash of the entry before (sixty-four zeros before the first), a line feed, and
    the canonical JSON (RFC 8785) of the entry without its `hash` and with `organization`.
    """
    actor.require(Permission.AUDIT_READ)
    found, length, head = _read(env, actor, since, limit)
    return EntryList(
        organization=actor.own_organization(),
        entries=[
            EntryReply(
                number=entry.number or 0,
                at=entry.at,
                actor=entry.actor,
                action=entry.action,
                subject=entry.subject,
                details=entry.details,
                hash=entry.entry_hash or "",
            )
            for entry in found
        ],
        length=length,
        head=head,
    )


@router.get("/v1/changes", summary="What has changed since")
def get_changes(actor: CurrentActor, env: Env, since: Since = 0, limit: Limit = 100) -> ChangeList:
    """Credentials, definitions, delegations and batches of your organisation; ask again with `next`.

    A number is given after the commit and in order, so that what was read up to one is all there is up to it.
    """
    actor.require(Permission.CREDENTIALS_READ)
    changes: list[ChangeReply] = []
    at = since
    more = False
    while len(changes) < limit:
        page, length, _ = _read(env, actor, at, _PAGE)
        for entry in page:
            if len(changes) == limit:
                break
            at = entry.number or at
            if entry.action in CHANGES:
                changes.append(_change(entry))
        more = at < length
        if not more or not page:
            break
    return ChangeList(changes=changes, next=at, more=more)


@router.head("/o/{slug}/audit/{day}.json", include_in_schema=False)
@router.get("/o/{slug}/audit/{day}.json", summary="The signed head of a day")
def get_head(slug: str, day: str, request: Request, session: ReadTx) -> Response:
    """What the organisation's audit chain ended with, signed by it. Public; it says nothing of what was done."""
    owner = organizations.by_slug(session, slug)
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        wanted = date.min
    row = audits.head_of_day(session, organization_id=owner.id, day=wanted) if owner else None
    if row is None:
        raise NotFound("audit_head", day=day)
    return served(request, row.body, "application/vc+ld+json", REVALIDATE)


def _read(
    env: Environment, actor: Actor, since: int, limit: int
) -> tuple[list[AuditEntry], int, str]:
    organization_id = actor.own_organization()
    chain_audit(env, organization_id)
    with env.reading() as session:
        found = audits.after(session, organization_id=organization_id, number=since, limit=limit)
        held = audits.chain(session, organization_id=organization_id)
    return found, held.length if held else 0, held.head if held else ""


def _change(entry: AuditEntry) -> ChangeReply:
    return ChangeReply(
        number=entry.number or 0,
        at=entry.at,
        type=entry.action.partition(".")[0],
        change=CHANGES[entry.action],
        id=entry.subject,
        details=entry.details,
    )
