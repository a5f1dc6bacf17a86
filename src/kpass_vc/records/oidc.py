"""OidcAttempt: a sign-in with a provider that is under way; OidcIdentity: which of its accounts is which person."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class OidcAttempt(Base):
    """What a browser was sent to the provider with, until it comes back: once, and soon."""

    __tablename__ = "oidc_attempt"

    state_sha256: Mapped[str] = mapped_column(primary_key=True)
    browser_sha256: Mapped[str]
    """Of the secret that only this browser has, in a cookie: a stranger's state leads nowhere in it."""
    nonce: Mapped[str]
    verifier: Mapped[str]
    next_path: Mapped[str]
    invitation_id: Mapped[str | None] = mapped_column(ForeignKey("invitation.id"))
    """Which invitation is accepted by it, if any is."""
    prover_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    """Who is signed in already and proves anew who they are; None for somebody who signs in."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class OidcIdentity(Base):
    """An account at a provider, whose holder is one of our people; one account of each provider for each."""

    __tablename__ = "oidc_identity"
    __table_args__ = (UniqueConstraint("person_id", "issuer"),)

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    linked_at: Mapped[datetime]


def take(session: Session, *, state_sha256: str, browser_sha256: str) -> OidcAttempt | None:
    """The attempt of a state and a browser, which is gone from now on: one caller gets it."""
    statement = delete(OidcAttempt).where(
        OidcAttempt.state_sha256 == state_sha256, OidcAttempt.browser_sha256 == browser_sha256
    )
    return session.scalar(statement.returning(OidcAttempt))


def forget_expired(session: Session, now: datetime) -> None:
    """Remove the attempts that nobody came back from in time."""
    session.execute(delete(OidcAttempt).where(OidcAttempt.expires_at < now))


def identity(session: Session, *, issuer: str, subject: str) -> OidcIdentity | None:
    """Whose account it is."""
    return session.get(OidcIdentity, (issuer, subject))


def has_any(session: Session, *, person_id: str) -> bool:
    """Whether a person can sign in with a provider."""
    query = select(OidcIdentity.subject).where(OidcIdentity.person_id == person_id).limit(1)
    return session.scalar(query) is not None


def of_person(session: Session, *, issuer: str, person_id: str) -> OidcIdentity | None:
    """The account that a person has at a provider."""
    query = select(OidcIdentity).where(
        OidcIdentity.issuer == issuer, OidcIdentity.person_id == person_id
    )
    return session.scalar(query)
