"""Close the service for good: nothing is issued or revoked any more, and its lists are signed as final."""

from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.publish_status import sign_list
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.service import the_service

FINAL: Final = timedelta(days=36_525)
"""A hundred years: nobody will sign them again."""


def close_lists(env: Environment, session: Session, actor: Actor) -> int:
    """Say that the service has ended, and sign every list as final; says how many. May be done again."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    service = the_service(session, for_update=True)
    if service is None:
        raise NotFound("organization")
    count = 0
    for owner in organizations.every(session):
        for row, publication in status_lists.every(session, organization_id=owner.id):
            sign_list(env, session, row, owner, publication, valid_for=FINAL)
            count += 1
    if service.sunset_at is None:
        service.sunset_at = env.now()
        audit(env, session, actor, "service.sunset", env.addresses.base, organization_id=None)
    session.flush()
    return count
