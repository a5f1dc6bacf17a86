"""ConsoleSession, Passkey, Password, Ceremony, Invitation: how people come in through the console.

Of every secret that a browser or a mail holds only the SHA-256 is here.
"""

from datetime import datetime
from typing import Literal

from sqlalchemy import CursorResult, ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base

Purpose = Literal["first", "person", "review"]


class ConsoleSession(Base):
    """One browser in which somebody is signed in."""

    __tablename__ = "console_session"

    id: Mapped[str] = mapped_column(primary_key=True)
    """The SHA-256 of the secret in the cookie."""
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id"))
    """Which organisation they act for, of those they have a role in."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    proved_at: Mapped[datetime]
    """When they last proved who they are: asked for anew before keys are changed and many are revoked."""


class Passkey(Base):
    """A public key whose private half a person's device holds (WebAuthn)."""

    __tablename__ = "passkey"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    label: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Password(Base):
    """A person's password, hashed, and the secret of their authenticator app, sealed: both are asked for."""

    __tablename__ = "password"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    password_hash: Mapped[str]
    sealed_totp: Mapped[bytes]
    last_step: Mapped[int]
    """The time step of the last code that was taken: no code is taken twice (RFC 6238 section 5.2)."""
    failures: Mapped[int]
    """How many tries went wrong since the last one that did not."""
    blocked_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class Ceremony(Base):
    """What a device is to sign once, or an authenticator app that is being set up: good for minutes, taken once."""

    __tablename__ = "ceremony"

    id: Mapped[str] = mapped_column(primary_key=True)
    """The SHA-256 of a secret that the form holds."""
    purpose: Mapped[str]
    content: Mapped[bytes]
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime]


class Invitation(Base):
    """A link that lets somebody in once: the first person of all, a person, or a reviewer for one version."""

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(primary_key=True)
    """The link is made of it (links.py), and kept nowhere."""
    purpose: Mapped[str]
    language: Mapped[str]
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id"), index=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    definition_version_id: Mapped[str | None] = mapped_column(ForeignKey("definition_version.id"))
    """What a reviewer who has no account is asked to look at."""
    invited_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


def session_of(session: Session, *, secret_sha256: str) -> ConsoleSession | None:
    """The session of a cookie."""
    return session.get(ConsoleSession, secret_sha256)


def end_sessions(session: Session, *, person_id: str, but: str | None = None) -> int:
    """Sign a person out everywhere, or everywhere but in one browser; says how many sessions that were."""
    query = delete(ConsoleSession).where(ConsoleSession.person_id == person_id)
    if but is not None:
        query = query.where(ConsoleSession.id != but)
    return _count(session.execute(query))


def drop_old(
    session: Session, *, seen_before: datetime, made_before: datetime, now: datetime
) -> None:
    """Forget sessions that are over, and ceremonies that nobody finished."""
    old = (ConsoleSession.seen_at < seen_before) | (ConsoleSession.created_at < made_before)
    session.execute(delete(ConsoleSession).where(old))
    session.execute(delete(Ceremony).where(Ceremony.expires_at < now))


def passkeys(session: Session, *, person_id: str) -> list[Passkey]:
    """A person's passkeys, oldest first."""
    query = select(Passkey).where(Passkey.person_id == person_id)
    return list(session.scalars(query.order_by(Passkey.created_at, Passkey.id)))


def passkey(session: Session, *, credential_id: bytes) -> Passkey | None:
    """The passkey that a device names."""
    query = select(Passkey).where(Passkey.credential_id == credential_id)
    return session.scalar(query.with_for_update())


def password(session: Session, *, person_id: str, for_update: bool = False) -> Password | None:
    """A person's password, if they have one."""
    query = select(Password).where(Password.person_id == person_id)
    return session.scalar(query.with_for_update() if for_update else query)


def ceremony(session: Session, *, ceremony_id: str, purpose: str, now: datetime) -> Ceremony | None:
    """The ceremony of a secret, if it is of this purpose and in time."""
    found = session.get(Ceremony, ceremony_id)
    in_time = found is not None and found.purpose == purpose and found.expires_at > now
    return found if in_time else None


def take_ceremony(
    session: Session, *, ceremony_id: str, purpose: str, now: datetime
) -> Ceremony | None:
    """The ceremony, for whoever takes it first and in time: it is there no more."""
    found = ceremony(session, ceremony_id=ceremony_id, purpose=purpose, now=now)
    if found is None:
        return None
    session.expunge(found)
    gone = session.execute(delete(Ceremony).where(Ceremony.id == ceremony_id))
    return found if _count(gone) == 1 else None


def invitation(session: Session, *, invitation_id: str) -> Invitation | None:
    """The invitation of a link."""
    return session.get(Invitation, invitation_id)


def use_invitation(session: Session, *, invitation_id: str, now: datetime) -> bool:
    """Whether the invitation was still unused: it is used now, and once only."""
    used = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.used_at.is_(None))
        .values(used_at=now)
    )
    return _count(used) == 1


def settle(session: Session, *, invitation_id: str, person_id: str, organization_id: str) -> bool:
    """Whether nobody had been settled on the first person's invitation yet: this is who it is for now."""
    settled = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id)
        .where(Invitation.person_id.is_(None), Invitation.used_at.is_(None))
        .values(person_id=person_id, organization_id=organization_id)
    )
    return _count(settled) == 1


def open_invitations(
    session: Session, *, organization_id: str, purpose: Purpose, now: datetime
) -> list[Invitation]:
    """The invitations of an organisation that can still be used, newest first."""
    return list(
        session.scalars(
            select(Invitation)
            .where(Invitation.organization_id == organization_id)
            .where(Invitation.purpose == purpose)
            .where(Invitation.used_at.is_(None), Invitation.expires_at > now)
            .order_by(Invitation.created_at.desc(), Invitation.id)
        )
    )


def end_invitations(
    session: Session, *, person_id: str, now: datetime, organization_id: str | None = None
) -> None:
    """No open invitation of a person to an organisation, or to any, can be used any more."""
    query = update(Invitation).where(
        Invitation.person_id == person_id, Invitation.used_at.is_(None)
    )
    if organization_id is not None:
        query = query.where(Invitation.organization_id == organization_id)
    session.execute(query.values(used_at=now))


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
