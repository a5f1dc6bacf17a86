"""eddsa-rdfc-2022 against W3C's own vectors, byte for byte."""

import hashlib
import json
import os
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import base58_decode, multibase_decode, multibase_encode
from kpass_vc.crypto.signers import Ed25519Signer
from kpass_vc.cryptosuites import CRYPTOSUITES
from kpass_vc.cryptosuites.hash_then_sign import hash_data, rdf, rdf_configuration
from kpass_vc.errors import DataLoss, KeyRefused, ProofInvalid
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import Contexts
from tests.sample import Json, sample

FOLDER = Path(os.environ.get("KPASS_VECTORS") or "/nowhere") / "vc-di-eddsa"
FACTS = tomllib.loads(
    (Path(__file__).parent.parent / "vectors/eddsa-rdfc-2022.toml").read_text("utf-8")
)
SUITE = CRYPTOSUITES["eddsa-rdfc-2022"]
ED25519_PRIVATE = b"\x80\x26"


def signer_of(private_multikey: str) -> Ed25519Signer:
    data = base58_decode(private_multikey[1:])
    assert data.startswith(ED25519_PRIVATE)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(data[2:])
    return Ed25519Signer(key, PublicKey(Algorithm.ED25519, key.public_key().public_bytes_raw()))


def options() -> Json:
    method = f"did:key:{FACTS['public_key']}#{FACTS['public_key']}"
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": FACTS["created"],
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }


def test_the_private_key_of_the_vector_is_that_of_its_public_key() -> None:
    assert signer_of(FACTS["private_key"]).public_key.multikey() == FACTS["public_key"]


def test_the_proof_options_of_the_vector_hash_to_its_proof_hash(contexts: Contexts) -> None:
    canonical = canonicalize(options() | {"@context": FACTS["contexts"]}, contexts)

    assert hashlib.sha256(canonical.encode()).hexdigest() == FACTS["proof_hash"]


def test_the_key_of_the_vector_signs_the_two_hashes_to_its_proof_value() -> None:
    both = bytes.fromhex(FACTS["proof_hash"] + FACTS["document_hash"])

    assert multibase_encode(signer_of(FACTS["private_key"]).sign(both)) == FACTS["proof_value"]
    PublicKey.from_multikey(FACTS["public_key"]).verify(
        multibase_decode(FACTS["proof_value"]), both
    )


@pytest.mark.vectors
def test_w3cs_document_is_reproduced_byte_for_byte(contexts: Contexts) -> None:
    folder = FOLDER / "eddsa-rdfc-2022"

    def text(kind: str) -> str:
        return (folder / f"{kind}DataInt.txt").read_text("utf-8")

    signed: Json = json.loads((folder / "signedDataInt.json").read_bytes())
    document = {member: value for member, value in signed.items() if member != "proof"}
    proof: Json = signed["proof"]
    bare = {member: value for member, value in proof.items() if member != "proofValue"}
    signer = signer_of(json.loads((FOLDER / "keyPair.json").read_bytes())["privateKeyMultibase"])

    made = SUITE.add_proof(document, bare, signer, contexts)

    assert canonicalize(document, contexts) == text("canonDoc")
    assert canonicalize(bare | {"@context": document["@context"]}, contexts) == text("proofCanon")
    hashed = hash_data(document, rdf_configuration(document, proof), rdf(contexts))
    assert hashed[32:].hex() == text("docHash").strip()
    assert hashed[:32].hex() == text("proofHash").strip()
    assert hashed.hex() == text("combinedHash").strip()
    assert multibase_decode(made["proofValue"]).hex() == text("sigHex").strip()  # type: ignore[arg-type]
    assert made["proofValue"] == text("sigBTC58").strip()
    assert made == proof
    SUITE.check_proof(document, proof, signer.public_key, contexts)


@pytest.mark.vectors
def test_the_facts_in_the_repository_are_those_of_w3cs_files() -> None:
    signed: Json = json.loads((FOLDER / "eddsa-rdfc-2022/signedDataInt.json").read_bytes())
    pair: Json = json.loads((FOLDER / "keyPair.json").read_bytes())
    combined = (FOLDER / "eddsa-rdfc-2022/combinedHashDataInt.txt").read_text().strip()

    assert signed["proof"] == options() | {"proofValue": FACTS["proof_value"]}
    assert signed["@context"] == FACTS["contexts"]
    assert combined == FACTS["proof_hash"] + FACTS["document_hash"]
    assert (pair["publicKeyMultibase"], pair["privateKeyMultibase"]) == (
        FACTS["public_key"],
        FACTS["private_key"],
    )


def proven() -> tuple[Json, Json, PublicKey]:
    made = sample()
    signed = made.signed
    proof = signed.pop("proof")
    return signed, proof, made.signing.signer.public_key


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value[1:],
        lambda value: "u" + value[1:],
        lambda _: "z",
        lambda _: "",
        lambda value: value + "1",
        lambda value: "z1" + value[1:],
        lambda value: value[:-1],
        lambda value: value + " ",
        lambda value: value.swapcase(),
        lambda value: multibase_encode(multibase_decode(value)[:63]),
        lambda value: multibase_encode(multibase_decode(value) + b"\0"),
        lambda _: multibase_encode(bytes(64)),
        lambda value: [value],
        lambda _: None,
        lambda _: 5,
    ],
)
def test_a_proof_value_in_another_form_does_not_hold(change: Any, contexts: Contexts) -> None:
    document, proof, key = proven()
    SUITE.check_proof(document, proof, key, contexts)

    with pytest.raises(ProofInvalid):
        SUITE.check_proof(
            document, proof | {"proofValue": change(proof["proofValue"])}, key, contexts
        )


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("created", "2026-01-01T00:00:00Z"),
        ("expires", "2099-01-01T00:00:00Z"),
        ("domain", "example.org"),
        ("challenge", "x"),
        ("nonce", "x"),
        ("verificationMethod", "did:example:other#key"),
        ("proofPurpose", "authentication"),
        ("previousProof", "urn:uuid:1"),
    ],
)
def test_every_option_of_a_proof_is_signed(member: str, value: str, contexts: Contexts) -> None:
    document, proof, key = proven()

    with pytest.raises(ProofInvalid):
        SUITE.check_proof(document, proof | {member: value}, key, contexts)


def test_a_missing_or_undefined_option_does_not_hold(contexts: Contexts) -> None:
    document, proof, key = proven()
    shorter = {member: value for member, value in proof.items() if member != "created"}

    with pytest.raises(ProofInvalid):
        SUITE.check_proof(document, shorter, key, contexts)
    with pytest.raises(DataLoss):
        SUITE.check_proof(document, proof | {"undefined": "x"}, key, contexts)


def test_a_proof_cannot_be_moved_to_a_document_with_other_contexts(contexts: Contexts) -> None:
    document, proof, key = proven()
    other = document | {
        "@context": [*document["@context"], "https://w3id.org/security/multikey/v1"]
    }

    # The document has the same quads; only the options are read in another light, or the same one
    assert canonicalize(other, contexts) == canonicalize(document, contexts)
    SUITE.check_proof(document, proof, key, contexts)
    with pytest.raises(DataLoss):
        SUITE.check_proof(document | {"@context": []}, proof, key, contexts)


def test_a_key_of_another_kind_or_of_another_holder_does_not_verify(contexts: Contexts) -> None:
    document, proof, _ = proven()
    made = sample()

    with pytest.raises(KeyRefused) as caught:
        SUITE.check_proof(document, proof, made.jwt_signing.signer.public_key, contexts)
    assert caught.value.rule == "suite"
    with pytest.raises(ProofInvalid):
        SUITE.check_proof(document, proof, made.owner_signing.signer.public_key, contexts)


def test_signing_twice_gives_the_same_proof() -> None:
    made = sample()

    assert made.sign(made.credential) == made.sign(made.credential)
    later = replace(made.signing, created=made.signing.created.replace(year=2000))
    assert made.sign(made.credential, later) != made.sign(made.credential)
