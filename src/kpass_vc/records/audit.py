"""AuditEntry: what was done, by whom, to what; AuditChain and AuditHead: that none of it was changed since.

An entry is written in the transaction that did it, and takes its place in the chain of its
organisation after the commit, so that nobody waits for a chain. The operator's own entries
have a chain as well, under no organisation.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    Table,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.award import Award
from kpass_vc.records.base import Base
from kpass_vc.records.organization import Organization


class AuditEntry(Base):
    """One thing that was done. No personal data: ids only."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index(
            "ix_audit_entry_unchained",
            "organization_id",
            sqlite_where=text("number IS NULL"),
            postgresql_where=text("number IS NULL"),
        ),
        Index("ix_audit_entry_number", "organization_id", "number", unique=True),
        Index("ix_audit_entry_subject", "organization_id", "subject"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime]
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id"), index=True)
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, str]] = mapped_column(JSON)
    number: Mapped[int | None]
    """Its place in the chain, from one; none until it is chained."""
    entry_hash: Mapped[str | None]


class AuditChain(Base):
    """How long an organisation's chain is and what it ends with; its row is held by who lengthens it."""

    __tablename__ = "audit_chain"

    organization_key: Mapped[str] = mapped_column(primary_key=True)
    """The organisation's id; empty for the operator."""
    length: Mapped[int]
    head: Mapped[str]


class AuditHead(Base):
    """What a chain ended with on a day, signed by its organisation."""

    __tablename__ = "audit_head"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    length: Mapped[int]
    head: Mapped[str]
    body: Mapped[bytes]


def of_organization(session: Session, *, organization_id: str) -> list[AuditEntry]:
    """All entries of an organisation, oldest first."""
    return list(
        session.scalars(
            select(AuditEntry)
            .where(AuditEntry.organization_id == organization_id)
            .order_by(AuditEntry.id)
        )
    )


def search(
    session: Session,
    *,
    organization_id: str,
    since: datetime | None = None,
    before: datetime | None = None,
    subject: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[AuditEntry], int]:
    """A page of an organisation's entries, newest first, and how many there are in all."""
    query = select(AuditEntry).where(AuditEntry.organization_id == organization_id)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if before is not None:
        query = query.where(AuditEntry.at < before)
    if subject is not None:
        query = query.where(AuditEntry.subject == subject)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(AuditEntry.id.desc()).limit(limit).offset(offset)
    return list(session.scalars(page)), total


def hold_chain(session: Session, *, organization_id: str | None, start: str) -> AuditChain:
    """The chain of an organisation, or the operator's, held until the transaction ends; made if there is none."""
    key = organization_id or ""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {"organization_key": key, "length": 0, "head": start}
    session.execute(dialect.insert(AuditChain).values(values).on_conflict_do_nothing())
    query = select(AuditChain).where(AuditChain.organization_key == key)
    held = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(held).one()


def chain(session: Session, *, organization_id: str | None) -> AuditChain | None:
    """The chain of an organisation, or the operator's."""
    return session.get(AuditChain, organization_id or "")


class Unchained(NamedTuple):
    """What an entry says that has no place in the chain yet."""

    id: int
    at: datetime
    organization_id: str | None
    actor: str
    action: str
    subject: str
    details: dict[str, str]


def unchained(session: Session, *, organization_id: str | None, limit: int) -> list[Unchained]:
    """Entries that have no place in the chain yet, oldest first."""
    columns = (getattr(AuditEntry, name) for name in Unchained._fields)
    query = (
        select(*columns)
        .where(AuditEntry.organization_id == organization_id)
        .where(AuditEntry.number.is_(None))
        .order_by(AuditEntry.id)
        .limit(limit)
    )
    return [Unchained(*row) for row in session.execute(query)]


def place(session: Session, placed: Mapping[int, tuple[int, str]]) -> None:
    """Give entries, by their ids, their numbers and hashes."""
    if not placed:
        return
    table = cast("Table", AuditEntry.__table__)
    statement = (
        update(table)
        .where(table.c.id == bindparam("entry"))
        .values(number=bindparam("place"), entry_hash=bindparam("hash"))
    )
    rows = [
        {"entry": entry, "place": number, "hash": digest}
        for entry, (number, digest) in placed.items()
    ]
    session.connection().execute(statement, rows)


def waiting(session: Session) -> list[str | None]:
    """The organisations that have unchained entries; None among them for the operator."""
    query = select(AuditEntry.organization_id).where(AuditEntry.number.is_(None)).distinct()
    return list(session.scalars(query))


def after(
    session: Session, *, organization_id: str | None, number: int, limit: int
) -> list[AuditEntry]:
    """The entries of a chain from the one after a number on, in order."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.organization_id == organization_id)
        .where(AuditEntry.number > number)
        .order_by(AuditEntry.number)
        .limit(limit)
    )
    return list(session.scalars(query))


def every(session: Session, *, organization_id: str | None) -> Iterator[AuditEntry]:
    """All entries of a chain in order, a page at a time."""
    number = 0
    while page := after(session, organization_id=organization_id, number=number, limit=1000):
        yield from page
        number = page[-1].number or 0


def count(session: Session, *, organization_id: str | None) -> int:
    """How many chained entries there are."""
    query = (
        select(func.count())
        .select_from(AuditEntry)
        .where(AuditEntry.organization_id == organization_id)
        .where(AuditEntry.number.is_not(None))
    )
    return session.scalar(query) or 0


def of_subjects(
    session: Session, *, organization_id: str, subjects: Collection[str]
) -> dict[str, list[str]]:
    """What was done to each of some subjects, in order, chained or not."""
    query = (
        select(AuditEntry.subject, AuditEntry.action)
        .where(AuditEntry.organization_id == organization_id)
        .where(AuditEntry.subject.in_(subjects))
        .order_by(AuditEntry.id)
    )
    found: dict[str, list[str]] = {}
    for subject, action in session.execute(query):
        found.setdefault(subject, []).append(action)
    return found


def lost_awards(session: Session, *, organization_id: str) -> list[str]:
    """What was issued, by the log, and is not there."""
    query = (
        select(AuditEntry.subject)
        .outerjoin(Award, Award.id == AuditEntry.subject)
        .where(AuditEntry.organization_id == organization_id)
        .where(AuditEntry.action == "credential.issued")
        .where(Award.id.is_(None))
        .order_by(AuditEntry.id)
    )
    return list(session.scalars(query))


def unsigned(session: Session, *, day: date) -> list[str]:
    """The organisations of this service whose chain is longer than what they last signed, before a day."""
    signed = select(
        AuditHead.organization_id,
        func.max(AuditHead.day).label("day"),
        func.max(AuditHead.length).label("length"),
    ).group_by(AuditHead.organization_id)
    last = signed.subquery()
    query = (
        select(Organization.id)
        .join(AuditChain, AuditChain.organization_key == Organization.id)
        .outerjoin(last, last.c.organization_id == Organization.id)
        .where(Organization.is_elsewhere.is_(False))
        .where(or_(last.c.day.is_(None), last.c.day < day))
        .where(AuditChain.length > func.coalesce(last.c.length, 0))
        .order_by(Organization.id)
    )
    return list(session.scalars(query))


def heads(session: Session, *, organization_id: str) -> list[AuditHead]:
    """All that was signed of an organisation's chain, oldest first."""
    query = select(AuditHead).where(AuditHead.organization_id == organization_id)
    return list(session.scalars(query.order_by(AuditHead.day)))


def last_head(session: Session, *, organization_id: str) -> AuditHead | None:
    """What was signed last of an organisation's chain."""
    query = select(AuditHead).where(AuditHead.organization_id == organization_id)
    return session.scalar(query.order_by(AuditHead.day.desc()).limit(1))


def head_of_day(session: Session, *, organization_id: str, day: date) -> AuditHead | None:
    """What was signed on a day."""
    return session.get(AuditHead, (organization_id, day))
