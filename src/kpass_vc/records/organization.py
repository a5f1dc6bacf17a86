"""Organization and its queries."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.language import Language
from kpass_vc.records.base import Base


class Organization(Base):
    """An organisation: the issuer, the owner of definitions."""

    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    did: Mapped[str] = mapped_column(unique=True)
    name_sv: Mapped[str]
    name_en: Mapped[str]
    organization_number: Mapped[str | None] = mapped_column(unique=True)
    country: Mapped[str]
    url: Mapped[str | None]
    email: Mapped[str | None]
    image: Mapped[str | None]
    created_at: Mapped[datetime]
    approvals: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many must approve a definition version of its own before it is published."""
    external_approvals: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many of them must speak for another organisation."""
    review_grace_days: Mapped[int] = mapped_column(default=180, server_default="180")
    """How long it may go on issuing when a definition is due for review."""
    confirmed_at: Mapped[datetime | None]
    """When the operator made sure who it is."""
    confirmed_by: Mapped[str | None]
    """How: what the operator looked at."""
    is_elsewhere: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it lives on another service, and only its definitions are known here."""

    def name(self, language: Language) -> str:
        """The name in a language."""
        return self.name_sv if language == "sv" else self.name_en


OPERATOR_SLUG: Final = "operator"
"""The operator's own, which signs what the operator says and nothing else."""


def by_slug(session: Session, slug: str) -> Organization | None:
    """The organisation of a slug, of those that live here."""
    query = select(Organization).where(Organization.slug == slug)
    return session.scalar(query.where(Organization.is_elsewhere.is_(False)))


def ids(session: Session, *, slugs: Collection[str]) -> list[str]:
    """The ids of the organisations of these slugs, of those that live here."""
    if not slugs:
        return []
    query = select(Organization.id).where(Organization.slug.in_(slugs))
    return list(session.scalars(query.where(Organization.is_elsewhere.is_(False))))


def the_operator(session: Session) -> Organization | None:
    """The operator as an organisation, once it has signed anything."""
    return session.scalar(select(Organization).where(Organization.slug == OPERATOR_SLUG))


def by_id(session: Session, organization_id: str) -> Organization | None:
    """The organisation of an id."""
    return session.get(Organization, organization_id)


def hold(session: Session, organization_id: str) -> None:
    """Have an organisation's keys and publications to ourselves until the transaction ends; issuing goes on.

    Held before anything else of it: publishing takes a definition first and then a key, and who
    withdraws a key needs both at once.
    """
    query = select(Organization.id).where(Organization.id == organization_id)
    session.execute(query.with_for_update(key_share=True))


def by_did(session: Session, did: str) -> Organization | None:
    """The organisation of a DID."""
    return session.scalar(select(Organization).where(Organization.did == did))


def by_number(session: Session, number: str) -> Organization | None:
    """The organisation of an organisation number."""
    return session.scalar(select(Organization).where(Organization.organization_number == number))


def every(session: Session) -> list[Organization]:
    """All organisations that live here, by slug; the operator is none of them."""
    query = select(Organization).where(Organization.is_elsewhere.is_(False))
    query = query.where(Organization.slug != OPERATOR_SLUG)
    return list(session.scalars(query.order_by(Organization.slug)))


def confirmed(session: Session, *, dids: Collection[str]) -> dict[str, datetime]:
    """When the operator made sure who an organisation is, by DID, of those it has."""
    found = session.execute(
        select(Organization.did, Organization.confirmed_at)
        .where(Organization.did.in_(dids))
        .where(Organization.confirmed_at.is_not(None))
    )
    return {row[0]: row[1] for row in found if row[1] is not None}
