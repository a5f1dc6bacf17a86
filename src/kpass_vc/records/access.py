"""ApiToken: who may call, kept as a hash."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class ApiToken(Base):
    """A token of one organisation, or of the operator where there is none; the secret itself is not here."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_sha256: Mapped[str]
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id"), index=True)
    """Whose it is, if a system's; of a person's, the only one that it opens, if somebody else made it."""
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Whose it is, if a person's: what it opens follows from their roles."""
    is_test: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether what is issued with it is a test."""
    label: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


def by_id(session: Session, token_id: str) -> ApiToken | None:
    """A token by the id that is part of it."""
    return session.get(ApiToken, token_id)


def every(session: Session, *, organization_id: str | None) -> list[ApiToken]:
    """All tokens of one organisation's systems, or of the operator, newest first."""
    return list(
        session.scalars(
            select(ApiToken)
            .where(ApiToken.organization_id == organization_id)
            .where(ApiToken.person_id.is_(None))
            .order_by(ApiToken.created_at.desc())
        )
    )


def of_person(session: Session, *, person_id: str) -> list[ApiToken]:
    """All tokens of a person, newest first."""
    return list(
        session.scalars(
            select(ApiToken)
            .where(ApiToken.person_id == person_id)
            .order_by(ApiToken.created_at.desc())
        )
    )
