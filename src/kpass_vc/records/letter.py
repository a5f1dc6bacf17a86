"""LetterCode: what a learner types from a letter to come to their private page, once; the code itself is not here."""

from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class LetterCode(Base):
    """One letter about one award; a newer letter ends the code of an older one."""

    __tablename__ = "letter_code"

    award_id: Mapped[str] = mapped_column(ForeignKey("award.id"), primary_key=True)
    code_sha256: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


def by_code(session: Session, *, code_sha256: str) -> LetterCode | None:
    """The letter of a code, by its hash; held until the transaction ends."""
    return session.scalar(
        select(LetterCode).where(LetterCode.code_sha256 == code_sha256).with_for_update()
    )


def of_award(session: Session, *, award_id: str) -> LetterCode | None:
    """The letter about an award; check first whose it is."""
    return session.get(LetterCode, award_id)
