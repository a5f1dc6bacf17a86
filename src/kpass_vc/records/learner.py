"""Learner: how an organisation knows a learner again, and reaches them; none of it in clear."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class Learner(Base):
    """One learner of one organisation.

    The organisation's own reference is kept as a keyed hash, the contact sealed: whoever reads the
    database alone can neither tell who it is nor try references.
    """

    __tablename__ = "learner"
    __table_args__ = (UniqueConstraint("organization_id", "reference_index"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    reference_index: Mapped[str | None]
    sealed_contact: Mapped[bytes | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    link_generation: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the folder link has been renewed."""


def by_reference(session: Session, *, organization_id: str, reference_index: str) -> Learner | None:
    """The learner of an organisation's own reference, by its keyed hash."""
    return session.scalar(
        select(Learner)
        .where(Learner.organization_id == organization_id)
        .where(Learner.reference_index == reference_index)
    )


def by_link(session: Session, *, learner_id: str) -> Learner | None:
    """The learner that a folder link leads to, whichever organisation's it is."""
    return session.get(Learner, learner_id)


def by_id(
    session: Session, *, organization_id: str, learner_id: str, for_update: bool = False
) -> Learner | None:
    """A learner of an organisation; `for_update` holds the row until the transaction ends."""
    query = (
        select(Learner)
        .where(Learner.organization_id == organization_id)
        .where(Learner.id == learner_id)
    )
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)
