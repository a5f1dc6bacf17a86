"""Reading and writing a credential with an embedded proof."""

import json

import pytest

from kpass_vc.errors import KpassError, Malformed, ProofInvalid
from kpass_vc.formats import FORMATS, recognise
from kpass_vc.model.dates import utc_text
from tests.sample import Json, at, check_proofs, places, replaced, sample

FORM = FORMATS["ldp_vc"]


def test_the_proof_stands_last_and_says_who_when_and_how() -> None:
    made = sample()

    signed = json.loads(made.sign(made.credential))

    assert list(signed)[-1] == "proof"
    assert {name: value for name, value in signed.items() if name != "proof"} == made.credential
    assert list(signed["proof"]) == [
        "type",
        "cryptosuite",
        "created",
        "verificationMethod",
        "proofPurpose",
        "proofValue",
    ]
    assert signed["proof"]["created"] == utc_text(made.now)
    assert signed["proof"]["verificationMethod"] == made.signing.verification_method


def test_what_is_read_is_the_credential_without_its_proof() -> None:
    made = sample()

    presented = FORM.read(made.body)

    assert presented.document == made.credential
    assert presented.proofs[0].options == made.signed["proof"]
    assert presented.proofs[0].verification_method == made.signing.verification_method
    FORM.check_proof(presented, presented.proofs[0], made.signing.signer.public_key, made.contexts)


def test_every_proof_of_a_list_is_read_up_to_ten() -> None:
    made = sample()
    proof = made.signed["proof"]
    key = made.signing.signer.public_key

    for several in (1, 2, 10):
        body = json.dumps(made.signed | {"proof": [proof] * several}).encode()
        assert len(FORM.read(body).proofs) == several
        check_proofs(FORM, body, key, made.contexts)
    with pytest.raises(Malformed) as caught:
        FORM.read(json.dumps(made.signed | {"proof": [proof] * 11}).encode())

    assert caught.value.rule == "several_proofs"


@pytest.mark.parametrize("proof", [None, [], [[]], [None], "x", 5, True], ids=repr)
def test_what_has_no_proof_is_not_signed(proof: object) -> None:
    with pytest.raises(Malformed) as caught:
        FORM.read(json.dumps(sample().signed | {"proof": proof}).encode())

    assert caught.value.rule == "no_proof"
    assert caught.value.data["field"] in {"/proof", "/proof/0"}


@pytest.mark.parametrize(
    "member", ["type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"]
)
@pytest.mark.parametrize("value", [None, 5, [], {}, ["x"]], ids=repr)
def test_a_proof_member_that_is_missing_or_no_text_is_named(member: str, value: object) -> None:
    signed = sample().signed
    signed["proof"][member] = value
    without = sample().signed
    del without["proof"][member]

    for document in (signed, without):
        with pytest.raises(Malformed) as caught:
            FORM.read(json.dumps(document).encode())
        assert (caught.value.rule, caught.value.data["field"]) == (
            "proof_member",
            f"/proof/{member}",
        )


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"type": "UnknownProof"}, "cryptosuite"),
        ({"proofPurpose": "authentication"}, "signature"),
        ({"cryptosuite": "eddsa-jcs-2022"}, "signature"),
        ({"cryptosuite": "Ed25519Signature2020"}, "cryptosuite"),
        ({"cryptosuite": "ecdsa-sd-2019"}, "cryptosuite"),
        ({"cryptosuite": ""}, "cryptosuite"),
        ({"@context": "https://www.w3.org/ns/credentials/v2"}, "proof_context"),
        ({"@context": []}, "proof_context"),
        ({"proofValue": "u" + "A" * 86}, "proof_value"),
    ],
    ids=repr,
)
def test_a_proof_of_another_kind_does_not_hold(change: Json, rule: str) -> None:
    made = sample()
    signed = made.signed
    signed["proof"] |= change
    presented = FORM.read(json.dumps(signed).encode())

    with pytest.raises(ProofInvalid) as caught:
        FORM.check_proof(
            presented, presented.proofs[0], made.signing.signer.public_key, made.contexts
        )

    assert caught.value.rule == rule


def test_a_proof_inside_a_proof_or_inside_the_subject_is_refused() -> None:
    made = sample()
    proof = made.signed["proof"]
    inside = made.signed
    inside["proof"]["proof"] = proof
    below = made.signed
    below["credentialSubject"]["proof"] = proof

    for document in (inside, below):
        presented = FORM.read(json.dumps(document).encode())
        with pytest.raises(KpassError):
            FORM.check_proof(
                presented, presented.proofs[0], made.signing.signer.public_key, made.contexts
            )


def test_every_text_of_the_credential_is_under_the_proof() -> None:
    made = sample()
    key = made.signing.signer.public_key
    texts = [place for place in places(made.credential) if place and place[0] != "@context"]

    for place in texts:
        value = at(made.credential, place)
        if not isinstance(value, str):
            continue
        changed = replaced(made.signed, place, value + "x")
        with pytest.raises(KpassError):
            check_proofs(FORM, json.dumps(changed).encode(), key, made.contexts)


@pytest.mark.parametrize("body", [b"", b"x", b"[1]", b"null", b"\xef\xbb\xbf{}", b"<svg/>", b"\0{"])
def test_what_is_neither_json_nor_jwt_has_no_format(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        recognise(body)

    assert caught.value.rule == "format"


def test_each_format_is_recognised_with_blanks_before_it() -> None:
    made = sample()

    assert recognise(b"\r\n\t " + made.body).name == "ldp_vc"
    assert recognise(b" " + made.jwt).name == "vc-jwt"
