"""Make and withdraw API tokens, and know an actor by one.

A token is `kp_<id>_<secret>`; the secret is 256 random bits, of which only the
SHA-256 is kept. Two tokens may live side by side, so that one can be changed
for another without a gap.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.authz import OPERATOR, ORGANIZATION, Actor, Permission
from kpass_vc.crypto.multibase import base64url_encode
from kpass_vc.environment import Environment
from kpass_vc.errors import FieldError, InvalidInput, NotFound, Unauthenticated
from kpass_vc.model.personal_numbers import holds_personal_number
from kpass_vc.model.text import name
from kpass_vc.records import access
from kpass_vc.records import organization as organizations
from kpass_vc.records.access import ApiToken

_PREFIX: Final = "kp_"
DEFAULT_DAYS: Final = 365


class TokenOrder(BaseModel):
    """What a new token is for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    label: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(name)]
    permissions: Annotated[
        list[Annotated[Permission, Field(strict=False)]] | None, Field(min_length=1)
    ] = None
    """All that its organisation may do, unless said otherwise."""
    expires_in_days: Annotated[int, Field(alias="expiresInDays", ge=1, le=1095)] = DEFAULT_DAYS


@dataclass(frozen=True)
class NewToken:
    """A token that was just made: the only time the whole of it is seen."""

    row: ApiToken
    token: str

    def __repr__(self) -> str:
        return f"NewToken({self.row.id})"


def grant_token(
    env: Environment, session: Session, actor: Actor, slug: str | None, order: TokenOrder
) -> NewToken:
    """A new token of an organisation, or of the operator for None."""
    actor.require(Permission.TOKENS_WRITE)
    if holds_personal_number(order.label):
        raise InvalidInput(FieldError("/label", "personal_number"))
    organization = organizations.by_slug(session, slug) if slug is not None else None
    if slug is not None and organization is None:
        raise NotFound("organization", organization=slug)
    allowed = OPERATOR if organization is None else ORGANIZATION
    wanted = allowed if order.permissions is None else frozenset(order.permissions)
    if not wanted <= allowed:
        raise InvalidInput(FieldError("/permissions", "enum", expected=", ".join(sorted(allowed))))
    token_id, secret = env.entropy(9).hex(), base64url_encode(env.entropy(32))
    now = env.now()
    row = ApiToken(
        id=token_id,
        secret_sha256=_hash(secret),
        organization_id=organization.id if organization else None,
        label=order.label,
        permissions=sorted(wanted),
        created_at=now,
        expires_at=now + timedelta(days=order.expires_in_days),
        revoked_at=None,
    )
    session.add(row)
    session.flush()
    audit(env, session, actor, "token.granted", token_id, organization_id=row.organization_id)
    return NewToken(row, f"{_PREFIX}{token_id}_{secret}")


def revoke_token(env: Environment, session: Session, actor: Actor, token_id: str) -> ApiToken:
    """The token, which no longer opens anything."""
    actor.require(Permission.TOKENS_WRITE)
    row = access.by_id(session, token_id)
    if row is None:
        raise NotFound("token", token=token_id)
    if row.revoked_at is None:
        row.revoked_at = env.now()
        audit(env, session, actor, "token.revoked", token_id, organization_id=row.organization_id)
    return row


def authenticate(session: Session, token: str, now: datetime) -> Actor:
    """The actor of a token; Unauthenticated if it is unknown, expired or revoked.

    A permission that there is no more opens nothing.
    """
    token_id, _, secret = token.removeprefix(_PREFIX).partition("_")
    row = access.by_id(session, token_id) if token.startswith(_PREFIX) else None
    known = row.secret_sha256 if row is not None else ""
    if not hmac.compare_digest(_hash(secret), known) or row is None:
        raise Unauthenticated("unknown")
    if row.revoked_at is not None:
        raise Unauthenticated("revoked")
    if row.expires_at is not None and row.expires_at <= now:
        raise Unauthenticated("expired")
    return Actor(
        name=f"token:{row.id}",
        organization_id=row.organization_id,
        permissions=frozenset(each for each in Permission if each.value in row.permissions),
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
