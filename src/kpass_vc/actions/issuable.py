"""What an organisation may issue now: its own definitions that name it, and others' that it is authorised for."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from kpass_vc.actions.delegate import room
from kpass_vc.actions.issue import find_definition, require_reviewed
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, Forbidden, NotFound
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import organization as organizations
from kpass_vc.records.definition import Found
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.organization import Organization


def issuable(env: Environment, session: Session, actor: Actor) -> list[Found]:
    """The published versions, one's own first, then by owner and code; accepts no offer."""
    actor.require(Permission.CREDENTIALS_ISSUE)
    issuer = organizations.by_id(session, actor.own_organization())
    if issuer is None:
        return []
    rights = _rights(env, session, issuer)
    found = [each for each in definitions.every_published(session) if _may(issuer, each, rights)]
    return sorted(found, key=lambda each: (each[2].id != issuer.id, each[2].slug, each[1].code))


def require_issuable(
    env: Environment, session: Session, actor: Actor, reference: str
) -> int | None:
    """How many may be issued of a definition, None if its owner set no bound; accepts no offer.

    NotFound, Conflict or Forbidden say why none may: there is no such definition in force, its review is overdue,
    its owner has not let the actor's organisation issue it, or what the owner allowed is used up.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    issuer = organizations.by_id(session, actor.own_organization())
    if issuer is None:
        raise NotFound("organization")
    found = find_definition(env, session, issuer, reference)
    version, line, owner = found
    require_reviewed(env, version, owner)
    rights = _rights(env, session, issuer)
    if not _may(issuer, found, rights):
        raise Forbidden(
            "not_authorised_issuer", definition=str(version.document_url), issuer=issuer.slug
        )
    if owner.id == issuer.id:
        return None
    held = _covering(rights, owner, line.code)
    rooms = [room(session, row) for row in held if row.issuer_did == issuer.did] or [
        room(session, row) for row in held
    ]
    bounds = [each for each in rooms if each is not None]
    if len(bounds) < len(rooms):
        return None
    if not sum(bounds):
        raise Conflict("quota_used", quota=held[0].quota, field="/definition")
    return sum(bounds)


def _rights(env: Environment, session: Session, issuer: Organization) -> list[Delegation]:
    now = env.now()
    return [
        row
        for row in delegations.of_organization(session, organization_id=issuer.id)
        if row.issuer_id == issuer.id
        and row.state in {"offered", "active"}
        and row.valid_from <= now
        and (row.valid_until is None or now <= row.valid_until)
    ]


def _covering(rights: Sequence[Delegation], owner: Organization, code: str) -> list[Delegation]:
    return [row for row in rights if row.organization_id == owner.id and row.covers(code)]


def _may(issuer: Organization, found: Found, rights: Sequence[Delegation]) -> bool:
    version, line, owner = found
    if owner.id == issuer.id:
        return issuer.slug in version.authorised_issuers
    return bool(_covering(rights, owner, line.code))
