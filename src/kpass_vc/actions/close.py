"""Close the service for good: nothing is issued or revoked any more, and its lists are signed as final."""

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.confirm import sign_confirmed
from kpass_vc.actions.publish_status import sign_list
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound, Unavailable
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.service import the_service


def close_lists(env: Environment, session: Session, actor: Actor) -> int:
    """Say that the service has ended, and sign every status list as final; says how many. May be done again.

    So is the operator's list of confirmed organisations: from now on all of them are good for a hundred years.
    """
    actor.require(Permission.ORGANIZATIONS_WRITE)
    service = the_service(session, for_update=True)
    if service is None:
        raise NotFound("organization")
    if service.sunset_at is None:
        service.sunset_at = env.now()
        audit(env, session, actor, "service.sunset", env.addresses.base, organization_id=None)
    session.flush()
    count = 0
    for owner in organizations.every(session):
        for row, publication in status_lists.every(
            session, organization_id=owner.id, for_update=True
        ):
            try:
                sign_list(env, session, row, owner, publication)
            except Unavailable as error:
                if error.rule != "no_active_key":
                    raise
                continue  # of a DID whose key was withdrawn: it runs out as it is
            count += 1
    sign_confirmed(env, session)
    session.flush()
    return count
