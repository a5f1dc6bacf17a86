"""The Open Badges VC-JWT: its header, its claims, and what is refused."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from kpass_vc.crypto.jose import read_compact, sign_compact, to_jwk
from kpass_vc.crypto.multibase import base64url_encode
from kpass_vc.errors import DataLoss, KpassError, Malformed, ProofInvalid
from kpass_vc.formats import FORMATS
from kpass_vc.model.dates import parse_date_time
from tests.sample import Json, check_proofs, outcome, sample

FORM = FORMATS["vc-jwt"]


def resigned(payload: Json, header: Json | None = None) -> bytes:
    """A JWT of any payload and header under the issuer's own key."""
    signing = sample().jwt_signing
    head = {"typ": "JWT", "kid": signing.verification_method} if header is None else header
    return sign_compact(head, json.dumps(payload).encode(), signing.signer).encode()


def payload() -> Json:
    found: Json = json.loads(read_compact(sample().jwt.decode()).payload)
    return found


def test_the_header_holds_alg_typ_and_kid_and_the_claims_repeat_the_credential() -> None:
    made = sample()

    found = read_compact(made.jwt.decode())

    assert found.header == {
        "alg": "ES256",
        "typ": "JWT",
        "kid": made.jwt_signing.verification_method,
    }
    credential = made.credential
    start, end = (parse_date_time(credential[name]) for name in ("validFrom", "validUntil"))
    assert start is not None
    assert end is not None
    claims = {
        "iss": credential["issuer"]["id"],
        "sub": credential["credentialSubject"]["id"],
        "jti": credential["id"],
        "nbf": int(start.timestamp()),
        "exp": int(end.timestamp()),
    }
    assert payload() == credential | claims


def test_joserfc_verifies_it_with_the_published_key() -> None:
    made = sample()
    published = made.evidence.did_documents[made.credential["issuer"]["id"]]
    methods = published["verificationMethod"]
    assert isinstance(methods, list)
    jwk = next(method["publicKeyJwk"] for method in methods if method["type"] == "JsonWebKey")

    found = jws.deserialize_compact(made.jwt.decode(), ECKey.import_key(jwk), algorithms=["ES256"])

    assert json.loads(found.payload or b"")["id"] == made.credential["id"]


def test_a_credential_with_an_undefined_term_is_not_signed() -> None:
    made = sample()

    with pytest.raises(DataLoss):
        made.sign_jwt(made.credential | {"undefined": "x"})


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"x5c": []}, "jws_header"),
        ({"crit": ["b64"], "b64": False}, "jws_header"),
        ({"cty": "vc"}, "jws_header"),
        ({"jku": "https://evil.example/"}, "jws_header"),
        ({"iss": "x"}, "jws_header"),
        ({"typ": "jwt"}, "jws_typ"),
        ({"typ": None}, "jws_typ"),
        ({"typ": ["JWT"]}, "jws_typ"),
        ({"kid": 5}, "jws_kid"),
        ({"kid": None}, "jws_kid"),
        ({"kid": ["x"]}, "jws_kid"),
        ({"jwk": "x"}, "jws_kid"),
        ({"jwk": []}, "jws_kid"),
    ],
    ids=repr,
)
def test_a_header_outside_open_badges_rules_is_refused_though_signed(
    header: Json, rule: str
) -> None:
    full = {"typ": "JWT", "kid": sample().jwt_signing.verification_method} | header
    body = resigned(payload(), full)

    with pytest.raises(Malformed) as caught:
        FORM.read(body)

    assert caught.value.rule == rule
    assert sample().judge(body).verdict == "refused"


def test_a_header_that_names_no_key_is_refused() -> None:
    with pytest.raises(Malformed) as caught:
        FORM.read(resigned(payload(), {"typ": "JWT"}))

    assert caught.value.rule == "jws_kid"


def test_typ_may_be_left_out() -> None:
    body = resigned(payload(), {"kid": sample().jwt_signing.verification_method})

    assert sample().judge(body).verified


def test_a_jwk_of_the_issuer_counts_with_or_without_kid_and_anothers_never() -> None:
    made = sample()
    own = to_jwk(made.jwt_signing.signer.public_key)
    other = to_jwk(made.owner_signing.signer.public_key)
    kid = made.jwt_signing.verification_method

    assert made.judge(resigned(payload(), {"jwk": own})).verified
    assert made.judge(resigned(payload(), {"jwk": own, "kid": kid})).verified
    shown = made.judge(resigned(payload(), {"jwk": other}))
    assert shown.verdict == "refused"
    assert outcome(shown, "key") == ("failed", "failed")
    both = made.judge(resigned(payload(), {"jwk": other, "kid": kid}))
    assert outcome(both, "proof") == ("failed", "failed")
    private = made.judge(resigned(payload(), {"jwk": own | {"d": "AAAA"}}))
    assert private.verdict == "refused"


def test_a_self_made_key_in_the_header_is_refused() -> None:
    made = sample()
    attacker = made.owner_signing.signer
    head = {"jwk": to_jwk(attacker.public_key)}
    body = sign_compact(head, json.dumps(payload()).encode(), attacker).encode()

    report = made.judge(body)

    assert report.verdict == "refused"
    assert outcome(report, "key") == ("failed", "failed")


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "did:example:other"),
        ("iss", None),
        ("sub", "urn:uuid:other"),
        ("jti", "https://other.example/1"),
        ("nbf", 0),
        ("nbf", "1"),
        ("nbf", True),
        ("exp", 4102444800),
        ("exp", 1),
        ("exp", None),
    ],
)
def test_a_claim_that_says_something_else_than_the_credential_is_refused(
    claim: str, value: object
) -> None:
    made = sample()
    changed = payload() | {claim: value}

    report = made.judge(resigned(changed))

    assert report.verdict == "refused"
    presented = FORM.read(resigned(changed))
    with pytest.raises(ProofInvalid) as caught:
        FORM.check_proof(
            presented, presented.proofs[0], made.jwt_signing.signer.public_key, made.contexts
        )
    assert (caught.value.rule, caught.value.data) == ("claim", {"claim": claim})


@pytest.mark.parametrize("claim", ["iss", "sub", "jti", "nbf"])
def test_a_claim_that_is_missing_is_refused(claim: str) -> None:
    changed = payload()
    del changed[claim]

    assert sample().judge(resigned(changed)).verdict == "refused"


def test_exp_without_an_end_of_the_credential_is_refused_and_nbf_may_have_a_fraction() -> None:
    changed = payload()
    del changed["validUntil"]
    fraction = payload()
    fraction["nbf"] += 0.25

    assert outcome(sample().judge(resigned(changed)), "proof") == ("failed", "failed")
    assert sample().judge(resigned(fraction)).verified


def test_a_vc_claim_of_data_model_1_1_is_refused() -> None:
    with pytest.raises(Malformed) as caught:
        FORM.read(resigned(payload() | {"vc": {}}))

    assert caught.value.rule == "vc_claim"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "EdDSA"},
        {"alg": "ES384"},
        {"alg": None},
        {"typ": "at+jwt"},
        {"kid": "did:web:evil.example#x"},
        {"kid": "#x"},
        {"kid": ""},
        {"extra": 1},
    ],
    ids=repr,
)
def test_no_change_of_the_header_leaves_the_signature_whole(header: Json) -> None:
    _, body, signature = sample().jwt.decode().split(".")
    changed = read_compact(sample().jwt.decode()).header | header
    token = f"{base64url_encode(json.dumps(changed).encode())}.{body}.{signature}"

    assert sample().judge(token.encode()).verdict == "refused"


def test_another_spelling_of_header_or_payload_is_refused() -> None:
    head, body, signature = sample().jwt.decode().split(".")
    spaced = base64url_encode(json.dumps(payload(), indent=1).encode())
    spaced_head = base64url_encode(json.dumps(read_compact(sample().jwt.decode()).header).encode())

    for token in (f"{head}.{spaced}.{signature}", f"{spaced_head}.{body}.{signature}"):
        assert outcome(sample().judge(token.encode()), "proof") == ("failed", "failed")


def test_without_its_signature_or_with_something_after_it_nothing_is_read() -> None:
    token = sample().jwt

    for body in (
        token + b".x",
        token.rpartition(b".")[0] + b".",
        token.rpartition(b".")[0],
        token + b"=",
        token + "å".encode(),
    ):
        assert sample().judge(body).verdict == "refused"
    assert sample().judge(token + b"\n").verified


def test_every_character_of_the_token_counts() -> None:
    token = bytearray(sample().jwt)
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    key = sample().jwt_signing.signer.public_key

    for place in [*range(0, len(token), 37), len(token) - 1]:
        if token[place] == ord("."):
            continue
        changed = token[:]
        changed[place] = alphabet[(alphabet.index(token[place]) + 1) % 64]
        with pytest.raises(KpassError):
            check_proofs(FORM, bytes(changed), key, sample().contexts)


def test_a_subject_without_an_id_has_no_sub_and_verifies() -> None:
    made = sample()
    credential = made.credential
    del credential["credentialSubject"]["id"]

    body = made.sign_jwt(credential)

    assert "sub" not in json.loads(read_compact(body.decode()).payload)
    assert made.judge(body).verified


def test_a_token_says_nothing_of_when_it_was_made() -> None:
    made = sample()
    later = replace(made.jwt_signing, created=made.now + timedelta(days=900))

    assert "iat" not in payload()
    assert made.sign_jwt(made.credential, later) == made.sign_jwt(made.credential)
