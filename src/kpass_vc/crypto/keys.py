"""Public keys in the forms the field uses, and the Signer every key store returns.

`cryptography` imports Ed25519 keys of small order, for which anyone can forge
signatures, so a key is checked here before it is used (RFC 8032 section 5.1.3;
SECURITY: finding 5). P-256 points are checked by the library.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kpass_vc.crypto.multibase import multibase_decode, multibase_encode
from kpass_vc.errors import KeyRefused, Malformed, ProofInvalid


class Algorithm(StrEnum):
    """A kind of key, by the name JOSE gives its curve."""

    ED25519 = "Ed25519"
    P256 = "P-256"


# Multicodec varints of the public keys (Controlled Identifiers 1.0 section 2.2.2)
_MULTICODEC: Final = {Algorithm.ED25519: b"\xed\x01", Algorithm.P256: b"\x80\x24"}
_LENGTH: Final = {Algorithm.ED25519: 32, Algorithm.P256: 33}
_P256_SIGNATURE: Final = 64


@dataclass(frozen=True)
class PublicKey:
    """A checked public key: 32 bytes for Ed25519, a compressed point of 33 for P-256."""

    algorithm: Algorithm
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != _LENGTH[self.algorithm]:
            raise KeyRefused("length", expected=_LENGTH[self.algorithm], found=len(self.raw))
        _load(self.algorithm, self.raw)

    @classmethod
    def from_multikey(cls, text: str) -> "PublicKey":
        """The key in a `publicKeyMultibase` value; KeyRefused if we do not take it."""
        if not text.startswith("z"):
            raise KeyRefused("multikey")
        try:
            data = multibase_decode(text)
        except Malformed as error:
            raise KeyRefused("multikey") from error
        for algorithm, prefix in _MULTICODEC.items():
            if data.startswith(prefix):
                return cls(algorithm, data[len(prefix) :])
        raise KeyRefused("kind")

    def multikey(self) -> str:
        """The key as a `publicKeyMultibase` value."""
        return multibase_encode(_MULTICODEC[self.algorithm] + self.raw)

    def coordinates(self) -> tuple[bytes, bytes]:
        """The x and y of a P-256 key, 32 bytes each; for Ed25519 x is the key and y is empty."""
        if self.algorithm is Algorithm.ED25519:
            return self.raw, b""
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.raw)
        flat = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return flat[1:33], flat[33:]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if `signature` (Ed25519: RFC 8032; P-256: r‖s over SHA-256) holds, else ProofInvalid."""
        key = _load(self.algorithm, self.raw)
        try:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, message)
            elif len(signature) != _P256_SIGNATURE:
                raise ProofInvalid("signature")
            else:
                r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
                key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError) as error:
            raise ProofInvalid("signature") from error


class Signer(Protocol):
    """A private key somewhere that signs; it never shows itself."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`: 64 bytes (Ed25519, or r‖s of ECDSA over SHA-256)."""


@lru_cache(maxsize=4096)
def _load(algorithm: Algorithm, raw: bytes) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
    try:
        if algorithm is Algorithm.ED25519:
            _require_prime_order(raw)
            return ed25519.Ed25519PublicKey.from_public_bytes(raw)
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError as error:
        raise KeyRefused("point") from error


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
