"""Review a definition version: hand it in, remark on it, approve it or ask for changes.

Nobody approves what they have written in. An approval is signed in the name of the
reviewer's organisation over the very document that will be published, so that a
version that was changed afterwards is not the one that was approved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.define import source_of
from kpass_vc.actions.publish import document_of, latest_published, missing, own_version
from kpass_vc.actions.sign import secure
from kpass_vc.authz import Actor, Permission
from kpass_vc.compose.approval import approval
from kpass_vc.compose.definition import Owner, digest_sri
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    DefinitionIncomplete,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
)
from kpass_vc.formats import FORMATS
from kpass_vc.model.personal_numbers import holds_personal_number
from kpass_vc.model.text import written
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records import review as reviews
from kpass_vc.records.definition import DefinitionVersion, Found
from kpass_vc.records.organization import Organization
from kpass_vc.records.review import Review, ReviewComment, ReviewRequest
from kpass_vc.versioning import Change, changes

_Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(written)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class SubmitOrder(_Message):
    """Who is asked to review, beside the owner's own reviewers."""

    reviewers: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=10)] = []
    """Slugs of organisations."""


class DecisionOrder(_Message):
    """What a reviewer says."""

    decision: Literal["approved", "changes_requested"]
    comment: _Text | None = None


class CommentOrder(_Message):
    """A remark on a version, or on one field of it."""

    field: Annotated[str, Field(max_length=300, pattern=r"^(/[^/\s]*)*$")] = ""
    text: _Text


class ReviewPolicyOrder(_Message):
    """What an owner demands before a version is published: so many from within, so many from outside.

    One internal (1), internal and external (2, of them 1 external), a panel of n. Neither stands in for the
    other: who is outside does not know the owner's house, and who is inside is not independent of it.
    """

    approvals: Annotated[int, Field(ge=0, le=9)]
    """How many must approve in all; none lets the owner publish on its own word."""
    external_approvals: Annotated[int, Field(alias="externalApprovals", ge=0, le=9)] = 0
    """How many of them must speak for another organisation; the others speak for the owner."""
    grace_days: Annotated[int, Field(alias="graceDays", ge=0, le=3650)] = 180
    """How long issuing goes on when a definition is due for review."""


@dataclass(frozen=True)
class UnderReview:
    """A version with all that was said about it, and what it changes."""

    found: Found
    reviews: Sequence[tuple[Review, Organization]]
    comments: Sequence[ReviewComment]
    asked: Sequence[Organization]
    changes: Sequence[Change]
    """Against the latest version of its line that was ever published, as publishing compares them."""


def submit(
    env: Environment, session: Session, actor: Actor, version_id: str, order: SubmitOrder
) -> Found:
    """The draft, handed in: it is not changed while it is looked at. DefinitionIncomplete lists its gaps."""
    actor.require(Permission.DEFINITIONS_WRITE)
    version, line, owner = _held(session, actor, version_id)
    if version.state != "draft":
        raise Conflict("version_is_final", version=version.version, state=version.state)
    lacks = missing(session, source_of(version), owner)
    if lacks:
        raise DefinitionIncomplete(lacks)
    known = {
        row.organization_id for row in reviews.asked(session, definition_version_id=version.id)
    }
    for number, slug in enumerate(order.reviewers):
        asked = organizations.by_slug(session, slug)
        if asked is None or asked.id == owner.id:
            raise InvalidInput(FieldError(f"/reviewers/{number}", "reviewer", reviewer=slug))
        if asked.id not in known:
            known.add(asked.id)
            session.add(
                ReviewRequest(
                    definition_version_id=version.id, organization_id=asked.id, asked_at=env.now()
                )
            )
    version.state, version.review_round = "in_review", version.review_round + 1
    session.flush()
    _note_down(env, session, actor, "definition.submitted", version, owner)
    return version, line, owner


def take_back(env: Environment, session: Session, actor: Actor, version_id: str) -> Found:
    """The version as a draft again, to be changed; what was approved of it counts no more."""
    actor.require(Permission.DEFINITIONS_WRITE)
    version, line, owner = _held(session, actor, version_id)
    if version.state not in {"in_review", "approved"}:
        raise Conflict("not_in_review", version=version.version, state=version.state)
    version.state = "draft"
    _note_down(env, session, actor, "definition.taken_back", version, owner)
    return version, line, owner


def decide(
    env: Environment, session: Session, actor: Actor, version_id: str, order: DecisionOrder
) -> UnderReview:
    """The version with one more word on it: approved when enough have, a draft again when changes are asked for.

    Forbidden for who has written in it, and for a system: a review takes a person.
    """
    actor.require(Permission.DEFINITIONS_REVIEW)
    person_id = actor.own_person()
    version, line, owner = _readable(session, actor, version_id, for_update=True)
    reviewer = organizations.by_id(session, actor.own_organization())
    if reviewer is None:
        raise NotFound("organization")
    if version.state != "in_review":
        raise Conflict("not_in_review", version=version.version, state=version.state)
    if actor.name in version.authors:
        raise Forbidden("own_work")
    said = [
        row
        for row in reviews.of_version(session, definition_version_id=version.id)
        if row.round == version.review_round
    ]
    if any(row.person_id == person_id for row in said):
        raise Conflict("reviewed_already", version=version.version)
    if order.comment is not None:
        _remark(env, session, actor, version, "", order.comment)
    row = _review(env, session, (version, line, owner), reviewer, person_id, order.decision)
    if order.decision == "changes_requested":
        version.state = "draft"
    elif _is_enough([*said, row], owner):
        version.state = "approved"
    session.flush()
    _note_down(env, session, actor, f"definition.{order.decision}", version, owner)
    if reviewer.id != owner.id:
        _note_down(env, session, actor, f"definition.{order.decision}", version, reviewer)
    return _under_review(session, (version, line, owner))


def comment(
    env: Environment, session: Session, actor: Actor, version_id: str, order: CommentOrder
) -> ReviewComment:
    """A remark on a version, by its owner's people or those who are asked to review it."""
    actor.require(Permission.DEFINITIONS_READ)
    version, _, owner = _readable(session, actor, version_id)
    made = _remark(env, session, actor, version, order.field, order.text)
    _note_down(env, session, actor, "definition.commented", version, owner)
    return made


def under_review(session: Session, actor: Actor, version_id: str) -> UnderReview:
    """A version with all that was said about it, for its owner's people and those who are asked to review it."""
    actor.require(Permission.DEFINITIONS_READ)
    return _under_review(session, _readable(session, actor, version_id))


def waiting(session: Session, actor: Actor) -> list[Found]:
    """The versions that wait for a word of the actor's organisation: its own, and those it is asked to review."""
    actor.require(Permission.DEFINITIONS_REVIEW)
    own = organizations.by_id(session, actor.own_organization())
    if own is None:
        return []
    found, _ = definitions.search(session, states=("in_review",), owner=own.slug, limit=1000)
    asked = [
        definitions.by_id(session, version_id)
        for version_id in reviews.waiting_for(session, organization_id=own.id)
    ]
    return [*found, *(each for each in asked if each is not None and each[0].state == "in_review")]


def set_policy(
    env: Environment, session: Session, actor: Actor, order: ReviewPolicyOrder
) -> Organization:
    """The owner with another policy; it holds for what is published from now on."""
    actor.require(Permission.DEFINITIONS_PUBLISH)
    actor.require(Permission.PEOPLE_WRITE)
    owner = organizations.by_id(session, actor.own_organization())
    if owner is None:
        raise NotFound("organization")
    if order.external_approvals > order.approvals:
        raise InvalidInput(FieldError("/externalApprovals", "external_approvals"))
    owner.approvals, owner.external_approvals = order.approvals, order.external_approvals
    owner.review_grace_days = order.grace_days
    audit(
        env,
        session,
        actor,
        "organization.review_policy",
        owner.slug,
        organization_id=owner.id,
        approvals=str(order.approvals),
        external=str(order.external_approvals),
    )
    return owner


def _review(
    env: Environment,
    session: Session,
    found: Found,
    reviewer: Organization,
    person_id: str,
    decision: Literal["approved", "changes_requested"],
) -> Review:
    version, line, owner = found
    source = source_of(version)
    addresses = env.addresses.definition(owner.slug, line.code, version.version)
    digest = digest_sri(document_of(env, source, owner))
    now = env.now()
    review_id = env.new_id()
    url = env.addresses.endorsement(reviewer.slug, review_id)
    row = Review(
        id=review_id,
        definition_version_id=version.id,
        round=version.review_round,
        organization_id=reviewer.id,
        person_id=person_id,
        decision=decision,
        decided_at=now,
        digest_sri=digest,
    )
    if decision == "approved":
        statement = approval(
            source,
            Owner(
                did=reviewer.did,
                names={"sv": reviewer.name_sv, "en": reviewer.name_en},
                url=reviewer.url,
            ),
            addresses,
            digest,
            url=url,
            country=reviewer.country,
            vocabulary=env.vocabulary,
            owner_name=owner.name_sv,
            now=now,
        )
        row.endorsement = secure(env, session, reviewer, FORMATS["ldp_vc"], statement, now).body
        row.endorsement_url = url
    session.add(row)
    session.flush()
    return row


def _is_enough(said: Sequence[Review], owner: Organization) -> bool:
    """Whether both the internal and the external approvals that the policy demands are there.

    Without a policy a version that is handed in takes one approval, whoever gives it.
    """
    approved = [row for row in said if row.decision == "approved"]
    if owner.approvals == 0:
        return bool(approved)
    external = sum(row.organization_id != owner.id for row in approved)
    internal = len(approved) - external
    return (
        external >= owner.external_approvals
        and internal >= owner.approvals - owner.external_approvals
    )


def _held(session: Session, actor: Actor, version_id: str) -> Found:
    found = own_version(session, actor, version_id)
    definitions.versions(session, definition_id=found[1].id, for_update=True)
    return found


def _readable(
    session: Session, actor: Actor, version_id: str, *, for_update: bool = False
) -> Found:
    """A version of the actor's organisation, or one that it is asked to review; else NotFound."""
    found = definitions.by_id(session, version_id)
    asked = reviews.asked(session, definition_version_id=version_id)
    readers = {row.organization_id for row in asked}
    if found is None or actor.own_organization() not in {found[2].id, *readers}:
        raise NotFound("definition", definition=version_id)
    if for_update:
        definitions.versions(session, definition_id=found[1].id, for_update=True)
    return found


def _remark(
    env: Environment,
    session: Session,
    actor: Actor,
    version: DefinitionVersion,
    field: str,
    text: str,
) -> ReviewComment:
    if holds_personal_number(text):
        raise InvalidInput(FieldError("/text", "personal_number"))
    row = ReviewComment(
        id=env.new_id(),
        definition_version_id=version.id,
        organization_id=actor.own_organization(),
        author=actor.name,
        field=field,
        text=text,
        written_at=env.now(),
    )
    session.add(row)
    session.flush()
    return row


def _under_review(session: Session, found: Found) -> UnderReview:
    version, line, _ = found
    rows = reviews.of_version(session, definition_version_id=version.id)
    asked = reviews.asked(session, definition_version_id=version.id)
    before = latest_published(definitions.versions(session, definition_id=line.id))
    differences = (
        changes(source_of(before), source_of(version))
        if before is not None and before.id != version.id
        else []
    )
    parties = {
        each: session.get_one(Organization, each)
        for each in {
            *(row.organization_id for row in rows),
            *(row.organization_id for row in asked),
        }
    }
    return UnderReview(
        found,
        tuple((row, parties[row.organization_id]) for row in rows),
        tuple(reviews.comments(session, definition_version_id=version.id)),
        tuple(parties[row.organization_id] for row in asked),
        tuple(differences),
    )


def _note_down(
    env: Environment,
    session: Session,
    actor: Actor,
    action: str,
    version: DefinitionVersion,
    organization: Organization,
) -> None:
    audit(env, session, actor, action, version.id, organization_id=organization.id)
