"""Service: what this installation has decided once and for all."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class Service(Base):
    """One row: the public URL, which stands in every DID and so never changes once there is one."""

    __tablename__ = "service"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    public_url: Mapped[str]
    created_at: Mapped[datetime]


def the_service(session: Session) -> Service | None:
    """The row, or None before `kpass init`."""
    return session.scalar(select(Service).where(Service.id == 1))
