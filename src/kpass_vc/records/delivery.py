"""Delivery: a notice to a learner, until it has left the house."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, Select, exists, func, select, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from kpass_vc.records.award import Award
from kpass_vc.records.base import Base

State = Literal["waiting", "sent", "failed", "withdrawn"]


class Delivery(Base):
    """One notice of one award. The address is sealed; the message is made when it is sent."""

    __tablename__ = "delivery"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    award_id: Mapped[str] = mapped_column(ForeignKey("award.id"), index=True)
    kind: Mapped[str]
    """issued, corrected, revoked, suspended, reinstated or link."""
    channel: Mapped[str]
    state: Mapped[str]
    sealed_contact: Mapped[bytes | None]
    """Gone when it is sent or given up; the award's learner keeps the address."""
    message_id: Mapped[str] = mapped_column(unique=True)
    attempts: Mapped[int]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


def by_id(session: Session, *, organization_id: str, delivery_id: str) -> Delivery | None:
    """A delivery of an organisation, held until the transaction ends."""
    return session.scalar(
        select(Delivery)
        .where(Delivery.organization_id == organization_id)
        .where(Delivery.id == delivery_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def waiting_since(
    session: Session, *, organization_id: str, before: datetime
) -> tuple[int, str | None]:
    """How many notices have waited since before a moment, and what went wrong with one of them last."""
    query = (
        select(func.count(), func.max(Delivery.last_error))
        .where(Delivery.organization_id == organization_id)
        .where(Delivery.state == "waiting")
        .where(Delivery.sealed_contact.is_not(None))
        .where(Delivery.created_at < before)
    )
    count, error = session.execute(query).one()
    return count, error


def of_award(session: Session, *, organization_id: str, award_id: str) -> list[Delivery]:
    """All notices of an award, newest first."""
    return list(
        session.scalars(
            select(Delivery)
            .where(Delivery.organization_id == organization_id)
            .where(Delivery.award_id == award_id)
            .order_by(Delivery.created_at.desc(), Delivery.id)
        )
    )


def waiting_of_learner(
    session: Session, *, organization_id: str, learner_id: str
) -> list[Delivery]:
    """The notices to a learner that still wait, of whichever award, held until the transaction ends."""
    return list(
        session.scalars(
            select(Delivery)
            .join(Award, Award.id == Delivery.award_id)
            .where(Delivery.organization_id == organization_id)
            .where(Award.learner_id == learner_id)
            .where(Delivery.state == "waiting")
            .order_by(Delivery.id)
            .with_for_update(of=Delivery)
            .execution_options(populate_existing=True)
        )
    )


def undelivered(*, organization_id: str) -> Select[str]:
    """The ids of an organisation's awards whose last notice was given up."""
    later = aliased(Delivery)
    newer = (
        exists()
        .where(later.award_id == Delivery.award_id)
        .where(later.created_at > Delivery.created_at)
    )
    return (
        select(Delivery.award_id)
        .where(Delivery.organization_id == organization_id)
        .where(Delivery.state == "failed")
        .where(~newer)
    )


def unaddressed(*, organization_id: str) -> Select[str]:
    """The ids of an organisation's awards that no notice was ever written of, and whose learner may have a letter."""
    any_of_it = exists().where(Delivery.award_id == Award.id)
    return (
        select(Award.id)
        .where(Award.organization_id == organization_id)
        .where(Award.state != "revoked")
        .where(Award.erased_at.is_(None))
        .where(~any_of_it)
    )


def last_of(
    session: Session, *, organization_id: str, award_ids: Collection[str]
) -> dict[str, Delivery]:
    """The newest notice of each of these awards that has any, by the award's id."""
    query = (
        select(Delivery)
        .where(Delivery.organization_id == organization_id)
        .where(Delivery.award_id.in_(award_ids))
        .order_by(Delivery.created_at, Delivery.id)
    )
    return {each.award_id: each for each in session.scalars(query)}


def withdraw_waiting(session: Session, *, organization_id: str, award_id: str) -> None:
    """Withdraw the notices of an award that still wait."""
    session.execute(
        update(Delivery)
        .where(Delivery.organization_id == organization_id)
        .where(Delivery.award_id == award_id)
        .where(Delivery.state == "waiting")
        .values(state="withdrawn", sealed_contact=None)
    )
