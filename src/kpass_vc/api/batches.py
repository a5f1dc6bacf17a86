"""Batches: issue to many, look at how far it is, undo the whole."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.batch import (
    MOST_ROWS,
    BatchOrder,
    BatchStatusOrder,
    Looked,
    about,
    each_error,
    look_through,
    own_batch,
    read_file,
    read_items,
    take_in,
    undo,
    written,
)
from kpass_vc.actions.letter import batch_letters
from kpass_vc.authz import Actor, Permission
from kpass_vc.edge import (
    CurrentActor,
    Env,
    Limit,
    Offset,
    RawBody,
    ReaderLanguage,
    ReadTx,
    WriteTx,
    accepts,
    message,
)
from kpass_vc.errors import NotFound
from kpass_vc.language import Language
from kpass_vc.learner_table import template
from kpass_vc.model.document import read_json
from kpass_vc.model.field_errors import validated
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.records.batch import Batch, BatchRow
from kpass_vc.spreadsheets import MEDIA_TYPE

router = APIRouter(prefix="/v1", tags=["Batches"])


class RowError(BaseModel):
    """What is wrong with one row."""

    row: int
    field: str
    rule: str
    detail: str


class BatchReply(BaseModel):
    """A batch, and how far it is."""

    id: str | None
    """None for a dry run, of which nothing is stored."""
    status: Literal["dry_run", "running", "finished", "undoing", "undone"]
    total: int
    waiting: int
    issued: int
    alreadyIssued: int  # noqa: N815 - as it is on the wire
    failed: int
    revoked: int
    createdAt: datetime | None = None  # noqa: N815
    finishedAt: datetime | None = None  # noqa: N815
    errors: list[RowError] = []
    """What is wrong with rows: the first hundred things; all of them are at `…/rows?status=failed`."""


class BatchList(BaseModel):
    """A page of batches."""

    batches: list[BatchReply]
    total: int


class RowReply(BaseModel):
    """One row of a batch."""

    row: int
    status: str
    credential: str | None
    errors: list[RowError]


class RowList(BaseModel):
    """A page of rows."""

    rows: list[RowReply]


EXAMPLE = {
    "definition": "sobona/SOB-OPTO-01",
    "items": [
        {
            "holder": {
                "name": "Amina Exempelsson",
                "contact": {"email": "amina@example.org", "language": "sv"},
            },
            "assessedOn": "2026-11-20",
            "externalReference": "kurs-17/deltagare-4",
        }
    ],
    "dryRun": True,
}
_SHOWN = 100


def batch_order(body: RawBody) -> BatchOrder:
    """The order, by the strict reader, with room for ten thousand items."""
    document = read_json(body, max_bytes=len(body), max_values=500_000, max_items=MOST_ROWS)
    return validated(BatchOrder, document)


@router.post(
    "/batches",
    status_code=202,
    summary="Issue to many",
    openapi_extra=accepts(BatchOrder, EXAMPLE),
    responses={200: {"model": BatchReply, "description": "A dry run: nothing was stored"}},
)
def post_batch(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[BatchOrder, Depends(batch_order)],
    language: ReaderLanguage,
    response: Response,
) -> BatchReply:
    """Takes in every row that is in order and says what is wrong with the others; issues after the reply.

    A row that was issued before is not issued again. Each item is as the body of `POST /v1/credentials`
    without the definition.
    """
    rows = read_items(order.definition, order.items)
    ask_owner(env, actor, order.definition)
    looked = look_through(env, session, actor, order.definition, rows)
    if order.dry_run:
        response.status_code = 200
        return _dry_run(looked, language)
    batch = take_in(env, session, actor, order.definition, looked)
    return batch_reply(session, batch, language, looked)


@router.post(
    "/batches/file",
    status_code=202,
    summary="Issue to many from a table",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }
    },
    responses={200: {"model": BatchReply, "description": "A dry run: nothing was stored"}},
)
def post_batch_file(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    body: RawBody,
    definition: Annotated[str, Query(max_length=500, description="owner/CODE")],
    language: ReaderLanguage,
    response: Response,
    *,
    dry_run: Annotated[
        bool, Query(alias="dryRun", description="Only say what would come of it.")
    ] = False,
) -> BatchReply:
    """An .xlsx or .csv by the definition's template. What is wrong with a row is said by cell."""
    ask_owner(env, actor, definition)
    looked = look_through(env, session, actor, definition, read_file(definition, body))
    if dry_run:
        response.status_code = 200
        return _dry_run(looked, language)
    batch = take_in(env, session, actor, definition, looked)
    return batch_reply(session, batch, language, looked)


@router.get(
    "/batches/template.xlsx",
    summary="The table to fill in",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
def get_template(
    session: ReadTx,
    definition: Annotated[str, Query(max_length=500, description="owner/CODE")],
    language: ReaderLanguage,
) -> Response:
    """For a published definition, in the reader's language. Public."""
    slug, _, code = definition.partition("/")
    found = definitions.published_of_line(session, slug=slug, code=code)
    if found is None:
        raise NotFound("definition", definition=definition)
    body = template(language, about=about(found, language))
    name = f'attachment; filename="{code}.{language}.xlsx"'
    return Response(body, media_type=MEDIA_TYPE, headers={"Content-Disposition": name})


@router.get("/batches", summary="Your batches")
def get_batches(
    actor: CurrentActor,
    session: ReadTx,
    language: ReaderLanguage,
    limit: Limit = 100,
    offset: Offset = 0,
) -> BatchList:
    """Newest first."""
    actor.require(Permission.CREDENTIALS_READ)
    found, total = batches.of_organization(
        session,
        organization_id=actor.own_organization(),
        limit=limit,
        offset=offset,
        tests_only=actor.is_test,
    )
    return BatchList(
        batches=[batch_reply(session, batch, language) for batch in found], total=total
    )


@router.get("/batches/{batch_id}", summary="How far a batch is")
def get_batch(
    batch_id: str, actor: CurrentActor, session: ReadTx, language: ReaderLanguage
) -> BatchReply:
    """With what is wrong with its rows."""
    batch = own_batch(session, actor, batch_id)
    reply = batch_reply(session, batch, language)
    failed = _rows(session, actor, batch_id, "failed", _SHOWN, 0)
    return reply.model_copy(
        update={"errors": [error for row in failed for error in _errors(row, language)][:_SHOWN]}
    )


@router.get("/batches/{batch_id}/rows", summary="The rows of a batch")
def get_batch_rows(
    batch_id: str,
    actor: CurrentActor,
    session: ReadTx,
    language: ReaderLanguage,
    status: Annotated[
        Literal["waiting", "issued", "already_issued", "failed", "withdrawn", "revoked"] | None,
        Query(description="Only those with this outcome."),
    ] = None,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, le=10_000, description="From the row after this one.")] = 0,
) -> RowList:
    """By number, each with its credential or what is wrong with it."""
    own_batch(session, actor, batch_id)
    found = _rows(session, actor, batch_id, status, limit, after)
    return RowList(
        rows=[
            RowReply(
                row=row.number,
                status=row.state,
                credential=row.award_id,
                errors=_errors(row, language),
            )
            for row in found
        ]
    )


@router.post(
    "/batches/{batch_id}/letters",
    summary="Write letters to the learners of a batch",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def post_batch_letters(
    batch_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    language: ReaderLanguage,
    part: Annotated[int, Query(ge=1, le=100)] = 1,
) -> Response:
    """One PDF with a page for each who left no e-mail address, a thousand at a time; 409 when there are no more."""
    body = batch_letters(env, session, actor, batch_id, language, part)
    return Response(body, media_type="application/pdf", headers={"Cache-Control": "no-store"})


@router.post(
    "/batches/{batch_id}/status",
    summary="Undo a batch",
    openapi_extra=accepts(BatchStatusOrder, {"status": "undone", "reason": "issued_in_error"}),
)
def post_batch_status(
    batch_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[BatchStatusOrder, Depends(message(BatchStatusOrder))],
    language: ReaderLanguage,
) -> BatchReply:
    """Revokes every credential of it, with the reason, and issues nothing more of it."""
    return batch_reply(session, undo(env, session, actor, batch_id, order), language)


def _dry_run(looked: Looked, language: Language) -> BatchReply:
    """What would come of an order."""
    return BatchReply(
        id=None,
        status="dry_run",
        total=len(looked.rows),
        waiting=len(looked.good),
        issued=0,
        alreadyIssued=len(looked.issued_before),
        failed=len(looked.bad),
        revoked=0,
        errors=_looked(looked, language),
    )


def batch_reply(
    session: Session, batch: Batch, language: Language, looked: Looked | None = None
) -> BatchReply:
    """A batch, and how far it is."""
    found = batches.counts(session, organization_id=batch.organization_id, batch_id=batch.id)
    return BatchReply.model_validate(
        {
            "id": batch.id,
            "status": batch.state,
            "total": batch.total,
            "waiting": found.get("waiting", 0),
            "issued": found.get("issued", 0),
            "alreadyIssued": found.get("already_issued", 0),
            "failed": found.get("failed", 0) + found.get("withdrawn", 0),
            "revoked": found.get("revoked", 0),
            "createdAt": batch.created_at,
            "finishedAt": batch.finished_at,
            "errors": _looked(looked, language) if looked else [],
        }
    )


def _looked(looked: Looked, language: Language) -> list[RowError]:
    return [_row_error(number, written(error), language) for number, error in each_error(looked)][
        :_SHOWN
    ]


def _rows(
    session: Session, actor: Actor, batch_id: str, state: str | None, limit: int, after: int
) -> list[BatchRow]:
    return batches.rows(
        session,
        organization_id=actor.own_organization(),
        batch_id=batch_id,
        states=(state,) if state else (),
        first=after + 1,
        limit=limit,
    )


def _errors(row: BatchRow, language: Language) -> list[RowError]:
    return [_row_error(row.number, error, language) for error in row.errors or []]


def _row_error(number: int, error: dict[str, str], language: Language) -> RowError:
    return RowError(row=number, field=error["field"], rule=error["rule"], detail=error[language])
