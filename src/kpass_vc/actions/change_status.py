"""Revoke, suspend or reinstate a credential.

The bit is set and the list signed anew in the same transaction, so that after
the answer every read of the list shows it. Revoked never clears.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.publish_status import put_bit
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.records import award as awards
from kpass_vc.records.award import Award
from kpass_vc.records.status_list import StatusList

Reason = Literal[
    "issued_in_error",
    "wrong_holder",
    "wrong_details",
    "assessment_annulled",
    "fraud",
    "holder_request",
    "under_investigation",
    "investigation_closed",
    "other",
]


class StatusOrder(BaseModel):
    """What a credential's status shall be, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    status: Annotated[Literal["revoked", "suspended", "active"], Field()]
    reason: Reason


def change_status(
    env: Environment, session: Session, actor: Actor, award_id: str, order: StatusOrder
) -> Award:
    """The award with its new status; asking for the status it has changes nothing.

    Conflict if it is revoked already, or the definition does not let it be suspended.
    """
    actor.require(Permission.CREDENTIALS_REVOKE)
    award = awards.by_id(
        session, organization_id=actor.own_organization(), award_id=award_id, for_update=True
    )
    if award is None:
        raise NotFound("credential", credential=award_id)
    if award.state == order.status:
        return award
    if award.state == "revoked":
        raise Conflict("revoked_for_ever", credential=award.id)
    status_list = session.get_one(StatusList, award.status_list_id)
    if order.status == "suspended" and status_list.purpose != "suspension":
        raise Conflict("not_suspendable", credential=award.id)
    put_bit(env, session, status_list, award.status_index, value=order.status != "active")
    award.state, award.reason, award.status_changed_at = order.status, order.reason, env.now()
    audit(
        env,
        session,
        actor,
        f"credential.{order.status}",
        award.id,
        organization_id=award.organization_id,
        reason=order.reason,
    )
    return award
