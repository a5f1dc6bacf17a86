"""Reviews: hand a definition version in, remark on it, approve it or ask for changes; what an owner demands."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from kpass_vc.actions.review import (
    CommentOrder,
    DecisionOrder,
    ReviewPolicyOrder,
    SubmitOrder,
    UnderReview,
    comment,
    decide,
    set_policy,
    submit,
    take_back,
    under_review,
    waiting,
)
from kpass_vc.api.definitions import DefinitionReply, reply
from kpass_vc.edge import (
    REVALIDATE,
    CurrentActor,
    Env,
    PublishedVersion,
    ReadTx,
    WriteTx,
    accepts,
    message,
    served,
)
from kpass_vc.errors import NotFound
from kpass_vc.records import definition as definitions
from kpass_vc.records import review as reviews

router = APIRouter(tags=["Reviews"])


class ReviewReply(BaseModel):
    """One reviewer's word."""

    organization: str
    round: int
    decision: str
    decidedAt: datetime  # noqa: N815 - as it is on the wire
    digestSRI: str  # noqa: N815
    endorsement: str | None


class CommentReply(BaseModel):
    """A remark."""

    id: str
    author: str
    field: str
    text: str
    writtenAt: datetime  # noqa: N815


class ChangeReply(BaseModel):
    """A difference to the latest version that was ever published."""

    field: str
    before: Any
    after: Any
    step: str


class UnderReviewReply(BaseModel):
    """A version with all that was said about it."""

    id: str
    version: str
    state: str
    round: int
    reviewers: list[str]
    """The organisations that are asked beside the owner's own people."""
    reviews: list[ReviewReply]
    comments: list[CommentReply]
    changes: list[ChangeReply]


class WaitingList(BaseModel):
    """The versions that wait for your word."""

    definitions: list[DefinitionReply]


class PolicyReply(BaseModel):
    """What an owner demands before a version is published."""

    approvals: int
    externalApprovals: int  # noqa: N815
    graceDays: int  # noqa: N815


@router.post(
    "/v1/definitions/{version_id}/submission",
    summary="Hand a definition version in for review",
    openapi_extra=accepts(SubmitOrder, {"reviewers": ["sobona"]}),
)
def post_submission(
    version_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[SubmitOrder, Depends(message(SubmitOrder))],
) -> DefinitionReply:
    """It has no gaps, and is not changed while it is looked at. The owner's own reviewers need not be asked."""
    return reply(env, submit(env, session, actor, version_id, order))


@router.delete(
    "/v1/definitions/{version_id}/submission", summary="Take a definition version back from review"
)
def delete_submission(
    version_id: str, actor: CurrentActor, env: Env, session: WriteTx
) -> DefinitionReply:
    """It is a draft again; what was approved of it counts no more."""
    return reply(env, take_back(env, session, actor, version_id))


@router.post(
    "/v1/definitions/{version_id}/reviews",
    status_code=201,
    summary="Approve a definition version, or ask for changes",
    openapi_extra=accepts(
        DecisionOrder, {"decision": "changes_requested", "comment": "Nivån saknar grund."}
    ),
)
def post_review(
    version_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[DecisionOrder, Depends(message(DecisionOrder))],
) -> UnderReviewReply:
    """Takes a person who has not written in it. An approval is signed over the document that will be published."""
    return _under_review(decide(env, session, actor, version_id, order))


@router.get("/v1/definitions/{version_id}/reviews", summary="What was said about a version")
def get_reviews(version_id: str, actor: CurrentActor, session: ReadTx) -> UnderReviewReply:
    """For its owner's people and those who are asked to review it; with what it changes."""
    return _under_review(under_review(session, actor, version_id))


@router.post(
    "/v1/definitions/{version_id}/comments",
    status_code=201,
    summary="Remark on a definition version",
    openapi_extra=accepts(
        CommentOrder, {"field": "/learning_outcomes/0", "text": "Börja med ett verb."}
    ),
)
def post_comment(
    version_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[CommentOrder, Depends(message(CommentOrder))],
) -> CommentReply:
    """On the whole, or on one field of it."""
    row = comment(env, session, actor, version_id, order)
    return CommentReply(
        id=row.id, author=row.author, field=row.field, text=row.text, writtenAt=row.written_at
    )


@router.get("/v1/reviews", summary="What waits for your word")
def get_waiting(actor: CurrentActor, env: Env, session: ReadTx) -> WaitingList:
    """Versions that are handed in: your organisation's own, and those it is asked to review."""
    return WaitingList(definitions=[reply(env, found) for found in waiting(session, actor)])


@router.post(
    "/v1/review-policy",
    summary="Say what a version takes to be published",
    openapi_extra=accepts(
        ReviewPolicyOrder, {"approvals": 2, "externalApprovals": 1, "graceDays": 180}
    ),
)
def post_policy(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[ReviewPolicyOrder, Depends(message(ReviewPolicyOrder))],
) -> PolicyReply:
    """For your own definitions. Takes a person who is an owner."""
    owner = set_policy(env, session, actor, order)
    return PolicyReply(
        approvals=owner.approvals,
        externalApprovals=owner.external_approvals,
        graceDays=owner.review_grace_days,
    )


@router.head("/o/{slug}/endorsements/{review_id}.json", include_in_schema=False)
@router.get("/o/{slug}/endorsements/{review_id}.json", summary="A reviewer's signed approval")
def get_endorsement(
    slug: str, review_id: str, request: Request, env: Env, session: ReadTx
) -> Response:
    """Over code, version and content hash of a definition version. Public once that is published."""
    row = reviews.endorsement_by_url(session, env.addresses.endorsement(slug, review_id))
    found = definitions.by_id(session, row.definition_version_id) if row else None
    if row is None or row.endorsement is None or found is None or found[0].document is None:
        raise NotFound("endorsement", endorsement=review_id)
    return served(request, row.endorsement, "application/vc+ld+json", REVALIDATE)


@router.head("/o/{slug}/definitions/{code}/{version}/endorsements.json", include_in_schema=False)
@router.get(
    "/o/{slug}/definitions/{code}/{version}/endorsements.json",
    summary="Who has approved a definition version",
)
def get_endorsements(request: Request, session: ReadTx, found: PublishedVersion) -> Response:
    """The signed approvals of its reviewers, in one list. Public."""
    rows = reviews.of_version(session, definition_version_id=found[0].id)
    signed = [json.loads(row.endorsement) for row in rows if row.endorsement is not None]
    return served(
        request, json.dumps(signed, ensure_ascii=False).encode(), "application/json", REVALIDATE
    )


def _under_review(found: UnderReview) -> UnderReviewReply:
    version, _, _ = found.found
    return UnderReviewReply(
        id=version.id,
        version=version.version,
        state=version.state,
        round=version.review_round,
        reviewers=[organization.slug for organization in found.asked],
        reviews=[
            ReviewReply(
                organization=organization.slug,
                round=row.round,
                decision=row.decision,
                decidedAt=row.decided_at,
                digestSRI=row.digest_sri,
                endorsement=row.endorsement_url,
            )
            for row, organization in found.reviews
        ],
        comments=[
            CommentReply(
                id=row.id,
                author=row.author,
                field=row.field,
                text=row.text,
                writtenAt=row.written_at,
            )
            for row in found.comments
        ],
        changes=[
            ChangeReply(field=each.field, before=each.before, after=each.after, step=each.step)
            for each in found.changes
        ],
    )
