"""Correct a credential in one step: a new one that names the old, the old one revoked, its links leading to the new.

A correction awards nothing anew: it says rightly what was achieved, against what was
defined then. So it stays under the version of the definition that the old one was issued
under, superseded, retired or overdue for review as that may be. But it is signed today:
who is not authorised to issue the definition any more corrects nothing, only revokes.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.issue import (
    Channel,
    EvidenceOrder,
    HolderOrder,
    Issued,
    IssueOrder,
    Parts,
    Presented,
    Replaced,
    issue,
)
from kpass_vc.actions.notify import withdraw_notices
from kpass_vc.actions.parts import Handed, presented_parts
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.model.dates import Day
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.records import share_link as share_links
from kpass_vc.records.award import Representation


class CorrectionOrder(BaseModel):
    """What the credential should have said, whole; what is left out of it stands in it no more."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    holder: HolderOrder
    assessed_on: Annotated[Day, Field(alias="assessedOn")]
    evidence: Annotated[list[EvidenceOrder], Field(max_length=10)] = []
    parts: Parts = []
    """Ids of credentials of the learner that the definition demands, beside those the issuer knows of itself."""
    presented: Presented = []
    """Credentials of the learner that the definition demands, from any issuer, as they are; each is verified."""
    valid_until: Annotated[Day | None, Field(alias="validUntil")] = None
    reason: Literal["wrong_holder", "wrong_details", "issued_in_error"] = "wrong_details"


def correct(
    env: Environment,
    session: Session,
    actor: Actor,
    award_id: str,
    order: CorrectionOrder,
    *,
    channel: Channel = "api",
) -> Issued:
    """The new award; the learner is told once. Conflict if the old one is revoked already.

    It has the languages of the old one, its reference, its version of the definition, and the approvals of
    that version's reviewers if the old one carries them. Forbidden if the issuer may not issue it any more.
    Where the old one was somebody else's, that person is told that it is revoked, and neither their links
    nor their address lead to the new one.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    actor.require(Permission.CREDENTIALS_REVOKE)
    holder_id, name = order.holder.id, order.holder.name
    handed = Handed(holder_id, name, order.parts, order.presented, is_test=actor.is_test)
    presented = presented_parts(env, handed)
    old = awards.by_id(
        session,
        organization_id=actor.own_organization(),
        award_id=award_id,
        tests_only=actor.is_test,
        for_update=True,
    )
    found = definitions.by_id(session, old.definition_version_id) if old else None
    if old is None or found is None or old.erased_at is not None:
        raise NotFound("credential", credential=award_id)
    if old.state == "revoked":
        raise Conflict("revoked_for_ever", credential=old.id)
    forms = awards.representations(session, award_id=old.id)
    change_status(
        env,
        session,
        actor,
        old.id,
        StatusOrder(status="revoked", reason=order.reason),
        tell=order.reason == "wrong_holder",
    )
    if not old.was_anothers:
        withdraw_notices(session, old)
    session.flush()
    given = order.model_dump(mode="json", by_alias=True, exclude={"reason"}, exclude_none=True)
    wanted = IssueOrder.model_validate(
        {
            **given,
            "definition": str(found[0].document_url),
            "languages": list(dict.fromkeys(row.language for row in forms)),
            "externalReference": old.external_reference,
            "endorsements": _carries_endorsements(forms),
        }
    )
    replaced = Replaced(old, found, presented)
    made = issue(env, session, actor, wanted, channel=channel, replaces=replaced)
    if not old.was_anothers:
        for link in share_links.of_award(session, award_id=old.id):
            link.award_id = made.award.id
    batches.corrected(
        session, organization_id=old.organization_id, old_id=old.id, new_id=made.award.id
    )
    session.flush()
    audit(
        env,
        session,
        actor,
        "credential.corrected",
        old.id,
        organization_id=old.organization_id,
        replacement=made.award.id,
        reason=order.reason,
    )
    return made


def _carries_endorsements(forms: Sequence[Representation]) -> bool:
    """Whether a credential was issued with the approvals in it."""
    return any("endorsement" in json.loads(row.body) for row in forms if row.format == "ldp_vc")


def definition_of(env: Environment, actor: Actor, award_id: str) -> str:
    """The address of the definition that a correction would be issued of; "" if there is no such credential."""
    actor.require(Permission.CREDENTIALS_ISSUE)
    actor.require(Permission.CREDENTIALS_REVOKE)
    with env.reading() as session:
        old = awards.by_id(
            session,
            organization_id=actor.own_organization(),
            award_id=award_id,
            tests_only=actor.is_test,
        )
        found = definitions.by_id(session, old.definition_version_id) if old else None
        return str(found[0].document_url) if found else ""
