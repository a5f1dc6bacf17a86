"""Webhook: an address of an organisation's own that is told of changes, and how far it has been told."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class Webhook(Base):
    """One receiver. It is told of the entries of the audit chain in order, so one number says how far it is."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    url: Mapped[str]
    sealed_secret: Mapped[bytes]
    events: Mapped[list[str]] = mapped_column(JSON)
    """The audit actions it is told of; empty for all that the change feed has."""
    position: Mapped[int]
    """The number of the last entry that it has taken, or that it is not told of."""
    failures: Mapped[int]
    """How often in a row it has not taken the next one."""
    last_error: Mapped[str | None]
    next_at: Mapped[datetime]
    """When it is tried next; while somebody is trying, when somebody else may."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


def by_id(session: Session, *, organization_id: str, webhook_id: str) -> Webhook | None:
    """A webhook of an organisation that has not ended, held until the transaction ends."""
    return session.scalar(
        select(Webhook)
        .where(Webhook.organization_id == organization_id)
        .where(Webhook.id == webhook_id)
        .where(Webhook.ended_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def of_organization(session: Session, *, organization_id: str) -> list[Webhook]:
    """An organisation's webhooks that have not ended, newest first."""
    return list(
        session.scalars(
            select(Webhook)
            .where(Webhook.organization_id == organization_id)
            .where(Webhook.ended_at.is_(None))
            .order_by(Webhook.created_at.desc(), Webhook.id)
        )
    )


def due(session: Session, now: datetime) -> list[Webhook]:
    """The webhooks that may be tried now, whichever organisation's; held, those that others hold passed over."""
    return list(
        session.scalars(
            select(Webhook)
            .where(Webhook.ended_at.is_(None))
            .where(Webhook.next_at <= now)
            .order_by(Webhook.next_at, Webhook.id)
            .limit(20)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    )
