"""Review: that an organisation was asked to look at a definition version, and what it said; ReviewComment."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base
from kpass_vc.records.organization import Organization

Decision = Literal["approved", "changes_requested"]


class Review(Base):
    """One person's word on one version in one round; an approval is a signed endorsement."""

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("definition_version_id", "round", "person_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    definition_version_id: Mapped[str] = mapped_column(
        ForeignKey("definition_version.id"), index=True
    )
    round: Mapped[int]
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    """In whose name the reviewer speaks: the owner itself, or an organisation that was asked."""
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    decision: Mapped[str]
    decided_at: Mapped[datetime]
    digest_sri: Mapped[str]
    """Of the document that was looked at."""
    endorsement: Mapped[bytes | None]
    endorsement_url: Mapped[str | None] = mapped_column(unique=True)


class ReviewRequest(Base):
    """That an organisation other than the owner is asked to review a version."""

    __tablename__ = "review_request"

    definition_version_id: Mapped[str] = mapped_column(
        ForeignKey("definition_version.id"), primary_key=True
    )
    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id"), primary_key=True, index=True
    )
    asked_at: Mapped[datetime]


class ReviewComment(Base):
    """What somebody remarks on a version, on the whole or on one field."""

    __tablename__ = "review_comment"

    id: Mapped[str] = mapped_column(primary_key=True)
    definition_version_id: Mapped[str] = mapped_column(
        ForeignKey("definition_version.id"), index=True
    )
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"))
    author: Mapped[str]
    """The actor's name."""
    field: Mapped[str]
    """A JSON pointer into the definition; empty for the whole."""
    text: Mapped[str]
    written_at: Mapped[datetime]


def of_version(session: Session, *, definition_version_id: str) -> list[Review]:
    """All that was decided about a version, oldest first; check first who may read it."""
    return list(
        session.scalars(
            select(Review)
            .where(Review.definition_version_id == definition_version_id)
            .order_by(Review.round, Review.decided_at, Review.id)
        )
    )


def approvers(session: Session, *, definition_version_id: str) -> tuple[str, ...]:
    """What the organisations are called, in Swedish, that have approved a version, in order."""
    found = session.scalars(
        select(Organization.name_sv)
        .join(Review, Review.organization_id == Organization.id)
        .where(Review.definition_version_id == definition_version_id)
        .where(Review.decision == "approved")
        .where(Review.endorsement.is_not(None))
        .order_by(Review.decided_at)
    )
    return tuple(dict.fromkeys(found))


def signed_by(session: Session, *, organization_id: str) -> list[Review]:
    """What an organisation has approved of and signed, its own versions and others'."""
    query = (
        select(Review)
        .where(Review.organization_id == organization_id)
        .where(Review.endorsement.is_not(None))
    )
    return list(session.scalars(query.order_by(Review.decided_at, Review.id)))


def approvals_by(session: Session, *, organization_id: str) -> list[Review]:
    """All approvals that an organisation has signed, held until the transaction ends."""
    return list(
        session.scalars(
            select(Review)
            .where(Review.organization_id == organization_id)
            .where(Review.endorsement.is_not(None))
            .order_by(Review.decided_at, Review.id)
            .with_for_update()
        )
    )


def endorsement_by_url(session: Session, url: str) -> Review | None:
    """A review by the public address of its endorsement."""
    return session.scalar(select(Review).where(Review.endorsement_url == url))


def asked(session: Session, *, definition_version_id: str) -> list[ReviewRequest]:
    """The organisations that are asked to review a version; check first who may read it."""
    return list(
        session.scalars(
            select(ReviewRequest)
            .where(ReviewRequest.definition_version_id == definition_version_id)
            .order_by(ReviewRequest.asked_at, ReviewRequest.organization_id)
        )
    )


def waiting_for(session: Session, *, organization_id: str) -> list[str]:
    """The ids of the versions that an organisation is asked to review, oldest first."""
    return list(
        session.scalars(
            select(ReviewRequest.definition_version_id)
            .where(ReviewRequest.organization_id == organization_id)
            .order_by(ReviewRequest.asked_at)
        )
    )


def comments(session: Session, *, definition_version_id: str) -> list[ReviewComment]:
    """All remarks on a version, oldest first; check first who may read it."""
    return list(
        session.scalars(
            select(ReviewComment)
            .where(ReviewComment.definition_version_id == definition_version_id)
            .order_by(ReviewComment.written_at, ReviewComment.id)
        )
    )
