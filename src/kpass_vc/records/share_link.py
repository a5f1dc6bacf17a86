"""ShareLink: what a learner has let others see, and until when; the code itself is not here."""

from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class ShareLink(Base):
    """One share link of one award, for a credential of one language."""

    __tablename__ = "share_link"

    id: Mapped[str] = mapped_column(primary_key=True)
    award_id: Mapped[str] = mapped_column(ForeignKey("award.id"), index=True)
    language: Mapped[str]
    code_sha256: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def is_open(self, now: datetime) -> bool:
        """Whether the link shows anything at a moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def by_code(session: Session, *, code_sha256: str) -> ShareLink | None:
    """The link of a code, by its hash."""
    return session.scalar(select(ShareLink).where(ShareLink.code_sha256 == code_sha256))


def by_id(session: Session, *, award_id: str, share_id: str) -> ShareLink | None:
    """A link of one award."""
    return session.scalar(
        select(ShareLink).where(ShareLink.award_id == award_id).where(ShareLink.id == share_id)
    )


def of_award(session: Session, *, award_id: str) -> list[ShareLink]:
    """All links of an award, newest first, those that have ended among them."""
    return list(
        session.scalars(
            select(ShareLink)
            .where(ShareLink.award_id == award_id)
            .order_by(ShareLink.created_at.desc(), ShareLink.id)
        )
    )
