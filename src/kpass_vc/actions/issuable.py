"""What an organisation may issue now: its own definitions that name it, and others' that it is authorised for."""

from sqlalchemy.orm import Session

from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import organization as organizations
from kpass_vc.records.definition import Found


def issuable(env: Environment, session: Session, actor: Actor) -> list[Found]:
    """The published versions, one's own first, then by owner and code; accepts no offer."""
    actor.require(Permission.CREDENTIALS_ISSUE)
    issuer = organizations.by_id(session, actor.own_organization())
    if issuer is None:
        return []
    now = env.now()
    rights = [
        row
        for row in delegations.of_organization(session, organization_id=issuer.id)
        if row.issuer_id == issuer.id
        and row.state in {"offered", "active"}
        and row.valid_from <= now
        and (row.valid_until is None or now <= row.valid_until)
    ]

    def may(found: Found) -> bool:
        version, line, owner = found
        if owner.id == issuer.id:
            return issuer.slug in version.authorised_issuers
        return any(row.organization_id == owner.id and row.covers(line.code) for row in rights)

    found = [each for each in definitions.every_published(session) if may(each)]
    return sorted(found, key=lambda each: (each[2].id != issuer.id, each[2].slug, each[1].code))
