"""Signers over private keys in memory: what key stores hold when a key is open, and keys of one use."""

from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.errors import KeyRefused

_CURVE: Final[dict[Algorithm, tuple[ec.EllipticCurve, HashAlgorithm, int]]] = {
    Algorithm.P256: (ec.SECP256R1(), SHA256(), 32),
    Algorithm.P384: (ec.SECP384R1(), SHA384(), 48),
    Algorithm.P521: (ec.SECP521R1(), SHA512(), 66),
}


@dataclass(frozen=True)
class Ed25519Signer:
    """Signs with an Ed25519 key in memory."""

    key: ed25519.Ed25519PrivateKey = field(repr=False)
    public_key: PublicKey

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of RFC 8032."""
        return self.key.sign(message)


@dataclass(frozen=True)
class EcdsaSigner:
    """Signs with a P-256, P-384 or P-521 key in memory."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    public_key: PublicKey

    def sign(self, message: bytes) -> bytes:
        """r‖s, each as long as the curve's order, over the curve's hash (deterministic, RFC 6979)."""
        _, digest, size = _CURVE[self.public_key.algorithm]
        r, s = utils.decode_dss_signature(
            self.key.sign(message, ec.ECDSA(digest, deterministic_signing=True))
        )
        return r.to_bytes(size) + s.to_bytes(size)


def new_private_key(algorithm: Algorithm) -> bytes:
    """A new private key: the seed of 32 bytes for Ed25519, the number for the P curves; KeyRefused for RSA."""
    if algorithm is Algorithm.ED25519:
        return ed25519.Ed25519PrivateKey.generate().private_bytes_raw()
    if algorithm not in _CURVE:
        raise KeyRefused("kind")
    curve, _, size = _CURVE[algorithm]
    return ec.generate_private_key(curve).private_numbers().private_value.to_bytes(size)


def signer_of(algorithm: Algorithm, private: bytes) -> Signer:
    """The signer of a private key in the form `new_private_key` gives; KeyRefused if it is none."""
    try:
        if algorithm is Algorithm.ED25519:
            edwards = ed25519.Ed25519PrivateKey.from_private_bytes(private)
            raw = edwards.public_key().public_bytes_raw()
            return Ed25519Signer(edwards, PublicKey(algorithm, raw))
        if algorithm not in _CURVE:
            raise KeyRefused("kind")
        key = ec.derive_private_key(int.from_bytes(private), _CURVE[algorithm][0])
    except ValueError as error:
        raise KeyRefused("point") from error
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return EcdsaSigner(key, PublicKey(algorithm, point))
