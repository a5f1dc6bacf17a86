"""did:key of every kind, and did:jwk: which resolve, to what, and which do not."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kpass_vc.crypto.jose import to_jwk
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import base64url_encode, multibase_encode
from kpass_vc.dids import DID_METHODS, method_of, public_key
from kpass_vc.dids.key import DidKey, did_key
from kpass_vc.errors import KeyRefused, Malformed
from kpass_vc.model.did import find_method

KEY = DidKey()
SIGNING = {"authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation"}


def point(curve: ec.EllipticCurve) -> bytes:
    public = ec.generate_private_key(curve).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def rsa_bytes(bits: int) -> bytes:
    public = rsa.generate_private_key(65537, bits).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.PKCS1)


def ed25519_bytes() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()


TAKEN = [
    (b"\xed\x01", ed25519_bytes(), Algorithm.ED25519),
    (b"\x80\x24", point(ec.SECP256R1()), Algorithm.P256),
    (b"\x81\x24", point(ec.SECP384R1()), Algorithm.P384),
    (b"\x82\x24", point(ec.SECP521R1()), Algorithm.P521),
    (b"\x85\x24", rsa_bytes(2048), Algorithm.RSA),
]
OTHERS = [
    (b"\xe7\x01", point(ec.SECP256K1())),
    (b"\xec\x01", x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()),
    (b"\xea\x01", bytes(48)),
    (b"\xeb\x01", bytes(96)),
]


@pytest.mark.parametrize(("prefix", "raw", "algorithm"), TAKEN, ids=[row[2] for row in TAKEN])
def test_a_did_key_of_a_kind_we_verify_with_gives_that_very_key(
    prefix: bytes, raw: bytes, algorithm: Algorithm
) -> None:
    did = f"did:key:{multibase_encode(prefix + raw)}"

    document = method_of(did).document(did, None)

    method = find_method(document, f"{did}#{did[8:]}", "assertionMethod")
    key = public_key(method)
    assert (key.algorithm, key.raw) == (algorithm, raw)
    assert did_key(key) == did
    assert document.keys() >= SIGNING
    as_jwk = KEY.document_in(did, "JsonWebKey2020")
    assert public_key(find_method(as_jwk, f"{did}#{did[8:]}", "authentication")) == key


@pytest.mark.parametrize(("prefix", "raw"), OTHERS, ids=[row[0].hex() for row in OTHERS])
def test_a_did_key_of_another_kind_resolves_and_verifies_nothing(prefix: bytes, raw: bytes) -> None:
    did = f"did:key:{multibase_encode(prefix + raw)}"

    document = method_of(did).document(did, None)

    is_for_agreement = prefix == b"\xec\x01"
    relationship = "keyAgreement" if is_for_agreement else "assertionMethod"
    assert document[relationship] == [f"{did}#{did[8:]}"]
    assert ("assertionMethod" in document) is not is_for_agreement
    if not is_for_agreement:
        with pytest.raises(KeyRefused):
            public_key(find_method(document, f"{did}#{did[8:]}", "assertionMethod"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "multikey"),
        ("6Mk", "multikey"),
        ("uAAAA", "multikey"),
        ("z", "kind"),
        (multibase_encode(b"\xed\x01" + bytes(31)), "length"),
        (multibase_encode(b"\xed\x01" + bytes(33)), "length"),
        (multibase_encode(b"\xec\x01" + bytes(31)), "length"),
        (multibase_encode(b"\xeb\x01" + bytes(95)), "length"),
        (multibase_encode(b"\x80\x24" + bytes(33)), "point"),
        (multibase_encode(b"\x81\x24" + b"\x02" + b"\xff" * 48), "point"),
        (multibase_encode(b"\x85\x24" + b"\x30\x00"), "point"),
        (multibase_encode(b"\x12\x20" + bytes(32)), "kind"),
        ("z6Mk@", "base58"),
    ],
)
def test_a_did_key_that_holds_no_key_says_why(text: str, rule: str) -> None:
    with pytest.raises(Malformed) as caught:
        KEY.document(f"did:key:{text}", None)

    assert caught.value.rule == "did_key"
    cause = caught.value.__cause__
    assert isinstance(cause, Malformed)
    assert cause.rule == rule


def test_a_small_rsa_key_is_refused() -> None:
    with pytest.raises(KeyRefused) as caught:
        PublicKey(Algorithm.RSA, rsa_bytes(1024))

    assert caught.value.rule == "rsa_size"


def test_an_ed25519_key_has_its_counterpart_for_agreement_on_request() -> None:
    # the pair in the did:key specification's own Ed25519 example is checked by its X25519 arithmetic
    private = ed25519.Ed25519PrivateKey.generate()
    did = did_key(PublicKey(Algorithm.ED25519, private.public_key().public_bytes_raw()))

    document = KEY.document_in(did, derive_agreement=True)

    agreement = document["keyAgreement"]
    assert isinstance(agreement, list)
    assert str(agreement[0]).startswith(f"{did}#z6LS")
    assert "keyAgreement" not in KEY.document_in(did)
    both = KEY.document_in(did, "Ed25519VerificationKey2020", derive_agreement=True)
    kinds = [method["type"] for method in both["verificationMethod"]]  # type: ignore[attr-defined]
    assert kinds == ["Ed25519VerificationKey2020", "X25519KeyAgreementKey2020"]


def test_a_form_that_a_key_has_not_is_refused() -> None:
    did = "did:key:" + multibase_encode(b"\x80\x24" + point(ec.SECP256R1()))

    with pytest.raises(KeyRefused) as caught:
        KEY.document_in(did, "Ed25519VerificationKey2020")
    assert caught.value.rule == "format"


def did_jwk(jwk: dict[str, Any]) -> str:
    return f"did:jwk:{base64url_encode(json.dumps(jwk).encode())}"


@pytest.mark.parametrize(("prefix", "raw", "algorithm"), TAKEN, ids=[row[2] for row in TAKEN])
def test_a_did_jwk_gives_the_key_in_it(prefix: bytes, raw: bytes, algorithm: Algorithm) -> None:
    key = PublicKey(algorithm, raw)
    did = did_jwk(to_jwk(key))

    document = DID_METHODS["jwk"].document(did, None)

    assert public_key(find_method(document, f"{did}#0", "assertionMethod")) == key
    assert prefix + raw
    assert document["keyAgreement"] == [f"{did}#0"]
    assert "keyAgreement" not in DID_METHODS["jwk"].document(
        did_jwk({**to_jwk(key), "use": "sig"}), None
    )
    only_enc = DID_METHODS["jwk"].document(did_jwk({**to_jwk(key), "use": "enc"}), None)
    assert "assertionMethod" not in only_enc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "e30",
        base64url_encode(b"not json"),
        base64url_encode(b"[]"),
        base64url_encode(json.dumps({"kty": "oct", "k": "AAAA"}).encode()),
        base64url_encode(json.dumps({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}).encode()),
        base64url_encode(
            json.dumps({"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(bytes(32))}).encode()
        ),
        base64url_encode(
            json.dumps({"kty": "OKP", "crv": "X25519", "x": "AA", "d": "AA"}).encode()
        ),
        base64url_encode(json.dumps({"kty": "RSA", "n": "AQ", "e": "AQAB"}).encode()),
        "e30=",
        "!",
    ],
)
def test_a_did_jwk_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        method_of(f"did:jwk:{text}").document(f"did:jwk:{text}", None)
