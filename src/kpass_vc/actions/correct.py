"""Correct a credential in one step: a new one that names the old, the old one revoked, its links leading to the new."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.issue import Channel, EvidenceOrder, HolderOrder, Issued, IssueOrder, issue
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.model.dates import Day
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import share_link as share_links
from kpass_vc.records.definition import Found


class CorrectionOrder(BaseModel):
    """What the credential should have said, whole; what is left out of it stands in it no more."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    holder: HolderOrder
    assessed_on: Annotated[Day, Field(alias="assessedOn")]
    evidence: Annotated[list[EvidenceOrder], Field(max_length=10)] = []
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

    It has the languages of the old one, its reference, and the definition as it is published now.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    actor.require(Permission.CREDENTIALS_REVOKE)
    old = awards.by_id(
        session,
        organization_id=actor.own_organization(),
        award_id=award_id,
        tests_only=actor.is_test,
        for_update=True,
    )
    found = definitions.by_id(session, old.definition_version_id) if old else None
    if old is None or found is None:
        raise NotFound("credential", credential=award_id)
    if old.state == "revoked":
        raise Conflict("revoked_for_ever", credential=old.id)
    languages = dict.fromkeys(
        row.language for row in awards.representations(session, award_id=old.id)
    )
    change_status(
        env,
        session,
        actor,
        old.id,
        StatusOrder(status="revoked", reason=order.reason),
        tell=False,
    )
    session.flush()
    given = order.model_dump(mode="json", by_alias=True, exclude={"reason"}, exclude_none=True)
    wanted = IssueOrder.model_validate(
        {
            **given,
            "definition": _as_published_now(session, found),
            "languages": list(languages),
            "externalReference": old.external_reference,
        }
    )
    made = issue(env, session, actor, wanted, channel=channel, replaces=old)
    for link in share_links.of_award(session, award_id=old.id):
        link.award_id = made.award.id
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
        return _as_published_now(session, found) if found else ""


def _as_published_now(session: Session, found: Found) -> str:
    """The reference of a line: of an owner elsewhere, the address of its version that is published now."""
    version, line, owner = found
    if not owner.is_elsewhere:
        return f"{owner.slug}/{line.code}"
    siblings = definitions.versions(session, definition_id=line.id)
    present = next((each for each in siblings if each.state == "published"), version)
    return str(present.document_url)
