"""SigningKey: verification method, key-store URI, and whether it is active."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import ForeignKey, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.records.base import Base

State = Literal["pending", "active", "retired", "compromised"]
_RANK: Final = {"pending": 0, "active": 1, "retired": 2}


class SigningKey(Base):
    """A key of one DID of one organisation, for one purpose; the private half is in a key store.

    pending: shown to the world, and not signing yet; active: signs; retired: signs no more, and what
    it signed still holds; compromised: shown no more, and what it signed holds no more.
    """

    __tablename__ = "signing_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    did: Mapped[str] = mapped_column(index=True)
    algorithm: Mapped[str]
    multikey: Mapped[str] = mapped_column(unique=True)
    verification_method: Mapped[str] = mapped_column(unique=True)
    uri: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    active_from: Mapped[datetime]
    active_until: Mapped[datetime | None]
    compromised_at: Mapped[datetime | None]

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return PublicKey.from_multikey(self.multikey)


def active(
    session: Session, *, organization_id: str, did: str, algorithm: Algorithm, hold: bool = False
) -> SigningKey | None:
    """The key that an organisation signs with now as one of its DIDs.

    `hold` is for who signs: the row is held, shared, until the transaction ends, and nobody withdraws
    a key while something that it has signed is not yet stored. Who had to wait for a withdrawal
    looks once more.
    """
    of = {"organization_id": organization_id, "did": did, "algorithm": algorithm.value}
    if not hold:
        return session.scalar(_ACTIVE, of)
    return session.scalar(_HELD, of) or session.scalar(_HELD, of)


_ACTIVE: Final = (
    select(SigningKey)
    .where(SigningKey.organization_id == bindparam("organization_id"))
    .where(SigningKey.did == bindparam("did"))
    .where(SigningKey.algorithm == bindparam("algorithm"))
    .where(SigningKey.state == "active")
    .order_by(SigningKey.active_from.desc())
    .limit(1)
)
"""Made once: to put a statement together takes longer than to carry it out."""
_HELD: Final = _ACTIVE.with_for_update(read=True).execution_options(populate_existing=True)


def owner(session: Session, *, did: str) -> str | None:
    """The id of the organisation that signs as a DID, or has signed as it; to have prepared it is not enough."""
    query = (
        select(SigningKey.organization_id)
        .where(SigningKey.did == did)
        .where(SigningKey.state != "pending")
    )
    return session.scalar(query.limit(1))


def published(session: Session, *, did: str, organization_id: str) -> list[SigningKey]:
    """An organisation's keys in a DID document: those that sign first, Ed25519 before P-256, no compromised one."""
    keys = of_dids(session, dids=[did]).get(did, [])
    return in_document(keys, organization_id=organization_id)


def in_document(keys: Iterable[SigningKey], *, organization_id: str) -> list[SigningKey]:
    """Of keys of one DID, the newest first, those that its document shows, in its order."""
    shown = [
        key for key in keys if key.organization_id == organization_id and key.state != "compromised"
    ]
    kinds = [algorithm.value for algorithm in Algorithm]
    return sorted(shown, key=lambda key: (_RANK[key.state], kinds.index(key.algorithm)))


def of_dids(session: Session, *, dids: Collection[str]) -> dict[str, list[SigningKey]]:
    """Every key of each of these DIDs, whoever signs as it and whatever became of it; the newest first."""
    found: dict[str, list[SigningKey]] = {}
    if dids:
        query = select(SigningKey).where(SigningKey.did.in_(dids))
        for key in session.scalars(query.order_by(SigningKey.active_from.desc(), SigningKey.id)):
            found.setdefault(key.did, []).append(key)
    return found


def of_organization(
    session: Session, *, organization_id: str, did: str | None = None, for_update: bool = False
) -> list[SigningKey]:
    """The keys an organisation has or had, all or those of a DID, the newest first.

    `for_update` holds them until the transaction ends, in the order in which issuing takes them, Ed25519
    before P-256: it would wait for us and we for it. The oldest come first, so that who comes after a
    change that we do not see yet waits where we do.
    """
    query = select(SigningKey).where(SigningKey.organization_id == organization_id)
    if did is not None:
        query = query.where(SigningKey.did == did)
    if for_update:
        order = (SigningKey.algorithm, SigningKey.active_from, SigningKey.id)
        held = query.order_by(*order).with_for_update()
        session.scalars(held.execution_options(populate_existing=True)).all()
    return list(session.scalars(query.order_by(SigningKey.active_from.desc(), SigningKey.id)))


def compromised(session: Session, *, did: str) -> dict[str, datetime]:
    """When each withdrawn key of a DID was withdrawn, by verification method."""
    keys = session.scalars(
        select(SigningKey).where(SigningKey.did == did).where(SigningKey.state == "compromised")
    )
    return {
        key.verification_method: key.compromised_at
        for key in keys
        if key.compromised_at is not None
    }


def owners(session: Session) -> dict[str, str]:
    """The organisation of every key, by the key's URI."""
    rows = session.execute(select(SigningKey.uri, SigningKey.organization_id))
    return {row[0]: row[1] for row in rows}


def dids(session: Session, *, organization_ids: Collection[str]) -> frozenset[str]:
    """Every did:web that organisations issue as or have issued as.

    No did:key: what an instance of the VC-API signs as one, others have composed, and may be anything.
    """
    query = (
        select(SigningKey.did)
        .where(SigningKey.organization_id.in_(organization_ids))
        .where(SigningKey.did.startswith("did:web:"))
        .where(SigningKey.state != "pending")
    )
    return frozenset(session.scalars(query.distinct()))


def by_method(session: Session, *, verification_method: str) -> SigningKey | None:
    """The key of a verification method, which names its DID."""
    return session.scalar(
        select(SigningKey).where(SigningKey.verification_method == verification_method)
    )
