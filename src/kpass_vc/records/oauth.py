"""OauthClient: a system that proves who it is with a key of its own; UsedAssertion: that a proof is not used twice."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from kpass_vc.records.base import Base


class OauthClient(Base):
    """A client of OAuth 2.0, of one organisation; only public keys are here."""

    __tablename__ = "oauth_client"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    label: Mapped[str]
    keys: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    """Its JWKs, at most two, so that one can take the other's place."""
    permissions: Mapped[list[str]] = mapped_column(JSON)
    is_test: Mapped[bool]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class UsedAssertion(Base):
    """The id of a client assertion that was used, until it could not be used any more anyway."""

    __tablename__ = "used_assertion"

    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.id"), primary_key=True)
    jti_sha256: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


def by_id(session: Session, client_id: str) -> OauthClient | None:
    """A client by the id that it names itself by."""
    return session.get(OauthClient, client_id)


def of_organization(session: Session, *, organization_id: str) -> list[OauthClient]:
    """An organisation's clients, newest first."""
    query = select(OauthClient).where(OauthClient.organization_id == organization_id)
    return list(session.scalars(query.order_by(OauthClient.created_at.desc(), OauthClient.id)))


def use(session: Session, row: UsedAssertion, now: datetime) -> bool:
    """Whether an assertion is used for the first time; those that have run out are forgotten."""
    session.execute(delete(UsedAssertion).where(UsedAssertion.expires_at < now))
    values = {
        "client_id": row.client_id,
        "jti_sha256": row.jti_sha256,
        "expires_at": row.expires_at,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(UsedAssertion).values(values).on_conflict_do_nothing()
    return session.execute(statement.returning(UsedAssertion.jti_sha256)).first() is not None
