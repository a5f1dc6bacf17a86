"""Make and withdraw API tokens, and know an actor by one.

A token is `kp_<id>_<secret>`; the secret is 256 random bits, of which only the
SHA-256 is kept. Two tokens may live side by side, so that one can be changed
for another without a gap.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.authz import (
    OPERATOR,
    ORGANIZATION,
    SYSTEM,
    TEST,
    Actor,
    Permission,
    Role,
    permissions_of,
)
from kpass_vc.crypto.multibase import base64url_encode
from kpass_vc.environment import Environment
from kpass_vc.errors import FieldError, Forbidden, InvalidInput, NotFound, Unauthenticated
from kpass_vc.model.personal_numbers import holds_personal_number
from kpass_vc.model.text import name
from kpass_vc.records import access
from kpass_vc.records import organization as organizations
from kpass_vc.records import person as people
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
    test: bool = False
    """Whether what is issued with it is a test: it says so in what is signed, and nobody takes it for real."""


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
    allowed = OPERATOR if organization is None else TEST if order.test else SYSTEM
    if organization is None and order.test:
        raise InvalidInput(FieldError("/test", "test_of_nobody"))
    wanted = allowed if order.permissions is None else frozenset(order.permissions)
    if not wanted <= allowed:
        raise InvalidInput(FieldError("/permissions", "enum", expected=", ".join(sorted(allowed))))
    made = new_token(
        env,
        session,
        label=order.label,
        permissions=wanted,
        lasts=timedelta(days=order.expires_in_days),
        organization_id=organization.id if organization else None,
        is_test=order.test,
    )
    row = made.row
    audit(env, session, actor, "token.granted", row.id, organization_id=row.organization_id)
    return made


def new_token(
    env: Environment,
    session: Session,
    *,
    label: str,
    permissions: frozenset[Permission],
    lasts: timedelta,
    organization_id: str | None,
    person_id: str | None = None,
    is_test: bool = False,
) -> NewToken:
    """A token of a system or of a person, stored; who asks for it has been looked at."""
    token_id, secret = env.entropy(9).hex(), base64url_encode(env.entropy(32))
    now = env.now()
    row = ApiToken(
        id=token_id,
        secret_sha256=_hash(secret),
        organization_id=organization_id,
        person_id=person_id,
        is_test=is_test,
        label=label,
        permissions=sorted(permissions),
        created_at=now,
        expires_at=now + lasts,
        revoked_at=None,
    )
    session.add(row)
    session.flush()
    return NewToken(row, f"{_PREFIX}{token_id}_{secret}")


def revoke_token(env: Environment, session: Session, actor: Actor, token_id: str) -> ApiToken:
    """The token, which no longer opens anything."""
    actor.require(Permission.TOKENS_WRITE)
    row = access.by_id(session, token_id)
    if row is None or row.person_id is not None:
        raise NotFound("token", token=token_id)
    if row.revoked_at is None:
        row.revoked_at = env.now()
        audit(env, session, actor, "token.revoked", token_id, organization_id=row.organization_id)
    return row


def authenticate(
    session: Session, token: str, now: datetime, organization: str | None = None
) -> Actor:
    """The actor of a token; Unauthenticated if it is unknown, expired or revoked.

    A permission that there is no more opens nothing. `organization` is the slug of the one that a
    person wants to act for, which need not be said by who has a role in one only.
    """
    row = _live(session, token, now)
    scope = frozenset(each for each in Permission if each.value in row.permissions)
    if row.person_id is not None and row.organization_id is not None:
        return _bound(session, row.person_id, row.organization_id, organization, scope)
    if row.person_id is not None:
        return person_acting(session, row.person_id, organization, scope)
    if row.is_test:
        scope &= TEST
    return Actor(f"token:{row.id}", row.organization_id, scope, is_test=row.is_test)


def myself(session: Session, token: str, now: datetime) -> Actor:
    """The person of a token, for no organisation; Unauthenticated as above, and for the token of a system."""
    row = _live(session, token, now)
    if row.person_id is None:
        raise Unauthenticated("unknown")
    scope = frozenset(each for each in Permission if each.value in row.permissions)
    return Actor(
        f"person:{row.person_id}",
        None,
        frozenset(),
        row.person_id,
        scope=scope,
        bound_to=row.organization_id,
    )


def _bound(
    session: Session,
    person_id: str,
    organization_id: str,
    asked: str | None,
    scope: frozenset[Permission],
) -> Actor:
    """A person as what they are in the organisation that their token was made for, and in no other."""
    found = organizations.by_id(session, organization_id)
    if found is None or asked not in {None, found.slug}:
        raise Forbidden("not_a_member", organization=asked or "")
    acting = person_acting(session, person_id, found.slug, scope)
    return replace(acting, bound_to=organization_id)


def _live(session: Session, token: str, now: datetime) -> ApiToken:
    token_id, _, secret = token.removeprefix(_PREFIX).partition("_")
    row = access.by_id(session, token_id) if token.startswith(_PREFIX) else None
    known = row.secret_sha256 if row is not None else ""
    if not hmac.compare_digest(_hash(secret), known) or row is None:
        raise Unauthenticated("unknown")
    if row.revoked_at is not None:
        raise Unauthenticated("revoked")
    if row.expires_at is not None and row.expires_at <= now:
        raise Unauthenticated("expired")
    return row


def person_acting(
    session: Session,
    person_id: str,
    organization: str | None,
    scope: frozenset[Permission] = ORGANIZATION,
) -> Actor:
    """A person, as what they are now in an organisation; Forbidden if they have no role in it."""
    found = people.organizations_of(session, person_id)
    slugs = list(dict.fromkeys(each.slug for each, _ in found))
    if organization is None and len(slugs) > 1:
        raise Forbidden("which_organization", organizations=", ".join(slugs))
    chosen = organization if organization is not None else next(iter(slugs), None)
    if chosen is None:
        return Actor(f"person:{person_id}", None, frozenset(), person_id, scope=scope)
    roles = [Role(role) for each, role in found if each.slug == chosen]
    if not roles:
        raise Forbidden("not_a_member", organization=chosen)
    acting_for = next(each.id for each, _ in found if each.slug == chosen)
    opens = permissions_of(roles) & scope
    return Actor(f"person:{person_id}", acting_for, opens, person_id, scope=scope)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
