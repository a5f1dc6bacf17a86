"""The suites that sign a document whole: W3C's facts, every leaf under the proof, and what they refuse."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kpass_vc.crypto.jcs import canonical_json
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import multibase_decode, multibase_encode
from kpass_vc.crypto.signers import signer_of
from kpass_vc.cryptosuites import CRYPTOSUITES, DERIVING, WRITTEN, suite_of
from kpass_vc.cryptosuites.hash_then_sign import digest_of
from kpass_vc.errors import DataLoss, KeyRefused, KpassError, ProofInvalid
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import Contexts
from tests.cryptosuites.documents import (
    PLAIN,
    SIGNERS,
    document,
    leaves,
    options,
    other,
    proven,
    without,
)
from tests.sample import Json, at, replaced

VECTORS = Path(__file__).parent.parent / "vectors"
FACTS = [
    pytest.param(name, example, id=f"{name}-{example['public_key'][:4]}")
    for name in ("eddsa-jcs-2022", "Ed25519Signature2020", "ecdsa-rdfc-2019", "ecdsa-jcs-2019")
    for example in tomllib.loads((VECTORS / f"{name}.toml").read_text("utf-8"))["example"]
]
JCS = [(suite, algorithm) for suite, algorithm in PLAIN if "jcs" in suite]
QUADS = [(suite, algorithm) for suite, algorithm in PLAIN if "jcs" not in suite]


@pytest.mark.parametrize(("suite", "facts"), FACTS)
def test_w3cs_proof_options_hash_to_its_proof_hash(
    suite: str, facts: Json, contexts: Contexts
) -> None:
    kind: Json = {"type": suite} if suite not in WRITTEN else {"type": "DataIntegrityProof"}
    named = {"cryptosuite": suite} if suite in WRITTEN else {}
    key = facts["public_key"]
    full = {
        **kind,
        **named,
        "created": facts["created"],
        "verificationMethod": f"did:key:{key}#{key}",
        "proofPurpose": "assertionMethod",
        "@context": facts["contexts"],
    }
    digest = digest_of(PublicKey.from_multikey(key).algorithm)

    canonical = (
        canonical_json(full) if "jcs" in suite else canonicalize(full, contexts, algorithm=digest)
    )

    assert hashlib.new(digest, canonical.encode()).hexdigest() == facts["proof_hash"]


@pytest.mark.parametrize(("suite", "facts"), FACTS)
def test_w3cs_key_signs_the_two_hashes_to_its_proof_value(suite: str, facts: Json) -> None:
    public = PublicKey.from_multikey(facts["public_key"])
    signer = signer_of(public.algorithm, multibase_decode(facts["private_key"])[2:])
    both = bytes.fromhex(facts["proof_hash"] + facts["document_hash"])

    assert public.algorithm in CRYPTOSUITES[suite].algorithms
    assert signer.public_key == public
    assert multibase_encode(signer.sign(both)) == facts["proof_value"]
    public.verify(multibase_decode(facts["proof_value"]), both)


@pytest.mark.parametrize(("suite", "algorithm"), PLAIN)
def test_a_proof_holds_and_says_which_suite_made_it(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed, proof, key = proven(suite, algorithm, contexts)

    CRYPTOSUITES[suite].check_proof(signed, proof, key, contexts)
    assert suite_of(proof) is CRYPTOSUITES[suite]
    assert proof["proofValue"].startswith("z")
    assert len(multibase_decode(proof["proofValue"])) == (96 if algorithm is Algorithm.P384 else 64)
    assert (proof.get("@context") == signed["@context"]) == ("jcs" in suite)


@pytest.mark.parametrize(("suite", "algorithm"), PLAIN)
def test_every_leaf_of_the_document_is_under_the_proof(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed, proof, key = proven(suite, algorithm, contexts)
    check = CRYPTOSUITES[suite].check_proof
    found = leaves(signed)
    assert len(found) >= 17

    for place in found:
        with pytest.raises(KpassError):
            check(replaced(signed, place, other(at(signed, place))), proof, key, contexts)
    for place in found:
        if place[0] != "@context":
            with pytest.raises(KpassError):
                check(without(signed, place), proof, key, contexts)
    for more in (
        {"name": "x"},
        {"credentialSubject": [signed["credentialSubject"], {"id": "a:b"}]},
    ):
        with pytest.raises(KpassError):
            check(signed | more, proof, key, contexts)


@pytest.mark.parametrize(("suite", "algorithm"), PLAIN)
def test_every_option_of_a_proof_is_under_it(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed, proof, key = proven(suite, algorithm, contexts)
    check = CRYPTOSUITES[suite].check_proof

    for place in leaves(proof):
        for changed in (replaced(proof, place, other(at(proof, place))), without(proof, place)):
            with pytest.raises(KpassError):
                check(signed, changed, key, contexts)
    for member in ("expires", "domain", "challenge", "nonce", "previousProof", "id"):
        with pytest.raises(KpassError):
            check(signed, proof | {member: "urn:uuid:1"}, key, contexts)


@pytest.mark.parametrize(("suite", "algorithm"), PLAIN)
@pytest.mark.parametrize(
    "change",
    [
        lambda value: value[1:],
        lambda value: value[:-1],
        lambda value: value + "1",
        lambda value: "u" + value[1:],
        lambda value: "z1" + value[1:],
        lambda value: multibase_encode(multibase_decode(value)[:-1]),
        lambda value: multibase_encode(multibase_decode(value)[1:]),
        lambda value: multibase_encode(b"\0" + multibase_decode(value)),
        lambda value: multibase_encode(multibase_decode(value) + b"\0"),
        lambda value: multibase_encode(bytes(len(multibase_decode(value)))),
        lambda value: multibase_encode(b"\xff" * len(multibase_decode(value))),
        lambda _: "z",
        lambda _: "",
        lambda _: None,
        lambda value: [value],
    ],
)
def test_a_proof_value_in_another_form_does_not_hold(
    change: Any, suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed, proof, key = proven(suite, algorithm, contexts)

    with pytest.raises(ProofInvalid):
        CRYPTOSUITES[suite].check_proof(
            signed, proof | {"proofValue": change(proof["proofValue"])}, key, contexts
        )


@pytest.mark.parametrize(("suite", "algorithm"), PLAIN)
def test_only_keys_of_its_own_kinds_check_a_proof(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed, proof, _ = proven(suite, algorithm, contexts)
    taken = CRYPTOSUITES[suite].algorithms

    for kind, signer in SIGNERS.items():
        if kind is not algorithm:
            with pytest.raises(ProofInvalid if kind in taken else KeyRefused):
                CRYPTOSUITES[suite].check_proof(signed, proof, signer.public_key, contexts)


@pytest.mark.parametrize(("suite", "algorithm"), PLAIN)
def test_signing_is_deterministic(suite: str, algorithm: Algorithm, contexts: Contexts) -> None:
    assert proven(suite, algorithm, contexts) == proven(suite, algorithm, contexts)


@pytest.mark.parametrize(("suite", "algorithm"), PLAIN)
def test_a_fraction_is_not_signed(suite: str, algorithm: Algorithm, contexts: Contexts) -> None:
    signer = SIGNERS[algorithm]
    for value in (0.5, [1, [2.5]], {"points": 1e2}):
        whole = replaced(document(suite), ("credentialSubject", "course", "points"), value)

        with pytest.raises(DataLoss) as caught:
            CRYPTOSUITES[suite].add_proof(whole, options(signer), signer, contexts)
        assert caught.value.rule == "float"


@pytest.mark.parametrize(("suite", "algorithm"), JCS)
def test_a_fraction_that_another_signed_is_read_as_rfc_8785_writes_it(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signer = SIGNERS[algorithm]
    place = ("credentialSubject", "course", "points")
    signed, _, key = proven(suite, algorithm, contexts)
    whole = CRYPTOSUITES[suite].add_proof(signed, options(signer), signer, contexts)

    # 5.0 and 5 are one number in RFC 8785, 5.5 is another
    CRYPTOSUITES[suite].check_proof(replaced(signed, place, 5.0), whole, key, contexts)
    with pytest.raises(ProofInvalid):
        CRYPTOSUITES[suite].check_proof(replaced(signed, place, 5.5), whole, key, contexts)


@pytest.mark.parametrize(("suite", "algorithm"), JCS)
def test_canonical_json_keeps_the_order_of_lists_and_not_that_of_members(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed, proof, key = proven(suite, algorithm, contexts)
    place = ("credentialSubject", "parts")

    CRYPTOSUITES[suite].check_proof(dict(reversed(signed.items())), proof, key, contexts)
    with pytest.raises(ProofInvalid):
        CRYPTOSUITES[suite].check_proof(
            replaced(signed, place, at(signed, place)[::-1]), proof, key, contexts
        )


@pytest.mark.parametrize(("suite", "algorithm"), JCS)
def test_the_documents_contexts_must_begin_with_those_that_were_signed(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed, proof, key = proven(suite, algorithm, contexts)
    own = signed["@context"]
    check = CRYPTOSUITES[suite].check_proof

    check(signed | {"@context": [*own, "https://more.example/"]}, proof, key, contexts)
    for found in (own[::-1], own[:1], own[0], ["https://first.example/", *own], [], None):
        with pytest.raises(ProofInvalid) as caught:
            check(signed | {"@context": found}, proof, key, contexts)
        assert caught.value.rule == "proof_context"
    claimed: Any
    for claimed in (own[:1], [], own[::-1], None):
        with pytest.raises(ProofInvalid):
            check(signed, proof | {"@context": claimed}, key, contexts)


@pytest.mark.parametrize(("suite", "algorithm"), QUADS)
def test_a_proof_over_quads_brings_no_context_of_its_own(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signed, proof, key = proven(suite, algorithm, contexts)

    with pytest.raises(ProofInvalid) as caught:
        CRYPTOSUITES[suite].check_proof(
            signed, proof | {"@context": signed["@context"]}, key, contexts
        )

    assert caught.value.rule == "proof_context"


@pytest.mark.parametrize(("suite", "algorithm"), QUADS)
def test_what_no_context_defines_is_not_signed_and_named(
    suite: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    signer = SIGNERS[algorithm]
    bare = document(suite)
    bare["@context"] = [url for url in bare["@context"] if "examples" not in url]

    with pytest.raises(DataLoss) as caught:
        CRYPTOSUITES[suite].add_proof(bare, options(signer), signer, contexts)

    assert caught.value.data["part"] in {"course", "parts", "visits", "ExampleCourseCredential"}


def test_a_suite_is_found_by_the_type_of_the_proof_and_its_name() -> None:
    for name, suite in CRYPTOSUITES.items():
        assert suite_of({"type": suite.proof_type, "cryptosuite": name}) is suite
    assert suite_of({"type": "Ed25519Signature2020"}) is CRYPTOSUITES["Ed25519Signature2020"]
    for proof in (
        {"type": "DataIntegrityProof"},
        {"type": "DataIntegrityProof", "cryptosuite": "Ed25519Signature2020"},
        {"type": "eddsa-rdfc-2022"},
        {"type": "eddsa-rdfc-2022", "cryptosuite": "eddsa-rdfc-2022"},
        {"type": "Ed25519Signature2018"},
        {"type": ["DataIntegrityProof"], "cryptosuite": "eddsa-rdfc-2022"},
        {"type": "DataIntegrityProof", "cryptosuite": "EDDSA-RDFC-2022"},
        {},
    ):
        assert suite_of(proof) is None


def test_older_suites_are_read_and_not_written() -> None:
    assert set(WRITTEN) == CRYPTOSUITES.keys() - {"eddsa-2022", "Ed25519Signature2020"}
    assert set(DERIVING) == {"ecdsa-sd-2023"}
