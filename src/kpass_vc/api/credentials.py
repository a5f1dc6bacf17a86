"""Credentials: issue, find, fetch, revoke; the learner's private link, and what the learner says is wrong."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.change_status import StatusOrder
from kpass_vc.actions.change_status_together import StatusChange
from kpass_vc.actions.correct import CorrectionOrder, correct, definition_of
from kpass_vc.actions.deliver import resend
from kpass_vc.actions.erase import erase
from kpass_vc.actions.issue import Issued, IssueOrder
from kpass_vc.actions.issue_together import Made, made_of
from kpass_vc.actions.learner_export import export_learner
from kpass_vc.actions.learners import ContactOrder
from kpass_vc.actions.letter import letter
from kpass_vc.actions.share import AnswerOrder, answer, link_to, private_link, renew_link
from kpass_vc.api.issuing import Issuing, Ordered
from kpass_vc.api.status_changes import Changes
from kpass_vc.authz import Actor, Permission
from kpass_vc.edge import (
    Asking,
    CurrentActor,
    Env,
    Limit,
    Offset,
    PassingActor,
    ReaderLanguage,
    ReadTx,
    WriteTx,
    accepts,
    asking,
    in_turn,
    message,
    raw_body,
)
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, NotFound
from kpass_vc.formats import FORMATS, ISSUED
from kpass_vc.model.document import compact, read_json
from kpass_vc.model.field_errors import validated
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import dispute as disputes
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.delivery import Delivery
from kpass_vc.records.dispute import Dispute
from kpass_vc.records.status_list import StatusList

router = APIRouter(prefix="/v1", tags=["Credentials"])


class StatusEntryReply(BaseModel):
    """Where the status bit of the credential lies."""

    statusPurpose: str  # noqa: N815
    statusListCredential: str  # noqa: N815
    statusListIndex: str  # noqa: N815


class EditionReply(BaseModel):
    """One language edition: one credential id, in each format."""

    language: str
    id: str
    credential: dict[str, Any]
    """The credential with its Data Integrity proof. The exact bytes are at `links.json`."""
    jwt: str
    """The same as an Open Badges VC-JWT."""
    links: dict[str, str]


class IssuedReply(BaseModel):
    """An award and its credentials, as they were issued."""

    id: str
    definition: str
    holderId: str  # noqa: N815
    externalReference: str | None  # noqa: N815
    assessedOn: date  # noqa: N815
    issuedAt: datetime  # noqa: N815
    validUntil: datetime | None  # noqa: N815
    statusEntry: StatusEntryReply  # noqa: N815
    holderLink: str  # noqa: N815
    """The learner's private link. Whoever has it may manage the credential: give it to the learner alone."""
    editions: list[EditionReply]


class DisputeReply(BaseModel):
    """What the learner says is wrong, and what the issuer answered."""

    status: Literal["open", "closed"]
    text: str
    openedAt: datetime  # noqa: N815
    answer: str | None
    closedAt: datetime | None  # noqa: N815


class CredentialReply(IssuedReply):
    """The same, with its status now, and the learner's last dispute."""

    status: str
    reason: str | None = None
    statusChangedAt: datetime | None = None  # noqa: N815
    dispute: DisputeReply | None = None


class LinkReply(BaseModel):
    """The learner's private link to one credential."""

    id: str
    holderLink: str  # noqa: N815


class CredentialSummary(BaseModel):
    """One line of a list."""

    id: str
    definition: str
    holderName: str | None  # noqa: N815
    externalReference: str | None  # noqa: N815
    issuedAt: datetime  # noqa: N815
    validUntil: datetime | None  # noqa: N815
    status: str
    disputed: bool


class CredentialList(BaseModel):
    """A page of credentials."""

    credentials: list[CredentialSummary]
    total: int


class StatusReply(BaseModel):
    """The status of a credential."""

    id: str
    status: str
    reason: str | None
    statusChangedAt: datetime | None  # noqa: N815
    statusEntry: StatusEntryReply  # noqa: N815


class ErasedReply(BaseModel):
    """The credentials whose learner is forgotten."""

    erased: list[str]


class NoticeOrder(BaseModel):
    """Where a notice is to go, if not to the address that is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    contact: ContactOrder | None = None


class DeliveryReply(BaseModel):
    """One notice to a learner."""

    id: str
    kind: str
    channel: str
    status: str
    attempts: int
    lastError: str | None  # noqa: N815
    createdAt: datetime  # noqa: N815
    sentAt: datetime | None  # noqa: N815


class DeliveryList(BaseModel):
    """What was sent to a learner."""

    notices: list[DeliveryReply]


EXAMPLE = {
    "definition": "sobona/SOB-OPTO-01",
    "holder": {"name": "Amina Exempelsson"},
    "assessedOn": "2026-11-20",
    "externalReference": "kurs-17/deltagare-4",
    "languages": ["sv", "en"],
    "evidence": [
        {
            "name": "Praktiskt prov",
            "narrative": "Prov på plats den 20 november 2026, med legitimation.",
        }
    ],
}


@router.post(
    "/credentials",
    status_code=201,
    summary="Issue a credential",
    response_model=IssuedReply,
    openapi_extra=accepts(IssueOrder, EXAMPLE)
    | asking(**{"Idempotency-Key": "The same key gives the same answer; another body is refused."}),
)
async def post_credential(request: Request) -> Response:
    """Signs one award in every language and format, records it with its status index, and answers after the commit."""
    env: Environment = request.app.state.environment
    orders: Issuing = request.app.state.issuing
    body = await raw_body(request)
    who = Asking.of(request)
    try:
        order = validated(IssueOrder, read_json(body))
    except KpassError:
        await in_turn(lambda: orders.require_known(who))
        raise
    made = await orders.issue(Ordered(who, order, request.headers.get("Idempotency-Key")))
    return Response(
        _written(env, made),
        status_code=201,
        media_type="application/json",
        headers={"Location": f"{env.addresses.base}/v1/credentials/{made.id}"},
    )


def _written(env: Environment, made: Made) -> bytes:
    """An IssuedReply as JSON; the credentials in it letter for letter as they were signed."""
    award = made.award
    valid_until = award["valid_until"]
    head = {
        "id": made.id,
        "definition": made.definition_url,
        "holderId": award["holder_id"],
        "externalReference": award["external_reference"],
        "assessedOn": award["assessed_on"].isoformat(),
        "issuedAt": _moment(award["issued_at"]),
        "validUntil": _moment(valid_until) if valid_until else None,
        "statusEntry": {
            "statusPurpose": made.purpose,
            "statusListCredential": made.status_list_url,
            "statusListIndex": str(award["status_index"]),
        },
        "holderLink": link_to(env, made.id, award["link_generation"]),
    }
    by_language: dict[str, dict[str, Mapping[str, Any]]] = {}
    for form in made.forms:
        if form["body"]:  # of a learner who is forgotten there is none
            by_language.setdefault(form["language"], {})[form["format"]] = form
    editions = [
        _edition_written(env, made.id, language, by_language[language])
        for language in sorted(by_language, reverse=True)
    ]
    return b"".join((compact(head)[:-1], b',"editions":[', b",".join(editions), b"]}"))


def _edition_written(
    env: Environment, award_id: str, language: str, forms: Mapping[str, Mapping[str, Any]]
) -> bytes:
    document, token = forms["ldp_vc"], forms["vc-jwt"]
    folder = f"{env.addresses.base}/v1/credentials/{award_id}/{language}"
    links = {FORMATS[name].extension: f"{folder}.{FORMATS[name].extension}" for name in forms}
    head = compact({"language": language, "id": document["credential_id"]})[:-1]
    tail = compact({"links": links})[1:]
    return b"".join(
        (head, b',"credential":', document["body"], b',"jwt":"', token["body"], b'",', tail)
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@router.get("/credentials", summary="Your credentials")
def get_credentials(
    actor: CurrentActor,
    session: ReadTx,
    external_reference: Annotated[
        str | None, Query(alias="externalReference", max_length=200)
    ] = None,
    status: Annotated[Literal["active", "suspended", "revoked"] | None, Query()] = None,
    compromised: Annotated[
        bool | None,
        Query(description="Only those that a key has signed which was withdrawn since."),
    ] = None,
    disputed: Annotated[
        bool | None, Query(description="Whether the learner says that something is wrong.")
    ] = None,
    undelivered: Annotated[
        bool | None,
        Query(description="Only those whose last notice to the learner was given up."),
    ] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> CredentialList:
    """Newest first."""
    actor.require(Permission.CREDENTIALS_READ)
    organization_id = actor.own_organization()
    rows, total = awards.search(
        session,
        organization_id=organization_id,
        external_reference=external_reference,
        state=status,
        compromised=bool(compromised),
        disputed=disputed,
        tests_only=actor.is_test,
        among=deliveries.undelivered(organization_id=organization_id) if undelivered else None,
        limit=limit,
        offset=offset,
    )
    return CredentialList(credentials=[_summary(session, row) for row in rows], total=total)


@router.get("/credentials/{credential_id}", summary="One credential of yours")
def get_credential(
    credential_id: str, actor: CurrentActor, env: Env, session: ReadTx
) -> CredentialReply:
    """As it was issued, with its status now."""
    award = _own(session, actor, credential_id)
    issued = _issued(env, session, award, awards.representations(session, award_id=award.id))
    dispute = disputes.newest(session, award_id=award.id)
    return CredentialReply(
        **issued.model_dump(),
        status=award.state,
        reason=award.reason,
        statusChangedAt=award.status_changed_at,
        dispute=_dispute(dispute) if dispute else None,
    )


@router.get(
    "/credentials/{credential_id}/learner.zip",
    summary="All that is stored about the learner of a credential",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
def get_learner(credential_id: str, actor: CurrentActor, env: Env, session: WriteTx) -> Response:
    """For a learner who asks (GDPR articles 15 and 20): each credential that erasing would take, in its own folder.

    Each form, the badges, and about.json: address, notices, disputes, share links without their names, what was done.
    """
    body = export_learner(env, session, actor, credential_id)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="learner.zip"',
    }
    return Response(body, media_type="application/zip", headers=headers)


@router.get(
    "/credentials/{credential_id}/{language}.{extension}",
    summary="The bytes of one representation",
    response_class=Response,
    responses={200: {"content": {FORMATS[name].media_type: {} for name in ISSUED}}},
)
def get_representation(
    credential_id: str,
    language: Literal["sv", "en"],
    extension: str,
    actor: CurrentActor,
    session: ReadTx,
) -> Response:
    """Exactly the bytes that were signed and stored."""
    award = _own(session, actor, credential_id)
    for row in awards.representations(session, award_id=award.id):
        if row.language == language and FORMATS[row.format].extension == extension:
            return Response(
                row.body, media_type=row.media_type, headers={"Cache-Control": "private, no-cache"}
            )
    raise NotFound("credential", credential=f"{credential_id}/{language}.{extension}")


@router.post(
    "/credentials/{credential_id}/status",
    summary="Revoke, suspend or reinstate a credential",
    openapi_extra=accepts(StatusOrder, {"status": "revoked", "reason": "issued_in_error"}),
)
async def post_credential_status(
    credential_id: str,
    actor: PassingActor,
    changes: Changes,
    order: Annotated[StatusOrder, Depends(message(StatusOrder))],
) -> StatusReply:
    """The next read of the status list shows it. Revoked is for ever.

    A list is published at most once a second: many changes at the same time are published together, and the
    answer comes when that is done.
    """
    award, status_list = await changes.ask(StatusChange(actor, credential_id, order))
    return StatusReply(
        id=award.id,
        status=award.state,
        reason=award.reason,
        statusChangedAt=award.status_changed_at,
        statusEntry=_entry(award, status_list),
    )


@router.post("/credentials/{credential_id}/link", summary="A new private link for the learner")
def post_credential_link(
    credential_id: str, actor: CurrentActor, env: Env, session: WriteTx
) -> LinkReply:
    """For a link that was lost or has come into other hands: the one before it opens nothing from now on."""
    award = renew_link(env, session, actor, credential_id)
    return LinkReply(id=award.id, holderLink=private_link(env, award))


@router.post(
    "/credentials/{credential_id}/correction",
    status_code=201,
    summary="Correct a credential",
    openapi_extra=accepts(
        CorrectionOrder,
        {"holder": {"name": "Amina Exempelsson-Berg"}, "assessedOn": "2026-11-20"},
    ),
)
def post_correction(
    credential_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[CorrectionOrder, Depends(message(CorrectionOrder))],
) -> IssuedReply:
    """Issues it anew as it should have been, revokes the old one with the reason, and tells the learner.

    The new credential names the old one and is under the same version of the definition, superseded, retired
    or not; an issuer that is not authorised any more corrects nothing. It carries the approvals of reviewers
    if the old one does. The learner's links and share links lead to the new one.
    Not for `wrong_holder`: who had it is told that it is revoked, and comes to nothing of the new one.
    """
    ask_owner(env, actor, definition_of(env, actor, credential_id))
    issued = correct(env, session, actor, credential_id, order)
    return _issued(env, session, issued.award, issued.representations)


@router.post(
    "/credentials/{credential_id}/letter",
    summary="Write a letter to the learner",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def post_letter(
    credential_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    language: ReaderLanguage,
) -> Response:
    """An accessible PDF (PDF/UA-1) for who has no e-mail: a code to type, good once and for ninety days.

    A new letter ends the code of the one before it. The private link itself stands on no paper.
    """
    body = letter(env, session, actor, [credential_id], language)
    return Response(body, media_type="application/pdf", headers={"Cache-Control": "no-store"})


@router.post("/credentials/{credential_id}/erasure", summary="Forget the learner of a credential")
def post_erasure(
    credential_id: str, actor: CurrentActor, env: Env, session: WriteTx
) -> ErasedReply:
    """Name, addresses, files, disputes and links go; hash, status bit and audit stay, so a kept copy still verifies.

    Of all credentials that your organisation has issued to the same learner, where it knows that.
    """
    return ErasedReply(erased=[award.id for award in erase(env, session, actor, credential_id)])


@router.post(
    "/credentials/{credential_id}/notice",
    status_code=202,
    summary="Send the learner their link again",
    openapi_extra=accepts(NoticeOrder, {"contact": {"email": "amina@example.org"}}),
)
def post_notice(
    credential_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[NoticeOrder, Depends(message(NoticeOrder))],
) -> DeliveryReply:
    """To the address that is known, or to a corrected one, which takes its place."""
    return _delivery(resend(env, session, actor, credential_id, order.contact))


@router.get("/credentials/{credential_id}/notices", summary="What was sent to the learner")
def get_notices(credential_id: str, actor: CurrentActor, session: ReadTx) -> DeliveryList:
    """Newest first, with how each went. The address is not shown."""
    award = _own(session, actor, credential_id)
    found = deliveries.of_award(session, organization_id=award.organization_id, award_id=award.id)
    return DeliveryList(notices=[_delivery(row) for row in found])


@router.post(
    "/credentials/{credential_id}/dispute",
    summary="Answer what the learner says is wrong",
    openapi_extra=accepts(
        AnswerOrder, {"status": "closed", "answer": "Datumet är rättat i ett nytt bevis."}
    ),
)
def post_credential_dispute(
    credential_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[AnswerOrder, Depends(message(AnswerOrder))],
) -> DisputeReply:
    """The learner's page shows the answer. A wrong credential is corrected by revoking it and issuing a new one."""
    return _dispute(answer(env, session, actor, credential_id, order))


def _own(session: Session, actor: Actor, award_id: str) -> Award:
    actor.require(Permission.CREDENTIALS_READ)
    award = awards.by_id(
        session,
        organization_id=actor.own_organization(),
        award_id=award_id,
        tests_only=actor.is_test,
    )
    if award is None:
        raise NotFound("credential", credential=award_id)
    return award


def _issued(
    env: Environment, session: Session, award: Award, rows: Sequence[Representation]
) -> IssuedReply:
    made = made_of(session, Issued(award, tuple(rows), is_new=False))
    return IssuedReply.model_validate_json(_written(env, made))


def _entry(award: Award, status_list: StatusList) -> StatusEntryReply:
    return StatusEntryReply(
        statusPurpose=status_list.purpose,
        statusListCredential=status_list.url,
        statusListIndex=str(award.status_index),
    )


def _dispute(found: Dispute) -> DisputeReply:
    return DisputeReply(
        status="open" if found.state == "open" else "closed",
        text=found.text,
        openedAt=found.opened_at.astimezone(UTC),
        answer=found.answer,
        closedAt=found.closed_at.astimezone(UTC) if found.closed_at else None,
    )


def _definition_url(session: Session, award: Award) -> str:
    found = definitions.by_id(session, award.definition_version_id)
    return str(found[0].document_url) if found else ""


def _summary(session: Session, award: Award) -> CredentialSummary:
    dispute = disputes.newest(session, award_id=award.id)
    return CredentialSummary(
        id=award.id,
        definition=_definition_url(session, award),
        holderName=award.holder_name,
        externalReference=award.external_reference,
        issuedAt=award.issued_at,
        validUntil=award.valid_until,
        status=award.state,
        disputed=dispute is not None and dispute.state == "open",
    )


def _delivery(row: Delivery) -> DeliveryReply:
    return DeliveryReply(
        id=row.id,
        kind=row.kind,
        channel=row.channel,
        status=row.state,
        attempts=row.attempts,
        lastError=row.last_error,
        createdAt=row.created_at,
        sentAt=row.sent_at,
    )
