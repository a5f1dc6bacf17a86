"""Batch, BatchRow: many learners of one definition, each a row with its own outcome."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import JSON, ForeignKey, Index, Select, bindparam, false, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base

State = Literal["running", "finished", "undoing", "undone"]
RowState = Literal["waiting", "issued", "already_issued", "failed", "withdrawn", "revoked"]


class Batch(Base):
    """An order for many; its rows are issued after the order was taken in."""

    __tablename__ = "batch"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    definition_version_id: Mapped[str] = mapped_column(ForeignKey("definition_version.id"))
    state: Mapped[str]
    actor: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(JSON)
    """What its actor might do when the order was taken in."""
    is_test: Mapped[bool] = mapped_column(default=False, server_default=false())
    total: Mapped[int]
    sends_mail: Mapped[bool]
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class BatchRow(Base):
    """One learner of a batch. The order is sealed, and gone once it is issued."""

    __tablename__ = "batch_row"
    __table_args__ = (
        Index("ix_batch_row_state", "batch_id", "state", "number"),
        Index(
            "uq_batch_row_issued",
            "organization_id",
            "fingerprint",
            unique=True,
            sqlite_where=text("state = 'issued'"),
            postgresql_where=text("state = 'issued'"),
        ),
    )

    batch_id: Mapped[str] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """The row's number in the file, or its place in the list; from one."""
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"))
    state: Mapped[str]
    fingerprint: Mapped[str]
    """A keyed hash of who gets what and when, by which the same row is known again in another file."""
    sealed_order: Mapped[bytes | None]
    status_list_id: Mapped[str | None] = mapped_column(ForeignKey("status_list.id"))
    status_index: Mapped[int | None]
    award_id: Mapped[str | None] = mapped_column(ForeignKey("award.id"), index=True)
    errors: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)


def by_id(
    session: Session,
    *,
    organization_id: str,
    batch_id: str,
    tests_only: bool = False,
    for_update: bool = False,
) -> Batch | None:
    """A batch of an organisation; `for_update` holds it until the transaction ends."""
    query = (
        select(Batch).where(Batch.organization_id == organization_id).where(Batch.id == batch_id)
    )
    if tests_only:
        query = query.where(Batch.is_test)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def of_organization(
    session: Session, *, organization_id: str, limit: int, offset: int, tests_only: bool = False
) -> tuple[list[Batch], int]:
    """A page of an organisation's batches, newest first, and how many there are in all."""
    query = select(Batch).where(Batch.organization_id == organization_id)
    if tests_only:
        query = query.where(Batch.is_test)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(Batch.created_at.desc(), Batch.id).limit(limit).offset(offset)
    return list(session.scalars(page)), total


def running_since(session: Session, *, organization_id: str, before: datetime) -> list[Batch]:
    """The batches that have been under way since before a moment."""
    query = (
        select(Batch)
        .where(Batch.organization_id == organization_id)
        .where(Batch.state.in_(("running", "undoing")))
        .where(Batch.created_at < before)
    )
    return list(session.scalars(query.order_by(Batch.created_at, Batch.id)))


def counts(session: Session, *, organization_id: str, batch_id: str) -> dict[str, int]:
    """How many rows of a batch are in each state."""
    rows = session.execute(
        select(BatchRow.state, func.count())
        .where(BatchRow.organization_id == organization_id)
        .where(BatchRow.batch_id == batch_id)
        .group_by(BatchRow.state)
    )
    return {row[0]: row[1] for row in rows}


def count_among(
    session: Session, *, organization_id: str, batch_id: str, among: Select[str]
) -> int:
    """How many rows of a batch have one of the awards that a query finds the ids of."""
    query = (
        select(func.count())
        .select_from(BatchRow)
        .where(BatchRow.organization_id == organization_id)
        .where(BatchRow.batch_id == batch_id)
        .where(BatchRow.award_id.in_(among))
    )
    return session.scalar(query) or 0


def last_number(session: Session, *, organization_id: str, batch_id: str) -> int:
    """The highest number of a batch's rows."""
    query = (
        select(func.max(BatchRow.number))
        .where(BatchRow.organization_id == organization_id)
        .where(BatchRow.batch_id == batch_id)
    )
    return session.scalar(query) or 0


def rows(
    session: Session,
    *,
    organization_id: str,
    batch_id: str,
    states: tuple[str, ...] = (),
    first: int = 0,
    last: int | None = None,
    among: Select[str] | None = None,
    limit: int | None = None,
    for_update: bool = False,
) -> list[BatchRow]:
    """Rows of a batch by number: those in some states, from one number to another, so many at most.

    `among` is a query for the ids of the awards that are meant.
    """
    query = (
        select(BatchRow)
        .where(BatchRow.organization_id == organization_id)
        .where(BatchRow.batch_id == batch_id)
        .where(BatchRow.number >= first)
        .order_by(BatchRow.number)
    )
    if states:
        query = query.where(BatchRow.state.in_(states))
    if last is not None:
        query = query.where(BatchRow.number <= last)
    if among is not None:
        query = query.where(BatchRow.award_id.in_(among))
    if limit is not None:
        query = query.limit(limit)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(query))


def issued_before(
    session: Session, *, organization_id: str, fingerprints: list[str]
) -> dict[str, str]:
    """The award of each row that an organisation has issued and not revoked, by the row's fingerprint."""
    found = session.execute(
        select(BatchRow.fingerprint, BatchRow.award_id)
        .where(BatchRow.organization_id == organization_id)
        .where(BatchRow.fingerprint.in_(fingerprints))
        .where(BatchRow.state == "issued")
    )
    return {row[0]: row[1] for row in found if row[1] is not None}


def undoing(session: Session, *, organization_id: str, award_ids: list[str]) -> str | None:
    """A batch that is being undone and has issued one of these awards, if there is one."""
    return session.scalar(
        select(Batch.id)
        .join(BatchRow, BatchRow.batch_id == Batch.id)
        .where(Batch.organization_id == organization_id)
        .where(Batch.state == "undoing")
        .where(BatchRow.state == "issued")
        .where(BatchRow.award_id.in_(award_ids))
        .limit(1)
    )


def of_award(session: Session, *, organization_id: str, award_id: str) -> list[BatchRow]:
    """The rows of an organisation's batches that an award came of, or was found by."""
    query = (
        select(BatchRow)
        .where(BatchRow.organization_id == organization_id)
        .where(BatchRow.award_id == award_id)
        .order_by(BatchRow.batch_id, BatchRow.number)
    )
    return list(session.scalars(query))


def note_issued(
    session: Session, *, organization_id: str, batch_id: str, made: Mapping[int, str]
) -> None:
    """Mark rows of a batch as issued, by their numbers, each with its award; their orders are gone."""
    if not made:
        return
    table = BatchRow.__table__
    statement = (
        update(BatchRow.__table__)  # type: ignore[arg-type]
        .where(table.c.organization_id == organization_id)
        .where(table.c.batch_id == bindparam("of_batch"))
        .where(table.c.number == bindparam("of_number"))
        .values(state="issued", award_id=bindparam("made"), sealed_order=None)
    )
    rows = [
        {"of_batch": batch_id, "of_number": number, "made": award_id}
        for number, award_id in made.items()
    ]
    session.connection().execute(statement, rows)


def no_longer_issued(session: Session, *, organization_id: str, award_ids: list[str]) -> None:
    """Mark the rows of awards that are revoked: the same row may be issued again."""
    session.execute(
        update(BatchRow)
        .where(BatchRow.organization_id == organization_id)
        .where(BatchRow.award_id.in_(award_ids))
        .where(BatchRow.state == "issued")
        .values(state="revoked")
        .execution_options(synchronize_session=False)
    )


def corrected(session: Session, *, organization_id: str, old_id: str, new_id: str) -> None:
    """Have the row of an award that was just corrected lead to the new one: it is issued, and undone with its batch."""
    rows = (
        update(BatchRow)
        .where(BatchRow.organization_id == organization_id)
        .where(BatchRow.award_id == old_id)
    )
    session.execute(rows.where(BatchRow.state == "already_issued").values(award_id=new_id))
    session.execute(rows.where(BatchRow.state == "revoked").values(award_id=new_id, state="issued"))
