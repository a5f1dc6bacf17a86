"""AuditEntry: what was done, by whom, to what; written in the transaction that did it."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class AuditEntry(Base):
    """One thing that was done. No personal data: ids only."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime]
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id"), index=True)
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, str]] = mapped_column(JSON)


def of_organization(session: Session, *, organization_id: str) -> list[AuditEntry]:
    """All entries of an organisation, oldest first."""
    return list(
        session.scalars(
            select(AuditEntry)
            .where(AuditEntry.organization_id == organization_id)
            .order_by(AuditEntry.id)
        )
    )
