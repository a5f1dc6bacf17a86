"""Delegation: an owner's signed authorisation of an issuer for definitions of its own, and its withdrawal."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import JSON, ForeignKey, bindparam, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base

State = Literal["asked", "offered", "active", "declined", "withdrawn"]


class Delegation(Base):
    """That an issuer, here or elsewhere, may issue some definitions of one owner, from and until."""

    __tablename__ = "delegation"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    """The owner of the definitions, whose word it is."""
    issuer_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id"), index=True)
    """The issuer, where it is an organisation of this service."""
    issuer_did: Mapped[str] = mapped_column(index=True)
    codes: Mapped[list[str]] = mapped_column(JSON)
    """The codes of definition lines."""
    families: Mapped[list[str]] = mapped_column(JSON)
    """The beginnings of codes: a family has every line whose code goes on from there with a hyphen."""
    state: Mapped[str]
    note: Mapped[str | None]
    quota: Mapped[int | None]
    """How many may be issued under it; the service's business, never shown as verified."""
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    renews_id: Mapped[str | None] = mapped_column(ForeignKey("delegation.id"))
    """The one that it was before the issuer came to sign as another DID: the two are one right."""
    url: Mapped[str] = mapped_column(unique=True)
    body: Mapped[bytes | None]
    """The signed authorisation; none until the owner has granted it."""
    status_list_id: Mapped[str | None] = mapped_column(ForeignKey("status_list.id"))
    status_index: Mapped[int | None]
    withdrawal: Mapped[bytes | None]
    """The signed, dated notice."""
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    granted_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    def covers(self, code: str) -> bool:
        """Whether it is for a definition line of its owner."""
        return code in self.codes or any(code.startswith(f"{each}-") for each in self.families)


def by_id(
    session: Session, *, organization_id: str, delegation_id: str, for_update: bool = False
) -> Delegation | None:
    """A delegation that an organisation is a party of: as owner, or as issuer."""
    query = (
        select(Delegation)
        .where(Delegation.id == delegation_id)
        .where(
            or_(
                Delegation.organization_id == organization_id,
                Delegation.issuer_id == organization_id,
            )
        )
    )
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def by_url(session: Session, url: str) -> Delegation | None:
    """A delegation by the public address of its authorisation."""
    return session.scalar(select(Delegation).where(Delegation.url == url))


def by_urls(session: Session, urls: Collection[str]) -> dict[str, Delegation]:
    """Delegations by the public addresses of their authorisations, those that there are."""
    if not urls:
        return {}
    found = session.scalars(select(Delegation).where(Delegation.url.in_(urls)))
    return {row.url: row for row in found}


def of_organization(session: Session, *, organization_id: str) -> list[Delegation]:
    """All delegations that an organisation is a party of, newest first."""
    return list(session.scalars(_OF_ORGANIZATION, {"organization_id": organization_id}))


_OF_ORGANIZATION: Final = (
    select(Delegation)
    .where(
        or_(
            Delegation.organization_id == bindparam("organization_id"),
            Delegation.issuer_id == bindparam("organization_id"),
        )
    )
    .order_by(Delegation.created_at.desc(), Delegation.id)
)
"""Made once: to put a statement together takes longer than to carry it out."""


def between(session: Session, *, organization_id: str, issuer_did: str) -> list[Delegation]:
    """All delegations of one owner to one issuer, newest first."""
    return list(
        session.scalars(
            select(Delegation)
            .where(Delegation.organization_id == organization_id)
            .where(Delegation.issuer_did == issuer_did)
            .order_by(Delegation.created_at.desc(), Delegation.id)
        )
    )


def hold(session: Session, *, organization_id: str, delegation_id: str) -> Delegation | None:
    """A delegation of an owner, held until the transaction ends: its quota is counted under it."""
    return session.scalar(
        select(Delegation)
        .where(Delegation.organization_id == organization_id)
        .where(Delegation.id == delegation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def hold_granted(session: Session, *, organization_id: str) -> list[Delegation]:
    """All authorisations that an owner has signed, held in one order until the transaction ends."""
    return list(
        session.scalars(
            select(Delegation)
            .where(Delegation.organization_id == organization_id)
            .where(Delegation.body.is_not(None))
            .order_by(Delegation.created_at, Delegation.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
