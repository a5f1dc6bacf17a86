"""Service: what this installation has decided once and for all."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class Service(Base):
    """One row: the public URL, which stands in every DID and so never changes once there is one."""

    __tablename__ = "service"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    public_url: Mapped[str]
    created_at: Mapped[datetime]
    confirmed: Mapped[bytes | None]
    """The operator's signed list of the organisations it has made sure of."""
    confirmed_at: Mapped[datetime | None]
    """When that was signed."""
    sunset_at: Mapped[datetime | None]
    """When it ended: nothing is issued or revoked after that."""
    lists_from: Mapped[int] = mapped_column(default=0, server_default="0")
    """The least number of a new status list: after a restore, past those that are forgotten."""


def the_service(session: Session, *, for_update: bool = False) -> Service | None:
    """The row, or None before `kpass init`; `for_update` holds it until the transaction ends."""
    return session.scalar(_HELD if for_update else _THE)


_THE: Final = select(Service).where(Service.id == 1)
_HELD: Final = _THE.with_for_update().execution_options(populate_existing=True)


def hold_service(session: Session, *, shared: bool) -> None:
    """Hold the row until the transaction ends: shared while a key is made, alone while all are sealed anew."""
    session.scalar(select(Service.id).where(Service.id == 1).with_for_update(read=shared))
