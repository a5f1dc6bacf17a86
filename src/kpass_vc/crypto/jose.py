"""Compact JWS over any Signer (RFC 7515), and public keys as JWKs (RFC 7517, RFC 7638).

The compact form is built and read here because jwcrypto signs only with a key
in hand, and because it and joserfc accept more than our profiles allow. Which
headers are allowed is the format's business, not ours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer, rsa_key
from kpass_vc.crypto.multibase import base64url, base64url_decode, base64url_encode
from kpass_vc.errors import KeyRefused, Malformed, ProofInvalid
from kpass_vc.model.document import JsonObject, read_json

_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
_MAX_HEADER: Final = 8192

ALG_OF: Final = {
    Algorithm.ED25519: ("EdDSA", "Ed25519"),
    Algorithm.P256: ("ES256",),
    Algorithm.P384: ("ES384",),
    Algorithm.P521: ("ES512",),
    Algorithm.RSA: ("RS256",),
}
"""The `alg` values a key may sign under (RFC 8037, RFC 9864, RFC 7518); the first is what we write."""


@dataclass(frozen=True)
class CompactJws:
    """A compact JWS that was read and not yet verified."""

    header: JsonObject
    payload: bytes
    signing_input: bytes
    signature: bytes


def sign_compact(header: Mapping[str, object], payload: bytes, signer: Signer) -> str:
    """A compact JWS; `alg` comes from the signer's key and stands first in the header."""
    return compact_jws(header, payload, signer).decode("ascii")


def compact_jws(header: Mapping[str, object], payload: bytes, signer: Signer) -> bytes:
    """A compact JWS in ASCII; `alg` comes from the signer's key and stands first in the header."""
    full = {"alg": ALG_OF[signer.public_key.algorithm][0], **header}
    head = json.dumps(full, separators=(",", ":")).encode()
    signing_input = b"%s.%s" % (base64url(head), base64url(payload))
    return b"%s.%s" % (signing_input, base64url(signer.sign(signing_input)))


def is_compact(text: str) -> bool:
    """Whether `text` has the three parts of a compact JWS, with no padding."""
    return _COMPACT.match(text) is not None


def read_compact(text: str) -> CompactJws:
    """The parts of a compact JWS; Malformed if it is none."""
    if not is_compact(text):
        raise Malformed("compact_jws")
    head, payload, signature = text.split(".")
    return CompactJws(
        header=read_json(base64url_decode(head), max_bytes=_MAX_HEADER),
        payload=base64url_decode(payload),
        signing_input=f"{head}.{payload}".encode("ascii"),
        signature=base64url_decode(signature),
    )


def verify_compact(jws: CompactJws, key: PublicKey) -> None:
    """Return if the signature holds under `key` and `alg` is what that key signs, else ProofInvalid."""
    if jws.header.get("alg") not in ALG_OF[key.algorithm]:
        raise ProofInvalid("alg", alg=str(jws.header.get("alg"))[:40])
    key.verify(jws.signature, jws.signing_input)


def to_jwk(key: PublicKey) -> dict[str, str]:
    """The public key as a JWK, without kid, use or alg."""
    x, y = key.coordinates()
    if key.algorithm is Algorithm.ED25519:
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(x)}
    if key.algorithm is Algorithm.RSA:
        return {"kty": "RSA", "n": base64url_encode(x), "e": base64url_encode(y)}
    return {
        "kty": "EC",
        "crv": key.algorithm.value,
        "x": base64url_encode(x),
        "y": base64url_encode(y),
    }


_PUBLIC: Final = ("kty", "crv", "x", "y", "n", "e")
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Final = {
    algorithm.value: algorithm for algorithm in (Algorithm.P256, Algorithm.P384, Algorithm.P521)
}


def from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """The public key in a JWK; KeyRefused for private members, other kinds and points off the curve."""
    if _PRIVATE & jwk.keys():
        raise KeyRefused("private")
    try:
        members = JWK(**{name: jwk[name] for name in _PUBLIC if name in jwk})
        exported = cast("dict[str, str]", members.export_public(as_dict=True))
        if exported["kty"] == "RSA":
            n, e = base64url_decode(exported["n"]), base64url_decode(exported["e"])
            return rsa_key(int.from_bytes(n), int.from_bytes(e))
        x = base64url_decode(exported["x"])
        if (exported["kty"], exported["crv"]) == ("OKP", "Ed25519"):
            return PublicKey(Algorithm.ED25519, x)
        if exported["kty"] != "EC" or exported["crv"] not in _CURVES:
            raise KeyRefused("kind")
        y = base64url_decode(exported["y"])
        key = PublicKey(_CURVES[exported["crv"]], bytes([2 + (y[-1:] or b"\0")[0] % 2]) + x)
        if key.coordinates() != (x, y):
            raise KeyRefused("point")
    except (JWException, KeyError, TypeError, ValueError, Malformed) as error:
        if isinstance(error, KeyRefused):
            raise
        raise KeyRefused("jwk") from error
    return key


@lru_cache(maxsize=4096)
def thumbprint(key: PublicKey) -> str:
    """The JWK thumbprint (RFC 7638, SHA-256), base64url."""
    return cast("str", JWK(**to_jwk(key)).thumbprint())


def private_bytes(jwk: Mapping[str, object], algorithm: Algorithm) -> bytes:
    """The private key in a JWK in the form that `crypto.signers.signer_of` takes; KeyRefused if there is none."""
    value = jwk.get("d")
    if not isinstance(value, str) or algorithm is Algorithm.RSA:
        raise KeyRefused("jwk")
    try:
        return base64url_decode(value)
    except Malformed as error:
        raise KeyRefused("jwk") from error
