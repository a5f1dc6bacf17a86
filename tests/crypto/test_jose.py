"""Compact JWS and JWKs; joserfc is the oracle, both ways."""

import hmac
import json
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from kpass_vc.crypto.jose import (
    from_jwk,
    is_compact,
    read_compact,
    sign_compact,
    thumbprint,
    to_jwk,
    verify_compact,
)
from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.crypto.signers import EcdsaSigner, Ed25519Signer
from kpass_vc.errors import KeyRefused, KpassError, Malformed, ProofInvalid

PAYLOAD = '{"name":"Fibersvetsning i fält"}'.encode()


@dataclass(frozen=True)
class Pair:
    """A signer and the same private key for the oracle."""

    signer: Signer
    jwk: dict[str, str]
    algorithm: str


def p256_pair(secret: int = 7) -> Pair:
    private = ec.derive_private_key(secret, ec.SECP256R1())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    signer = EcdsaSigner(private, PublicKey(Algorithm.P256, point))
    return Pair(
        signer, to_jwk(signer.public_key) | {"d": base64url_encode(secret.to_bytes(32))}, "ES256"
    )


def ed25519_pair(seed: bytes = b"\x07" * 32) -> Pair:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    raw = private.public_key().public_bytes_raw()
    signer = Ed25519Signer(private, PublicKey(Algorithm.ED25519, raw))
    return Pair(signer, to_jwk(signer.public_key) | {"d": base64url_encode(seed)}, "Ed25519")


def oracle_key(pair: Pair, *, private: bool) -> ECKey | OKPKey:
    members: dict[str, str | list[str]] = {
        name: value for name, value in pair.jwk.items() if private or name != "d"
    }
    return ECKey.import_key(members) if members["kty"] == "EC" else OKPKey.import_key(members)


def with_header(token: str, header: object) -> str:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return ".".join([base64url_encode(head), *token.split(".")[1:]])


def test_joserfc_verifies_our_es256() -> None:
    pair = p256_pair()

    token = sign_compact({"typ": "JWT", "kid": "did:example:1#a"}, PAYLOAD, pair.signer)

    found = jws.deserialize_compact(token, oracle_key(pair, private=False), algorithms=["ES256"])
    assert found.payload == PAYLOAD
    assert found.protected == {"alg": "ES256", "typ": "JWT", "kid": "did:example:1#a"}


@pytest.mark.filterwarnings("ignore:.*EdDSA.*")
def test_joserfc_verifies_our_eddsa() -> None:
    pair = ed25519_pair()

    token = sign_compact({"typ": "vc+jwt"}, PAYLOAD, pair.signer)

    found = jws.deserialize_compact(token, oracle_key(pair, private=False), algorithms=["EdDSA"])
    assert found.payload == PAYLOAD


@pytest.mark.parametrize("pair", [p256_pair(), ed25519_pair()], ids=lambda pair: pair.algorithm)
def test_we_verify_what_joserfc_signs(pair: Pair) -> None:
    token = jws.serialize_compact(
        {"alg": pair.algorithm},
        PAYLOAD,
        oracle_key(pair, private=True),
        algorithms=[pair.algorithm],
    )

    found = read_compact(token)

    verify_compact(found, pair.signer.public_key)
    assert found.payload == PAYLOAD


def test_a_changed_payload_or_signature_does_not_verify() -> None:
    pair = p256_pair()
    head, payload, signature = sign_compact({}, PAYLOAD, pair.signer).split(".")
    other = base64url_encode(PAYLOAD.replace(b"F", b"G"))
    flipped = base64url_encode(
        bytes([base64url_decode(signature)[0] ^ 1]) + base64url_decode(signature)[1:]
    )

    for token in (f"{head}.{other}.{signature}", f"{head}.{payload}.{flipped}"):
        with pytest.raises(ProofInvalid):
            verify_compact(read_compact(token), pair.signer.public_key)


@pytest.mark.parametrize(
    "algorithm",
    [
        "none",
        "None",
        "HS256",
        "ES384",
        "ES256K",
        "EdDSA",
        "Ed25519",
        "RS256",
        "",
        None,
        5,
        ["ES256"],
    ],
)
def test_an_algorithm_that_the_key_does_not_sign_under_is_refused(algorithm: object) -> None:
    pair = p256_pair()
    token = with_header(sign_compact({}, PAYLOAD, pair.signer), {"alg": algorithm})

    with pytest.raises(ProofInvalid) as caught:
        verify_compact(read_compact(token), pair.signer.public_key)

    assert caught.value.rule == "alg"


def test_es256_is_refused_for_an_ed25519_key() -> None:
    pair = ed25519_pair()
    token = with_header(sign_compact({}, PAYLOAD, pair.signer), {"alg": "ES256"})

    with pytest.raises(ProofInvalid) as caught:
        verify_compact(read_compact(token), pair.signer.public_key)

    assert caught.value.rule == "alg"


def test_a_mac_made_with_the_public_key_does_not_verify() -> None:
    pair = p256_pair()
    secret = json.dumps(to_jwk(pair.signer.public_key)).encode()
    head = base64url_encode(b'{"alg":"HS256"}')
    signing_input = f"{head}.{base64url_encode(PAYLOAD)}"
    mac = hmac.new(secret, signing_input.encode(), "sha256").digest()

    with pytest.raises(ProofInvalid):
        verify_compact(
            read_compact(f"{signing_input}.{base64url_encode(mac)}"), pair.signer.public_key
        )


def test_what_is_not_three_unpadded_parts_is_no_compact_jws() -> None:
    token = sign_compact({}, PAYLOAD, p256_pair().signer)
    head, payload, signature = token.split(".")
    wrong = [
        "",
        "..",
        f"{head}.{payload}",
        f"{head}.{payload}.",
        f"{head}..{signature}",
        f"{token}.{signature}",
        f"{token}=",
        f"{head}=.{payload}.{signature}",
        f"{head}.{payload}==.{signature}",
        f" {token}",
        f"{token}\n",
        token.replace("-", "+").replace("_", "/") + "+",
    ]

    for text in wrong:
        assert not is_compact(text)
        with pytest.raises(Malformed):
            read_compact(text)


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (b'{"alg":"ES256","alg":"none"}', "not_json"),
        (b'{"alg":"ES256"', "not_json"),
        (b'["ES256"]', "not_json"),
        (b'{"alg":NaN}', "not_json"),
        (b'{"alg":"\\ud800"}', "malformed"),
        (b'{"alg":"' + b"x" * 9000 + b'"}', "too_large"),
    ],
)
def test_a_header_is_read_as_strictly_as_any_json(header: bytes, error: str) -> None:
    token = with_header(sign_compact({}, PAYLOAD, p256_pair().signer), header)

    with pytest.raises(KpassError) as caught:
        read_compact(token)

    assert caught.value.code == error


def test_stray_bits_in_a_part_are_refused() -> None:
    head, payload, signature = sign_compact({}, PAYLOAD, p256_pair().signer).split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    stray = signature[:-1] + alphabet[alphabet.index(signature[-1]) | 1]
    assert stray != signature

    with pytest.raises(Malformed) as caught:
        read_compact(f"{head}.{payload}.{stray}")

    assert caught.value.rule == "base64url"


@pytest.mark.parametrize("pair", [p256_pair(), ed25519_pair()], ids=lambda pair: pair.algorithm)
def test_a_key_survives_being_a_jwk_and_has_joserfcs_thumbprint(pair: Pair) -> None:
    key = pair.signer.public_key

    assert from_jwk(to_jwk(key)) == key
    assert thumbprint(key) == oracle_key(pair, private=False).thumbprint()


def test_the_thumbprint_is_that_of_rfc_8037() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

    assert thumbprint(from_jwk(jwk)) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("member", ["d", "p", "q", "k"])
def test_a_jwk_with_a_private_member_is_refused(member: str) -> None:
    with pytest.raises(KeyRefused) as caught:
        from_jwk(to_jwk(p256_pair().signer.public_key) | {member: "AAAA"})

    assert caught.value.rule == "private"


def test_a_jwk_off_its_curve_or_of_another_kind_is_refused() -> None:
    ec_jwk = to_jwk(p256_pair().signer.public_key)
    okp = to_jwk(ed25519_pair().signer.public_key)
    y = bytearray(base64url_decode(ec_jwk["y"]))
    y[-1] ^= 1
    wrong: list[dict[str, object]] = [
        {},
        {**ec_jwk, "y": base64url_encode(bytes(y))},
        {**ec_jwk, "y": ec_jwk["x"]},
        {**ec_jwk, "crv": "P-384"},
        {**ec_jwk, "crv": "secp256k1"},
        {**ec_jwk, "x": base64url_encode(b"\0" + base64url_decode(ec_jwk["x"]))},
        {**ec_jwk, "x": ec_jwk["x"] + "="},
        {**ec_jwk, "x": 5},
        {**ec_jwk, "x": None},
        {name: value for name, value in ec_jwk.items() if name != "y"},
        {**okp, "crv": "X25519"},
        {**okp, "crv": "Ed448"},
        {**okp, "x": base64url_encode(bytes(31))},
        {**okp, "x": base64url_encode(bytes(32))},
        {**okp, "x": base64url_encode(b"\1" + bytes(31))},
        {**okp, "kty": "EC"},
        {"kty": "oct"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": ["EC"], "crv": {}},
    ]

    for jwk in wrong:
        with pytest.raises(KeyRefused):
            from_jwk(jwk)


def test_members_that_say_nothing_of_the_key_are_ignored() -> None:
    key = p256_pair().signer.public_key

    assert (
        from_jwk(
            to_jwk(key) | {"kid": "x", "use": "enc", "alg": "none", "x5u": "https://evil.example"}
        )
        == key
    )
