"""Correct a credential in one step: a new one that names the old, the old one revoked, its links leading to the new.

A correction awards nothing anew: it says rightly what was achieved, against what was
defined then. So it stays under the version of the definition that the old one was issued
under, superseded, retired or overdue for review as that may be. But it is signed today:
who is not authorised to issue the definition any more corrects nothing, only revokes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.define import source_of
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
from kpass_vc.model.dates import STOCKHOLM, Day, plus_duration
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.records import share_link as share_links
from kpass_vc.records.award import Award, Representation

_MEMBERS: Final = ("name", "narrative", "genre")


@dataclass(frozen=True)
class Ordered:
    """What a credential was ordered with, as far as it is kept: what a form to correct it begins with."""

    evidence: tuple[dict[str, str], ...]
    """By the members of EvidenceOrder, without what is a part of it."""
    parts: tuple[str, ...]
    """The ids of the parts that the issuer does not know of itself."""
    valid_until: date | None
    """The last day, where it is another than the definition gives."""
    has_email: bool
    """Whether the learner's e-mail address stands in it, hashed; nobody knows it any more."""


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


def as_ordered(session: Session, award: Award) -> Ordered:
    """What an award was ordered with, read from what was signed; check first whose it is, and that it is not erased."""
    forms = awards.representations(session, award_id=award.id)
    body = next(json.loads(row.body) for row in forms if row.format == "ldp_vc")
    found = definitions.by_id(session, award.definition_version_id)
    pieces = [(piece, len(piece["type"]) > 1) for piece in body.get("evidence", [])]
    duration = found and source_of(found[0]).validity
    given = (
        plus_duration(award.assessed_on, duration.duration)
        if duration and duration.duration
        else None
    )
    last = award.valid_until.astimezone(STOCKHOLM).date() if award.valid_until else None
    return Ordered(
        evidence=tuple(
            {
                **{name: piece[name] for name in _MEMBERS if name in piece},
                **({"url": piece["id"]} if "id" in piece else {}),
            }
            for piece, is_part in pieces
            if not is_part
        ),
        parts=tuple(
            piece["id"]
            for piece, is_part in pieces
            if is_part and award.learner_id is None and "id" in piece
        ),
        valid_until=last if last != given else None,
        has_email=any(
            entry["identityType"] == "emailAddress"
            for entry in body["credentialSubject"].get("identifier", [])
        ),
    )


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
