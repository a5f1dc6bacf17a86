"""Public keys in the forms the field uses, and the Signer every key store returns.

`cryptography` imports Ed25519 keys of small order, for which anyone can forge
signatures, so a key is checked here before it is used (RFC 8032 section 5.1.3;
SECURITY: finding 5). Points of the other curves are checked by the library.
RSA keys only verify: nothing of ours is signed with one.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from kpass_vc.crypto.multibase import multibase_decode, multibase_encode
from kpass_vc.errors import KeyRefused, Malformed, ProofInvalid


class Algorithm(StrEnum):
    """A kind of key, by the name JOSE gives its curve."""

    ED25519 = "Ed25519"
    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    RSA = "RSA"


ORGANIZATION_KEYS: Final = (Algorithm.ED25519, Algorithm.P256)
"""The kinds of key that every organisation signs with; the others are for verification and VC-API instances."""

# Multicodec varints of the public keys (Controlled Identifiers 1.0 section 2.2.2, multicodec table)
_MULTICODEC: Final = {
    Algorithm.ED25519: b"\xed\x01",
    Algorithm.P256: b"\x80\x24",
    Algorithm.P384: b"\x81\x24",
    Algorithm.P521: b"\x82\x24",
    Algorithm.RSA: b"\x85\x24",
}
_LENGTH: Final = {
    Algorithm.ED25519: 32,
    Algorithm.P256: 33,
    Algorithm.P384: 49,
    Algorithm.P521: 67,
}
_CURVE: Final[dict[Algorithm, tuple[ec.EllipticCurve, HashAlgorithm, int]]] = {
    Algorithm.P256: (ec.SECP256R1(), SHA256(), 32),
    Algorithm.P384: (ec.SECP384R1(), SHA384(), 48),
    Algorithm.P521: (ec.SECP521R1(), SHA512(), 66),
}
"""Curve, the hash that it signs over (RFC 7518 section 3.4), and the bytes of a coordinate."""
_RSA_BITS: Final = range(2048, 8193)


@dataclass(frozen=True)
class PublicKey:
    """A checked public key: 32 bytes for Ed25519, a compressed point for the P curves, PKCS#1 DER for RSA."""

    algorithm: Algorithm
    raw: bytes

    def __post_init__(self) -> None:
        expected = _LENGTH.get(self.algorithm, len(self.raw))
        if len(self.raw) != expected:
            raise KeyRefused("length", expected=expected, found=len(self.raw))
        _load(self.algorithm, self.raw)

    @classmethod
    def from_multikey(cls, text: str) -> "PublicKey":
        """The key in a `publicKeyMultibase` value; KeyRefused if we do not take it."""
        return _read(text)

    def multikey(self) -> str:
        """The key as a `publicKeyMultibase` value."""
        return multibase_encode(_MULTICODEC[self.algorithm] + self.raw)

    def coordinates(self) -> tuple[bytes, bytes]:
        """The x and y of a point, as long as its curve has it; for Ed25519 x is the key and y is empty.

        For RSA the modulus and the exponent, without leading zeros.
        """
        key = _load(self.algorithm, self.raw)
        if isinstance(key, ed25519.Ed25519PublicKey):
            return self.raw, b""
        if isinstance(key, rsa.RSAPublicKey):
            numbers = key.public_numbers()
            return _minimal(numbers.n), _minimal(numbers.e)
        size = _CURVE[self.algorithm][2]
        flat = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return flat[1 : 1 + size], flat[1 + size :]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if `signature` holds, else ProofInvalid.

        Ed25519: RFC 8032; P curves: r‖s over the hash of RFC 7518 section 3.4; RSA: RS256.
        """
        key = _load(self.algorithm, self.raw)
        try:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, message)
            elif isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, message, padding.PKCS1v15(), SHA256())
            else:
                _, digest, size = _CURVE[self.algorithm]
                if len(signature) != 2 * size:
                    raise ProofInvalid("signature")
                r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
                key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(digest))
        except (InvalidSignature, ValueError) as error:
            raise ProofInvalid("signature") from error


class Signer(Protocol):
    """A private key somewhere that signs; it never shows itself."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`: 64 bytes (Ed25519), or r‖s of ECDSA over the curve's hash."""


@lru_cache(maxsize=4096)
def _read(text: str) -> PublicKey:
    if not text.startswith("z"):
        raise KeyRefused("multikey")
    try:
        data = multibase_decode(text)
    except Malformed as error:
        raise KeyRefused("multikey") from error
    for algorithm, prefix in _MULTICODEC.items():
        if data.startswith(prefix):
            return PublicKey(algorithm, data[len(prefix) :])
    raise KeyRefused("kind")


@lru_cache(maxsize=4096)
def _load(
    algorithm: Algorithm, raw: bytes
) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    try:
        if algorithm is Algorithm.ED25519:
            _require_prime_order(raw)
            return ed25519.Ed25519PublicKey.from_public_bytes(raw)
        if algorithm is Algorithm.RSA:
            return _load_rsa(raw)
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE[algorithm][0], raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefused("point") from error


def _load_rsa(raw: bytes) -> rsa.RSAPublicKey:
    """An RSA key of 2,048 to 8,192 bits with an odd exponent above 2, in the one DER spelling."""
    key = load_der_public_key(raw)
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyRefused("kind")
    numbers = key.public_numbers()
    if key.key_size not in _RSA_BITS:
        raise KeyRefused("rsa_size", bits=key.key_size)
    if (
        numbers.e < 3
        or numbers.e % 2 == 0
        or key.public_bytes(Encoding.DER, PublicFormat.PKCS1) != raw
    ):
        raise KeyRefused("point")
    return key


def rsa_key(modulus: int, exponent: int) -> PublicKey:
    """The RSA key of two numbers; KeyRefused if it is too small, too large or odd."""
    try:
        key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        raise KeyRefused("point") from error
    return PublicKey(Algorithm.RSA, key.public_bytes(Encoding.DER, PublicFormat.PKCS1))


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


# The edwards25519 curve (RFC 8032 section 5.1), in extended coordinates
_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, _P - 2, _P) % _P
_SQRT_M1: Final = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]
_IDENTITY: Final[_Point] = (0, 1, 1, 0)


def _require_prime_order(raw: bytes) -> None:
    """Raise KeyRefused unless `raw` is the canonical encoding of a point of order L."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _P:
        raise KeyRefused("point")
    x = _recover_x(y, raw[31] >> 7)
    if not _is_identity(_multiply(_L, (x, y, 1, x * y % _P))) or (x, y) == (0, 1):
        raise KeyRefused("small_order")


def x25519_of(key: PublicKey) -> bytes:
    """The X25519 key of an Ed25519 key: u = (1 + y) / (1 - y) (RFC 7748 section 4.1)."""
    y = int.from_bytes(key.raw, "little") & (2**255 - 1)
    u = (1 + y) * pow(1 - y, _P - 2, _P) % _P
    return u.to_bytes(32, "little")


def _recover_x(y: int, sign: int) -> int:
    # RFC 8032 section 5.1.3 steps 2 to 4
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P:
        x = x * _SQRT_M1 % _P
    if (v * x * x - u) % _P or (x == 0 and sign):
        raise KeyRefused("point")
    return _P - x if x & 1 != sign else x


def _add(a: _Point, b: _Point) -> _Point:
    # RFC 8032 section 5.1.4
    e = (a[1] - a[0]) * (b[1] - b[0]) % _P
    f = (a[1] + a[0]) * (b[1] + b[0]) % _P
    g = 2 * a[3] * b[3] * _D % _P
    h = 2 * a[2] * b[2] % _P
    p, q, r, s = f - e, h - g, h + g, f + e
    return p * q % _P, r * s % _P, q * r % _P, p * s % _P


def _multiply(scalar: int, point: _Point) -> _Point:
    result = _IDENTITY
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _is_identity(point: _Point) -> bool:
    return point[0] % _P == 0 and (point[1] - point[2]) % _P == 0
