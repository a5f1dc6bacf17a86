"""An OpenID provider that lies as it is told to, with keys of its own."""

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from kpass_vc.oidc import OidcProvider
from tests.tls import Answer, Authority, https_server, sends
from tests.world import Clock

AsymmetricKey = RSAKey | ECKey | OKPKey
CLIENT, SECRET = "kpass", "s" * 32
SUBJECT, EMAIL = "subject-1", "anna@region.example"


@dataclass
class Evil:
    """What it says of itself, in the ID token, and at the userinfo endpoint; what it was asked."""

    clock: Clock
    issuer: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    secret: str | None = None
    """The secret that its tokens are signed with, in place of a key."""
    keys: dict[str, AsymmetricKey] = field(default_factory=dict)
    signs_with: AsymmetricKey | None = None
    """Another key than the one that it publishes."""
    asked: list[dict[str, str]] = field(default_factory=list)
    nonce: str = ""

    def provider(self, **members: str) -> OidcProvider:
        given = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "name": "Region Exempel",
        }
        return OidcProvider(**(given | members))

    def visited(self, address: str) -> str:
        """The state of somebody who was sent here and has signed in."""
        query = parse_qs(urlsplit(address).query)
        self.nonce = query["nonce"][0]
        return query["state"][0]

    def answers(self) -> dict[str, Answer]:
        return {
            "/.well-known/openid-configuration": lambda at: self._says(at, self._metadata()),
            "/jwks": lambda at: self._says(at, {"keys": self._published()}),
            "/token": self._token,
            "/me": lambda at: self._says(at, self.userinfo),
        }

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        } | self.metadata

    def _published(self) -> list[dict[str, Any]]:
        return [{**key.as_dict(private=False), "kid": alg} for alg, key in self.keys.items()]

    def _token(self, at: BaseHTTPRequestHandler) -> None:
        body = at.rfile.read(int(at.headers["Content-Length"])).decode()
        basic = at.headers.get("Authorization", "").removeprefix("Basic ")
        self.asked.append(
            {name: values[0] for name, values in parse_qs(body).items()}
            | {"basic": unquote_plus(base64.b64decode(basic).decode())}
        )
        tokens = {"access_token": "opens", "token_type": "Bearer", "id_token": self.id_token()}
        self._says(at, tokens, self.token_status)

    def id_token(self) -> str:
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "email": EMAIL,
            "email_verified": True,
        } | self.claims
        payload = json.dumps({name: said for name, said in claims.items() if said is not None})
        header = {"alg": "RS256"} | self.header
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(payload.encode())}"
        if header["alg"] == "none":
            return f"{signed}."
        if self.secret is not None:
            return (
                f"{signed}.{_encoded(hmac.digest(self.secret.encode(), signed.encode(), 'sha256'))}"
            )
        key = self.signs_with or self.keys[header["alg"]]
        if isinstance(
            key.private_key, Ed25519PrivateKey
        ):  # joserfc warns of the name EdDSA, which providers still use
            return f"{signed}.{_encoded(key.private_key.sign(signed.encode()))}"
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        return jws.serialize_compact(header, payload, key, registry=registry)

    def _says(self, at: BaseHTTPRequestHandler, said: object, status: int = 200) -> None:
        sends(json.dumps(said).encode(), status=status)(at)


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@contextmanager
def evil_provider(authority: Authority) -> Iterator[Callable[[Clock], Evil]]:
    """Makes the server tell new lies, for one test at a time: making a server anew takes half a second."""
    answers: dict[str, Answer] = {}
    keys = new_keys()
    with https_server(authority, answers) as port:

        def lies(clock: Clock) -> Evil:
            evil = Evil(clock, issuer=f"https://localhost:{port}", keys=dict(keys))
            answers.update(evil.answers())
            return evil

        yield lies


def new_keys() -> dict[str, AsymmetricKey]:
    return {
        "RS256": RSAKey.generate_key(2048),
        "ES256": ECKey.generate_key("P-256"),
        "EdDSA": OKPKey.generate_key("Ed25519"),
        "ES384": ECKey.generate_key("P-384"),
    }
