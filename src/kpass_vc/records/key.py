"""SigningKey: verification method, key-store URI, and whether it is active."""

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.records.base import Base

State = Literal["active", "retired", "compromised"]


class SigningKey(Base):
    """A key of one organisation, for one purpose; the private half is in a key store."""

    __tablename__ = "signing_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    algorithm: Mapped[str]
    multikey: Mapped[str] = mapped_column(unique=True)
    verification_method: Mapped[str] = mapped_column(unique=True)
    uri: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    active_from: Mapped[datetime]
    active_until: Mapped[datetime | None]

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return PublicKey.from_multikey(self.multikey)


def active(session: Session, *, organization_id: str, algorithm: Algorithm) -> SigningKey | None:
    """The key an organisation signs with now."""
    return session.scalar(
        select(SigningKey)
        .where(SigningKey.organization_id == organization_id)
        .where(SigningKey.algorithm == algorithm.value)
        .where(SigningKey.state == "active")
        .order_by(SigningKey.active_from.desc())
        .limit(1)
    )


def published(session: Session, *, organization_id: str) -> list[SigningKey]:
    """The keys of the DID document: active before retired, Ed25519 before P-256; compromised ones are not in it."""
    keys = session.scalars(
        select(SigningKey)
        .where(SigningKey.organization_id == organization_id)
        .where(SigningKey.state != "compromised")
        .order_by(SigningKey.active_from.desc(), SigningKey.id)
    )
    rank = {"active": 0, "retired": 1}
    kinds = [algorithm.value for algorithm in Algorithm]
    return sorted(keys, key=lambda key: (rank[key.state], kinds.index(key.algorithm)))
