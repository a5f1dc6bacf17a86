"""OAuth 2.0 client credentials with private_key_jwt (RFC 6749 section 4.4, RFC 7523): no shared secret.

A client signs a short assertion with a key of its own and gets a token for five minutes. The
assertion names this service, is good for a minute at most, and is used once.
"""

import hashlib
import json
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.tokens import NewToken, new_token
from kpass_vc.authz import SYSTEM, TEST, Actor, Permission
from kpass_vc.crypto.jose import CompactJws, from_jwk, read_compact, verify_compact
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    FieldError,
    InvalidInput,
    KpassError,
    Malformed,
    NotFound,
    OauthRefused,
)
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.model.personal_numbers import holds_personal_number
from kpass_vc.model.text import name
from kpass_vc.records import oauth as records
from kpass_vc.records import organization as organizations
from kpass_vc.records.oauth import OauthClient, UsedAssertion

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LASTS: Final = timedelta(seconds=300)
LONGEST: Final = timedelta(seconds=60)
"""How far ahead an assertion may end."""
LEEWAY: Final = timedelta(seconds=30)
MOST_KEYS: Final = 2
_ALGORITHMS: Final = {Algorithm.ED25519, Algorithm.P256}
_HEADERS: Final = frozenset({"alg", "typ", "kid"})
_TYPES: Final = (None, "JWT", "client-authentication+jwt")
LONGEST_ASSERTION: Final = 8000


class ClientOrder(BaseModel):
    """What a client is for, and its public keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    label: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(name)]
    keys: Annotated[list[JsonObject], Field(min_length=1, max_length=MOST_KEYS)]
    """JWKs: Ed25519 or P-256, public halves only."""
    permissions: Annotated[
        list[Annotated[Permission, Field(strict=False)]] | None, Field(min_length=1)
    ] = None
    test: bool = False
    """Whether what it issues is a test: it says so in what is signed."""


class KeysOrder(BaseModel):
    """The keys that a client signs with from now on."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    keys: Annotated[list[JsonObject], Field(min_length=1, max_length=MOST_KEYS)]


def register_client(
    env: Environment, session: Session, actor: Actor, slug: str, order: ClientOrder
) -> OauthClient:
    """A new client of an organisation. Operator only, like its tokens."""
    actor.require(Permission.TOKENS_WRITE)
    if holds_personal_number(order.label):
        raise InvalidInput(FieldError("/label", "personal_number"))
    organization = organizations.by_slug(session, slug)
    if organization is None:
        raise NotFound("organization", organization=slug)
    most = TEST if order.test else SYSTEM
    wanted = most if order.permissions is None else frozenset(order.permissions)
    if not wanted <= most:
        raise InvalidInput(FieldError("/permissions", "enum", expected=", ".join(sorted(most))))
    row = OauthClient(
        id=f"kc_{env.entropy(9).hex()}",
        organization_id=organization.id,
        label=order.label,
        keys=_checked(order.keys),
        permissions=sorted(wanted),
        is_test=order.test,
        created_at=env.now(),
    )
    session.add(row)
    session.flush()
    audit(env, session, actor, "client.registered", row.id, organization_id=organization.id)
    return row


def clients(session: Session, actor: Actor, slug: str) -> list[OauthClient]:
    """The clients of an organisation, newest first, the withdrawn ones too. Operator only."""
    actor.require(Permission.TOKENS_WRITE)
    organization = organizations.by_slug(session, slug)
    if organization is None:
        raise NotFound("organization", organization=slug)
    return records.of_organization(session, organization_id=organization.id)


def change_keys(
    env: Environment, session: Session, actor: Actor, client_id: str, order: KeysOrder
) -> OauthClient:
    """The client with other keys."""
    actor.require(Permission.TOKENS_WRITE)
    row = _known(session, client_id)
    row.keys = _checked(order.keys)
    audit(env, session, actor, "client.keys_changed", row.id, organization_id=row.organization_id)
    return row


def withdraw_client(
    env: Environment, session: Session, actor: Actor, client_id: str
) -> OauthClient:
    """The client, which gets no token any more; one that it has ends within five minutes."""
    actor.require(Permission.TOKENS_WRITE)
    row = _known(session, client_id)
    if row.revoked_at is None:
        row.revoked_at = env.now()
        audit(env, session, actor, "client.withdrawn", row.id, organization_id=row.organization_id)
    return row


def grant(env: Environment, session: Session, given: dict[str, str]) -> tuple[NewToken, list[str]]:
    """A token for a client, and its scopes; OauthRefused with the code of RFC 6749 section 5.2."""
    if given.get("grant_type") != "client_credentials":
        raise OauthRefused("unsupported_grant_type")
    if given.get("client_assertion_type") != ASSERTION_TYPE or not given.get("client_assertion"):
        raise OauthRefused("invalid_request")
    client = _client(env, session, given["client_assertion"])
    named = given.get("client_id")
    if named is not None and named != client.id:
        raise OauthRefused("invalid_client")
    allowed = [each for each in Permission if each.value in client.permissions]
    scope = given.get("scope", "").split()
    wanted = [each for each in allowed if not scope or each.value in scope]
    if set(scope) - {each.value for each in allowed}:
        raise OauthRefused("invalid_scope")
    made = new_token(
        env,
        session,
        label=client.label,
        permissions=frozenset(wanted),
        lasts=LASTS,
        organization_id=client.organization_id,
        is_test=client.is_test,
    )
    return made, [each.value for each in wanted]


def _client(env: Environment, session: Session, assertion: str) -> OauthClient:
    """Who has signed an assertion; `invalid_client` for whatever is wrong with it."""
    if len(assertion) > LONGEST_ASSERTION:
        raise OauthRefused("invalid_client")
    try:
        jws = read_compact(assertion)
        payload = read_json(jws.payload)
    except KpassError as error:
        raise OauthRefused("invalid_client") from error
    client = records.by_id(session, str(payload.get("sub")))
    if client is None or client.revoked_at is not None or payload.get("iss") != client.id:
        raise OauthRefused("invalid_client")
    if set(jws.header) - _HEADERS or jws.header.get("typ") not in _TYPES:
        raise OauthRefused("invalid_client")
    if not any(_signed_by(key, jws) for key in client.keys):
        raise OauthRefused("invalid_client")
    _require_fresh(env, session, client, payload)
    return client


def _signed_by(jwk: dict[str, str], jws: CompactJws) -> bool:
    if "kid" in jws.header and "kid" in jwk and jws.header["kid"] != jwk["kid"]:
        return False
    try:
        verify_compact(jws, from_jwk(jwk))
    except KpassError:
        return False
    return True


def _require_fresh(
    env: Environment, session: Session, client: OauthClient, payload: JsonObject
) -> None:
    now = env.now()
    until, jti = payload.get("exp"), payload.get("jti")
    audience = payload.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not {env.addresses.base, f"{env.addresses.base}/oauth/token"} & {
        str(each) for each in named
    }:
        raise OauthRefused("invalid_client")
    if not isinstance(until, int) or isinstance(until, bool) or not isinstance(jti, str) or not jti:
        raise OauthRefused("invalid_client")
    since = payload.get("nbf", 0)
    if not isinstance(since, int) or since > (now + LEEWAY).timestamp():
        raise OauthRefused("invalid_client")
    seconds = until - now.timestamp()
    if not -LEEWAY.total_seconds() < seconds <= (LONGEST + LEEWAY).total_seconds():
        raise OauthRefused("invalid_client")
    row = UsedAssertion(
        client_id=client.id,
        jti_sha256=hashlib.sha256(jti.encode("utf-8", "replace")).hexdigest(),
        expires_at=now + LONGEST + 2 * LEEWAY,
    )
    if not records.use(session, row, now):
        raise OauthRefused("invalid_client")


def _checked(keys: list[JsonObject]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for number, given in enumerate(keys):
        field = f"/keys/{number}"
        if "d" in given or "k" in given:
            raise InvalidInput(FieldError(field, "private_key"))
        try:
            key = from_jwk(given)
        except Malformed as error:
            raise InvalidInput(FieldError(field, "client_key")) from error
        if key.algorithm not in _ALGORITHMS:
            raise InvalidInput(FieldError(field, "client_key"))
        kept: dict[str, str] = {
            member: str(given[member])
            for member in ("kty", "crv", "x", "y", "kid")
            if member in given
        }
        found.append(kept)
    if len({json.dumps(each, sort_keys=True) for each in found}) != len(found):
        raise Conflict("key_twice")
    return found


def _known(session: Session, client_id: str) -> OauthClient:
    row = records.by_id(session, client_id)
    if row is None:
        raise NotFound("client", client=client_id)
    return row


def metadata(env: Environment) -> dict[str, Any]:
    """The authorisation server's metadata (RFC 8414)."""
    base = env.addresses.base
    return {
        "issuer": base,
        "token_endpoint": f"{base}/oauth/token",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "Ed25519"],
        "scopes_supported": sorted(each.value for each in SYSTEM),
    }
