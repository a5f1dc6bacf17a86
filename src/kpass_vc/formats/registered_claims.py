"""The registered claims of a JWT that repeat what its credential says (RFC 7519 section 4.1)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from kpass_vc.errors import ProofInvalid
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.document import JsonObject

CLAIMS: Final = frozenset({"iss", "sub", "jti", "nbf", "exp", "iat", "aud", "nonce", "cnf"})
"""What is a JWT's own beside the credential's members."""

_BINDING: Final = ("iss", "sub", "jti")


def registered_claims(credential: Mapping[str, object]) -> JsonObject:
    """The claims that repeat the credential: iss, jti, nbf, sub, and exp if it runs out; iss is a holder too."""
    issuer = credential.get("issuer", credential.get("holder"))
    subject = credential.get("credentialSubject")
    claims: JsonObject = {
        "iss": issuer.get("id") if isinstance(issuer, Mapping) else issuer,
        "jti": credential.get("id"),
        "nbf": _seconds(credential.get("validFrom")),
        "sub": subject.get("id") if isinstance(subject, Mapping) else None,
    }
    if "validUntil" in credential:
        claims["exp"] = _seconds(credential["validUntil"])
    return {name: value for name, value in claims.items() if value is not None}


def require_no_other(said: JsonObject, found: JsonObject) -> None:
    """Return unless a claim names another issuer, subject or credential than it says; else ProofInvalid.

    A claim on what the document leaves open contradicts nothing, and nobody reads it.
    """
    for name in _BINDING:
        if name in found and name in said and found[name] != said[name]:
            raise ProofInvalid("claim", claim=name)


def missing_claims(document: Mapping[str, object], options: JsonObject) -> tuple[str, ...]:
    """The claims that Open Badges 3.0 (section 8.2) demands of a JWT beside its credential and that are not there."""
    claims = options.get("claims")
    found: JsonObject = claims if isinstance(claims, dict) else {}
    return tuple(name for name in registered_claims(document) if name not in {*found, "exp"})


def _seconds(value: object) -> int | None:
    return _timestamp(value) if isinstance(value, str) else None


@lru_cache(maxsize=256)
def _timestamp(text: str) -> int | None:
    moment = parse_date_time(text)
    return int(moment.timestamp()) if moment else None
