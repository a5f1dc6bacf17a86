"""Who somebody is, by the word of an OpenID provider (OpenID Connect Core 1.0, the code flow).

What comes back through the browser is anybody's word. So the code is bound to
us by PKCE, the answer to its sender by `iss` (RFC 9207), and the ID token to
this sign-in by its nonce; who signs it, with which algorithms and for whom are
ours to say, and not the token's. Authlib knows the protocol, our own JOSE code
looks at the signature, and every request goes through the one way out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, NoReturn
from urllib.parse import quote_plus

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import ClaimError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kpass_vc.crypto.jose import CompactJws, from_jwk, read_compact, verify_compact
from kpass_vc.errors import KpassError, NotFetched, OidcRefused, Unavailable
from kpass_vc.fetch import Fetched, Fetcher, plain_https
from kpass_vc.model.document import JsonObject, read_json

ALGORITHMS: Final = frozenset({"RS256", "ES256", "EdDSA"})
"""What an ID token may be signed with: never `none`, and never with a secret that two sides have."""
LEEWAY: Final = 60
"""Seconds by which the provider's clock and ours may differ."""
LONGEST: Final = timedelta(hours=12)
"""How long ago somebody may have signed in at the provider."""
REMEMBERED: Final = timedelta(minutes=10)
"""So long what the provider says of itself is not asked for again."""
SCOPE: Final = "openid email"
MOST_KEYS: Final = 20
LONGEST_SUBJECT: Final = 255
"""OpenID Connect Core section 2."""
_TYPES: Final = frozenset({"", "jwt"})

_Address = Annotated[str, Field(max_length=2000)]


class _Message(BaseModel):
    """What a provider sends; it may say more than we read."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Metadata(_Message):
    """What a provider says of itself (OpenID Connect Discovery 1.0 section 3, RFC 8414, RFC 9207)."""

    issuer: str
    authorization_endpoint: _Address
    token_endpoint: _Address
    jwks_uri: _Address
    userinfo_endpoint: _Address | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    code_challenge_methods_supported: list[str] | None = None
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(_Message):
    id_token: str = Field(max_length=100_000)
    access_token: str | None = Field(default=None, max_length=20_000, pattern=r"^[\x21-\x7e]+$")


class _Keys(_Message):
    keys: list[JsonObject] = Field(max_length=100)


class Answer(_Message):
    """What the browser brings back (RFC 6749 section 4.1.2, RFC 9207)."""

    state: str
    code: str | None = None
    error: str | None = None
    iss: str | None = None


@dataclass(frozen=True)
class Started:
    """What a sign-in was begun with, and its end is measured by."""

    redirect_uri: str
    at: datetime
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    anew: bool = False
    """Whether they are to prove anew who they are, signed in at the provider or not."""


@dataclass(frozen=True)
class Claimed:
    """An account at the provider, and its e-mail address if the provider has confirmed it."""

    issuer: str
    subject: str
    email: str | None
    proved_at: datetime | None
    """When its holder last proved to the provider who they are, if it says so."""


@dataclass(frozen=True)
class OidcProvider:
    """The provider that an installation is set up for, and who we are to it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    _known: dict[Literal["metadata"], tuple[datetime, Metadata]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def address(self, fetcher: Fetcher, started: Started, *, state: str, now: datetime) -> str:
        """Where a browser is sent to sign in; Unavailable if the provider is not there, or not fit."""
        metadata = self._metadata(fetcher, now)
        found: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            self.client_id,
            "code",
            redirect_uri=started.redirect_uri,
            scope=SCOPE,
            state=state,
            nonce=started.nonce,
            code_challenge=create_s256_code_challenge(started.verifier),
            code_challenge_method="S256",
            prompt="login" if started.anew else None,
            # asked for, it makes the provider say when they signed in there (Core 3.1.2.1)
            max_age="0" if started.anew else str(int(LONGEST.total_seconds())),
        )
        return found

    def claimed(
        self, fetcher: Fetcher, started: Started, answer: Answer, *, now: datetime
    ) -> Claimed:
        """Who has signed in; OidcRefused for an answer that does not hold, Unavailable without one."""
        metadata = self._metadata(fetcher, now)
        if answer.iss is None and metadata.authorization_response_iss_parameter_supported:
            self._refuse("iss")
        if answer.iss is not None and answer.iss != self.issuer:
            self._refuse("iss")
        if answer.error is not None or not answer.code:
            raise OidcRefused("denied", provider=self.name)
        tokens = self._tokens(fetcher, metadata, answer.code, started)
        claims = self._id_token(fetcher, metadata, tokens, started, now)
        proved_at = self._proved_at(claims, started, now)
        subject = str(claims["sub"])
        said: JsonObject = claims
        if "email" not in claims and metadata.userinfo_endpoint and tokens.access_token:
            said = self._userinfo(fetcher, metadata.userinfo_endpoint, tokens.access_token)
            # OpenID Connect Core 5.3.2: another subject's would be another person's
            if said.get("sub") != subject:
                self._refuse("userinfo")
        email = said.get("email") if said.get("email_verified") is True else None
        address = email.lower() if isinstance(email, str) else None
        return Claimed(self.issuer, subject, address, proved_at)

    def _proved_at(self, claims: JsonObject, started: Started, now: datetime) -> datetime | None:
        """When they signed in at the provider; refused if that was before it was to be."""
        said = claims.get("auth_time")
        if said is None and not started.anew:
            return None
        earliest = started.at if started.anew else now - LONGEST
        leeway = timedelta(seconds=LEEWAY)
        try:
            found = datetime.fromtimestamp(float(str(said)), UTC)
        except (ValueError, OverflowError, OSError) as error:
            self._refuse("auth_time", error)
        if not earliest - leeway <= found <= now + leeway:
            self._refuse("auth_time")
        return min(found, now)

    def _metadata(self, fetcher: Fetcher, now: datetime) -> Metadata:
        until, known = self._known.get("metadata", (now, None))
        if known is not None and now < until:
            return known
        found = self._fetched(fetcher, get_well_known_url(self.issuer, external=True))
        try:
            metadata = Metadata.model_validate(read_json(found.body))
            plain_https(metadata.authorization_endpoint)
        except (KpassError, ValidationError) as error:
            raise Unavailable("oidc_unfit", provider=self.name, part="metadata") from error
        methods = metadata.code_challenge_methods_supported
        # Discovery 4.3: exactly the one that was asked for, or another speaks for it
        if metadata.issuer != self.issuer:
            raise Unavailable("oidc_unfit", provider=self.name, part="issuer")
        if methods is not None and "S256" not in methods:
            raise Unavailable(
                "oidc_unfit", provider=self.name, part="code_challenge_methods_supported"
            )
        self._known["metadata"] = (now + REMEMBERED, metadata)
        return metadata

    def _tokens(self, fetcher: Fetcher, metadata: Metadata, code: str, started: Started) -> _Tokens:
        body: str = prepare_token_request(
            "authorization_code",
            code=code,
            redirect_uri=started.redirect_uri,
            code_verifier=started.verifier,
        )
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        _, headers, body = self._authentication(metadata).prepare(
            "POST", metadata.token_endpoint, headers, body
        )
        try:
            found = fetcher.ask(metadata.token_endpoint, body.encode(), headers)
            return _Tokens.model_validate(read_json(found.body))
        except NotFetched as error:
            if error.data.get("status") == _BAD_REQUEST:
                self._refuse("code", error)
            raise self._silent(error) from error
        except (KpassError, ValidationError) as error:
            self._refuse("token", error)

    def _authentication(self, metadata: Metadata) -> ClientAuth:
        """How we say who we are: by the header, or in the body where a provider takes nothing else."""
        methods = metadata.token_endpoint_auth_methods_supported
        if "client_secret_basic" in methods:
            # RFC 6749 section 2.3.1: each is form-encoded before the two are joined
            return ClientAuth(
                quote_plus(self.client_id), quote_plus(self.client_secret), "client_secret_basic"
            )
        if "client_secret_post" in methods:
            return ClientAuth(self.client_id, self.client_secret, "client_secret_post")
        raise Unavailable(
            "oidc_unfit", provider=self.name, part="token_endpoint_auth_methods_supported"
        )

    def _id_token(
        self,
        fetcher: Fetcher,
        metadata: Metadata,
        tokens: _Tokens,
        started: Started,
        now: datetime,
    ) -> JsonObject:
        """The claims of the ID token (OpenID Connect Core 3.1.3.7)."""
        try:
            jws = read_compact(tokens.id_token)
            payload = read_json(jws.payload)
        except KpassError as error:
            self._refuse("id_token", error)
        if str(jws.header.get("alg")) not in ALGORITHMS:
            self._refuse("alg")
        if "crit" in jws.header or str(jws.header.get("typ", "")).lower() not in _TYPES:
            self._refuse("header")
        found = self._fetched(fetcher, metadata.jwks_uri)
        try:
            keys = _Keys.model_validate(read_json(found.body)).keys
        except (KpassError, ValidationError) as error:
            raise Unavailable("oidc_unfit", provider=self.name, part="jwks_uri") from error
        candidates = [key for key in keys if _may_sign(key, jws.header)][:MOST_KEYS]
        if not any(_is_signed_by(key, jws) for key in candidates):
            self._refuse("signature")
        claims = CodeIDToken(
            payload,
            jws.header,
            options={
                "iss": {"essential": True, "value": self.issuer},
                "sub": {"essential": True},
                "aud": {"essential": True, "value": self.client_id},
            },
            params={
                "client_id": self.client_id,
                "nonce": started.nonce,
                "access_token": tokens.access_token,
            },
        )
        try:
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        except ClaimError as error:
            self._refuse(error.claim, error)
        if len(claims["sub"]) > LONGEST_SUBJECT:
            self._refuse("sub")
        return payload

    def _userinfo(self, fetcher: Fetcher, url: str, access_token: str) -> JsonObject:
        # OpenID Connect Core 5.3.1: GET or POST, and the token in the header either way
        headers = {"Accept": "application/json", "Authorization": f"Bearer {access_token}"}
        try:
            return read_json(fetcher.ask(url, b"", headers).body)
        except NotFetched as error:
            raise self._silent(error) from error
        except KpassError as error:
            self._refuse("userinfo", error)

    def _fetched(self, fetcher: Fetcher, url: str) -> Fetched:
        try:
            return fetcher.get(url, accept="application/json")
        except NotFetched as error:
            raise self._silent(error) from error

    def _silent(self, error: NotFetched) -> Unavailable:
        return Unavailable("oidc", provider=self.name, reason=error.rule)

    def _refuse(self, part: str, cause: Exception | None = None) -> NoReturn:
        raise OidcRefused("answer", provider=self.name, part=part) from cause


_BAD_REQUEST: Final = 400


def _may_sign(key: Mapping[str, object], header: Mapping[str, object]) -> bool:
    """Whether a key is one for signatures, and the one that the token names if it names any."""
    if key.get("use", "sig") != "sig" or key.get("alg", header["alg"]) != header["alg"]:
        return False
    return "kid" not in header or key.get("kid") == header["kid"]


def _is_signed_by(key: Mapping[str, object], jws: CompactJws) -> bool:
    try:
        verify_compact(jws, from_jwk(key))
    except KpassError:
        return False
    return True
