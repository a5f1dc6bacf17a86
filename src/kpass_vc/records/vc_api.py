"""VcApiIssuer: an issuer instance of the VC-API; VcApiCredential: what one has issued, without its content."""

from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class VcApiIssuer(Base):
    """One way of issuing whatever a system of the organisation's own composes."""

    __tablename__ = "vc_api_issuer"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    did: Mapped[str]
    algorithm: Mapped[str]
    securing: Mapped[str]
    """A cryptosuite, or a media type of VC-JOSE-COSE without its `application/`."""
    has_status: Mapped[bool]
    """Whether it gives each credential an entry in a status list."""
    is_open: Mapped[bool]
    """Whether anybody may issue, without a token."""
    created_at: Mapped[datetime]


class VcApiCredential(Base):
    """That a credential was issued: enough to revoke it, and nothing of what it says."""

    __tablename__ = "vc_api_credential"

    id: Mapped[str] = mapped_column(primary_key=True)
    issuer_id: Mapped[str] = mapped_column(ForeignKey("vc_api_issuer.id"), index=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"))
    credential_id: Mapped[str | None] = mapped_column(index=True)
    sha256: Mapped[str]
    status_list_id: Mapped[str | None] = mapped_column(ForeignKey("status_list.id"))
    status_index: Mapped[int | None]
    is_revoked: Mapped[bool]
    issued_at: Mapped[datetime]


def by_name(session: Session, name: str) -> VcApiIssuer | None:
    """An instance by the name in its address."""
    return session.scalar(select(VcApiIssuer).where(VcApiIssuer.name == name))


def every(session: Session) -> list[VcApiIssuer]:
    """All instances, by name."""
    return list(session.scalars(select(VcApiIssuer).order_by(VcApiIssuer.name)))


def first_of(session: Session, *, organization_id: str) -> VcApiIssuer | None:
    """The instance that an organisation made first."""
    query = select(VcApiIssuer).where(VcApiIssuer.organization_id == organization_id)
    return session.scalar(query.order_by(VcApiIssuer.created_at, VcApiIssuer.name).limit(1))


def has_issued(session: Session, *, issuer_id: str) -> bool:
    """Whether an instance has issued anything."""
    query = select(VcApiCredential.id).where(VcApiCredential.issuer_id == issuer_id).limit(1)
    return session.scalar(query) is not None


def revoked(session: Session, *, organization_id: str) -> list[VcApiCredential]:
    """What an organisation has issued by the VC-API and revoked."""
    query = (
        select(VcApiCredential)
        .where(VcApiCredential.organization_id == organization_id)
        .where(VcApiCredential.is_revoked)
    )
    return list(session.scalars(query.order_by(VcApiCredential.id)))


def issued(session: Session, *, organization_id: str, credential_id: str) -> list[VcApiCredential]:
    """What an organisation issued under a credential id, the newest first; held until the transaction ends."""
    query = (
        select(VcApiCredential)
        .where(VcApiCredential.organization_id == organization_id)
        .where(VcApiCredential.credential_id == credential_id)
        .order_by(VcApiCredential.issued_at.desc(), VcApiCredential.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))
