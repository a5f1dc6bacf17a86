"""Revoke, suspend or reinstate a credential.

The bit is set and the list signed anew in the same transaction, so that after
the answer every read of the list shows it. Revoked never clears.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.notify import Kind, notify
from kpass_vc.actions.publish_status import coalescing, put_bit
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
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


_KINDS: Final[Mapping[str, Kind]] = {
    "revoked": "revoked",
    "suspended": "suspended",
    "active": "reinstated",
}


class StatusOrder(BaseModel):
    """What a credential's status shall be, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    status: Annotated[Literal["revoked", "suspended", "active"], Field()]
    reason: Reason


def change_status(
    env: Environment,
    session: Session,
    actor: Actor,
    award_id: str,
    order: StatusOrder,
    *,
    tell: bool = True,
) -> Award:
    """The award with its new status; asking for the status it has changes nothing.

    The learner is told, unless `tell` says no. Conflict if it is revoked already, or the definition does
    not let it be suspended.
    """
    actor.require(Permission.CREDENTIALS_REVOKE)
    award = awards.by_id(
        session,
        organization_id=actor.own_organization(),
        award_id=award_id,
        tests_only=actor.is_test,
        for_update=True,
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
    if order.status == "revoked":
        batches.no_longer_issued(
            session, organization_id=award.organization_id, award_ids=[award.id]
        )
    audit(
        env,
        session,
        actor,
        f"credential.{order.status}",
        award.id,
        organization_id=award.organization_id,
        reason=order.reason,
    )
    if tell:
        notify(env, session, award, _KINDS[order.status])
    return award


def revoke_together(
    env: Environment, session: Session, actor: Actor, award_ids: Sequence[str], reason: str
) -> None:
    """Revoke many awards of the actor's organisation, each list signed anew once; what is revoked stays so."""
    actor.require(Permission.CREDENTIALS_REVOKE)
    organization_id = actor.own_organization()
    now = env.now()
    with coalescing(env, session):
        for award_id in sorted(award_ids):
            award = awards.by_id(
                session, organization_id=organization_id, award_id=award_id, for_update=True
            )
            if award is None or award.state == "revoked":
                continue
            award.state, award.reason, award.status_changed_at = "revoked", reason, now
            status_list = session.get_one(StatusList, award.status_list_id)
            put_bit(env, session, status_list, award.status_index, value=True)
            audit(
                env,
                session,
                actor,
                "credential.revoked",
                award.id,
                organization_id=organization_id,
                reason=reason,
            )
            notify(env, session, award, "revoked")


def revoke_several(
    env: Environment, session: Session, actor: Actor, award_ids: Sequence[str], reason: Reason
) -> int:
    """How many are revoked now that were not, of some that were chosen; NotFound if one of them is none of ours."""
    actor.require(Permission.CREDENTIALS_REVOKE)
    organization_id = actor.own_organization()
    wanted = []
    for award_id in dict.fromkeys(award_ids):
        award = awards.by_id(
            session,
            organization_id=organization_id,
            award_id=award_id,
            tests_only=actor.is_test,
        )
        if award is None:
            raise NotFound("credential", credential=award_id)
        if award.state != "revoked":
            wanted.append(award.id)
    revoke_together(env, session, actor, wanted, reason)
    batches.no_longer_issued(session, organization_id=organization_id, award_ids=wanted)
    return len(wanted)
