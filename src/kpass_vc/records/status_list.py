"""StatusList: which indexes are given out; StatusPublication: the bits, and the list as it was last signed.

Two tables, so that issuing locks the counter and revoking locks the bits, and
neither waits for the other.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, cast

from sqlalchemy import (
    ForeignKey,
    Integer,
    Table,
    UniqueConstraint,
    bindparam,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class StatusList(Base):
    """A list of one organisation for one purpose: how many of its indexes are used."""

    __tablename__ = "status_list"
    __table_args__ = (UniqueConstraint("organization_id", "purpose", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"))
    issuer: Mapped[str]
    """The DID that signs it, which is the issuer of every credential in it."""
    purpose: Mapped[str]
    number: Mapped[int]
    url: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int]
    used: Mapped[int]
    permutation_key: Mapped[bytes]


class StatusPublication(Base):
    """The bits of a list and both its signed forms."""

    __tablename__ = "status_publication"

    status_list_id: Mapped[str] = mapped_column(ForeignKey("status_list.id"), primary_key=True)
    bits: Mapped[bytes]
    version: Mapped[int]
    body: Mapped[bytes]
    body_jwt: Mapped[bytes]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]


def newest(
    session: Session, *, organization_id: str, purpose: str, issuer: str | None = None
) -> StatusList | None:
    """The list that is being filled, of all the organisation's DIDs or of one."""
    of = {"organization_id": organization_id, "purpose": purpose}
    if issuer is None:
        return session.scalar(_NEWEST, of)
    return session.scalar(_NEWEST_OF_ISSUER, of | {"issuer": issuer})


_OF_PURPOSE: Final = (
    select(StatusList)
    .where(StatusList.organization_id == bindparam("organization_id"))
    .where(StatusList.purpose == bindparam("purpose"))
    .order_by(StatusList.number.desc())
)
"""Made once: to put a statement together takes longer than to carry it out."""
_NEWEST: Final = _OF_PURPOSE.limit(1)
_NEWEST_OF_ISSUER: Final = _OF_PURPOSE.where(StatusList.issuer == bindparam("issuer")).limit(1)


def of_issuer(session: Session, *, issuer: str) -> list[tuple[StatusList, StatusPublication]]:
    """All lists that a DID signs, their publications held until the transaction ends."""
    found = session.execute(
        select(StatusList, StatusPublication)
        .join(StatusPublication, StatusPublication.status_list_id == StatusList.id)
        .where(StatusList.issuer == issuer)
        .order_by(StatusList.id)
        .with_for_update(of=StatusPublication)
        .execution_options(populate_existing=True)
    )
    return [(row[0], row[1]) for row in found]


def take(session: Session, status_list: StatusList) -> int | None:
    """The next counter of a list, or None if it is full. Holds the row until the transaction ends."""
    taken = take_many(session, status_list, 1)
    return taken.start if taken else None


def take_many(session: Session, status_list: StatusList, count: int) -> range:
    """The next counters of a list, so many or as many as are left. Holds the row until the transaction ends."""
    taking = {"list_id": status_list.id, "count": count}
    stop = session.connection().execute(_TAKE, taking).scalar()
    if stop is not None:
        return range(stop - count, stop)
    used = session.connection().execute(_HOLD, {"list_id": status_list.id}).scalar_one()
    left = max(status_list.size - used, 0)
    return take_many(session, status_list, min(left, count)) if left else range(used, used)


_TABLE: Final = cast("Table", StatusList.__table__)
_TAKE: Final = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("list_id"))
    .where(_TABLE.c.used + bindparam("count", type_=Integer) <= _TABLE.c.size)
    .values(used=_TABLE.c.used + bindparam("count", type_=Integer))
    .returning(_TABLE.c.used)
)
_HOLD: Final = select(_TABLE.c.used).where(_TABLE.c.id == bindparam("list_id")).with_for_update()


def by_url(session: Session, url: str) -> StatusList | None:
    """A list by its address."""
    return session.scalar(select(StatusList).where(StatusList.url == url))


def urls(session: Session, *, ids: Collection[str]) -> list[str]:
    """The addresses of lists, by their ids."""
    return (
        list(session.scalars(select(StatusList.url).where(StatusList.id.in_(ids)))) if ids else []
    )


def signed(session: Session, urls: Collection[str]) -> list[tuple[StatusList, bytes, datetime]]:
    """Lists by their addresses, with what was last signed of them and until when that is valid."""
    if not urls:
        return []
    found = session.execute(
        select(StatusList, StatusPublication.body, StatusPublication.valid_until)
        .join(StatusPublication, StatusPublication.status_list_id == StatusList.id)
        .where(StatusList.url.in_(urls))
    )
    return [(row[0], row[1], row[2]) for row in found]


def publication(
    session: Session, *, status_list_id: str, for_update: bool = False
) -> StatusPublication | None:
    """The bits of a list and its signed forms; `for_update` holds the row until the transaction ends."""
    query = select(StatusPublication).where(StatusPublication.status_list_id == status_list_id)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def every(
    session: Session, *, organization_id: str, for_update: bool = False
) -> list[tuple[StatusList, StatusPublication]]:
    """All lists of an organisation with what was last signed of them.

    `for_update` holds them until the transaction ends: no index is given out and no bit changed meanwhile.
    """
    query = (
        select(StatusList, StatusPublication)
        .join(StatusPublication, StatusPublication.status_list_id == StatusList.id)
        .where(StatusList.organization_id == organization_id)
        .order_by(StatusList.purpose, StatusList.number)
    )
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return [(row[0], row[1]) for row in session.execute(query)]


def marks(session: Session) -> dict[str, tuple[int, int]]:
    """How far every list has come, by its address: the version that was signed last, and how many indexes are used."""
    rows = session.execute(
        select(StatusList.url, StatusPublication.version, StatusList.used).join(
            StatusPublication, StatusPublication.status_list_id == StatusList.id
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}
