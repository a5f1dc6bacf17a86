"""vc+jwt: what is read as one, and which headers and claims are refused."""

import json

import pytest

from kpass_vc.crypto.jose import sign_compact
from kpass_vc.errors import DataLoss, Malformed, ProofInvalid
from kpass_vc.formats import FORMATS, ISSUED, recognise
from tests.sample import Json, check_proofs, outcome, sample

FORM = FORMATS["vc+jwt"]


def signed(payload: Json, **header: object) -> bytes:
    made = sample()
    full = {"typ": "vc+jwt", "kid": made.signing.verification_method} | header
    kept = {name: value for name, value in full.items() if value is not None}
    return sign_compact(kept, json.dumps(payload).encode(), made.signing.signer).encode()


def test_a_credential_as_vc_jwt_verifies_and_is_recognised_by_its_type() -> None:
    made = sample()
    body = FORM.secure(made.credential, made.signing, made.contexts)

    assert recognise(body).name == "vc+jwt"
    assert recognise(made.jwt).name == "vc-jwt"
    assert made.judge(body).verified
    assert made.judge(signed(made.credential, typ="application/vc+jwt", cty="vc")).verified


def test_no_award_is_issued_as_vc_jwt() -> None:
    assert "vc+jwt" not in ISSUED
    assert set(ISSUED) < set(FORMATS)


def test_nothing_is_signed_that_the_contexts_do_not_define() -> None:
    made = sample()

    with pytest.raises(DataLoss):
        FORM.secure(made.credential | {"undefined": "x"}, made.signing, made.contexts)


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"x5c": []}, "jose_header"),
        ({"jwk": {}}, "jose_header"),
        ({"crit": ["b64"]}, "jose_header"),
        ({"jku": "https://evil.example/"}, "jose_header"),
        ({"cty": "vp"}, "jose_cty"),
        ({"cty": 5}, "jose_cty"),
        ({"kid": None}, "jws_kid"),
        ({"kid": 5}, "jws_kid"),
    ],
    ids=repr,
)
def test_a_header_outside_the_rules_is_refused_though_signed(header: Json, rule: str) -> None:
    body = signed(sample().credential, **header)

    with pytest.raises(Malformed) as caught:
        FORM.read(body)

    assert caught.value.rule == rule
    assert sample().judge(body).verdict == "refused"


@pytest.mark.parametrize("claims", [{"iss": "did:web:x.example"}, {"sub": "x"}, {"jti": "x"}])
def test_a_claim_that_says_otherwise_than_the_credential_fails_the_proof(claims: Json) -> None:
    made = sample()
    body = signed(made.credential | claims)

    with pytest.raises(ProofInvalid):
        check_proofs(FORM, body, made.signing.signer.public_key, made.contexts)
    assert outcome(made.judge(body), "proof") == ("failed", "failed")


def test_an_issuer_in_the_header_must_be_the_credentials() -> None:
    made = sample()

    assert made.judge(signed(made.credential, iss=made.credential["issuer"]["id"])).verified
    assert not made.judge(signed(made.credential, iss="did:web:x.example")).verified


def test_a_signature_that_has_run_out_is_refused() -> None:
    made = sample()
    soon, gone = int(made.now.timestamp()) + 60, int(made.now.timestamp()) - 60

    assert made.judge(signed(made.credential | {"exp": soon})).verified
    assert outcome(made.judge(signed(made.credential | {"exp": gone})), "proof") == (
        "failed",
        "expired",
    )


@pytest.mark.parametrize("claim", ["vc", "vp"])
def test_the_wrappers_of_data_model_1_are_refused(claim: str) -> None:
    with pytest.raises(Malformed) as caught:
        FORM.read(signed({claim: sample().credential}))

    assert caught.value.rule == "vc_claim"


def test_another_key_than_the_issuers_is_refused() -> None:
    made = sample()
    body = FORM.secure(made.credential, made.owner_signing, made.contexts)

    assert made.judge(body).verdict == "refused"


@pytest.mark.parametrize(
    "head", [b"ey", b"ey.", b"eyJ0eXAiOjV9.", b"eyJ" + b"A" * 9000, b"eyJ0eXAiOiJ2Yytqd3QifQ\xff"]
)
def test_what_is_no_jwt_is_not_claimed(head: bytes) -> None:
    assert not FORM.claims(head)


def test_a_jwt_for_a_certain_reader_says_so() -> None:
    made = sample()

    report = made.judge(signed(made.credential | {"aud": "https://employer.example"}))

    assert report.verified
    assert [note.code for note in report.notes if note.code == "proof_for_somebody"]
