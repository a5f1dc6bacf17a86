"""Dispute: what a learner says is wrong with a credential, and what the issuer answered."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base

State = Literal["open", "closed"]


class Dispute(Base):
    """One dispute of one award; at most one of them is open."""

    __tablename__ = "dispute"
    __table_args__ = (
        Index(
            "uq_dispute_open",
            "award_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    award_id: Mapped[str] = mapped_column(ForeignKey("award.id"), index=True)
    state: Mapped[str]
    text: Mapped[str]
    opened_at: Mapped[datetime]
    answer: Mapped[str | None]
    closed_at: Mapped[datetime | None]


def newest(session: Session, *, award_id: str) -> Dispute | None:
    """The last dispute of an award: the open one, if one is."""
    return session.scalar(
        select(Dispute)
        .where(Dispute.award_id == award_id)
        .order_by(Dispute.state.desc(), Dispute.opened_at.desc())
        .limit(1)
    )


def of_award(session: Session, *, award_id: str) -> list[Dispute]:
    """All disputes of an award, oldest first; check first whose it is."""
    query = select(Dispute).where(Dispute.award_id == award_id)
    return list(session.scalars(query.order_by(Dispute.opened_at, Dispute.id)))
