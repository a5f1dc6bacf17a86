"""Every cryptosuite against W3C's vectors: signing byte for byte, each hash on the way, verification."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kpass_vc.crypto import cbor
from kpass_vc.crypto.jcs import canonical_json
from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.crypto.multibase import base64url_decode, base64url_encode, multibase_decode
from kpass_vc.crypto.signers import signer_of
from kpass_vc.cryptosuites import CRYPTOSUITES, DERIVING
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.cryptosuites.ecdsa_sd_2023 import read_base, read_derived
from kpass_vc.cryptosuites.hash_then_sign import digest_of, hash_data, rdf, rdf_configuration
from kpass_vc.cryptosuites.selective_disclosure import (
    canonicalize_and_group,
    hmac_labels,
    relabelled,
)
from kpass_vc.errors import ProofInvalid
from kpass_vc.formats import FORMATS
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.expansion import to_quads
from tests.sample import Json

VECTORS = Path(os.environ.get("KPASS_VECTORS") or "/nowhere")
EDDSA, ECDSA = VECTORS / "vc-di-eddsa", VECTORS / "vc-di-ecdsa"
SD = ECDSA / "ecdsa-sd-2023"

pytestmark = pytest.mark.vectors


class Plain(NamedTuple):
    """A folder of vectors of a plain suite: the suite, where, and how its files end."""

    suite: str
    folder: str
    ending: str
    pair: str


PLAIN = [
    Plain("eddsa-rdfc-2022", "vc-di-eddsa/eddsa-rdfc-2022", "DataInt", "vc-di-eddsa/keyPair.json"),
    Plain(
        "eddsa-rdfc-2022",
        "vc-di-eddsa/eddsa-rdfc-2022/employ",
        "DataInt",
        "vc-di-eddsa/keyPair.json",
    ),
    Plain("eddsa-jcs-2022", "vc-di-eddsa/eddsa-jcs-2022", "JCS", "vc-di-eddsa/keyPair.json"),
    Plain(
        "Ed25519Signature2020",
        "vc-di-eddsa/Ed25519Signature2020",
        "EdSig",
        "vc-di-eddsa/keyPair.json",
    ),
    *(
        Plain(
            f"ecdsa-{kind}-2019",
            f"vc-di-ecdsa/ecdsa-{kind}-2019-p{bits}{below}",
            f"{'JCS' if kind == 'jcs' else ''}ECDSAP{bits}",
            f"vc-di-ecdsa/p{bits}KeyPair.json",
        )
        for kind in ("rdfc", "jcs")
        for bits in (256, 384)
        for below in (("", "/employ") if kind == "rdfc" else ("",))
    ),
]


def files(plain: Plain) -> dict[str, Path]:
    """The files of a vector, by what they hold: canonDoc, docHash, proofCanon, …, signed."""
    found: dict[str, Path] = {}
    for path in sorted((VECTORS / plain.folder).glob("*.*")):
        for kind in KINDS:
            if path.name.startswith(kind):
                found[kind] = path
    return found


KINDS = (
    "canonDoc",
    "docHash",
    "proofCanon",
    "proofConfig",
    "proofHash",
    "combinedHash",
    "sigHex",
    "sigBTC58",
    "signed",
)


def signer_for(pair: Json) -> Signer:
    """The signer of a published key pair; its Multikey says of which kind it is."""
    public = PublicKey.from_multikey(pair["publicKeyMultibase"])
    secret = pair.get("privateKeyMultibase") or pair["secretKeyMultibase"]
    signer = signer_of(public.algorithm, multibase_decode(secret)[2:])
    assert signer.public_key == public
    return signer


def split(signed: Json) -> tuple[Json, Json, Json]:
    """A signed document: without proof, its proof, and that without its value."""
    document = {name: value for name, value in signed.items() if name != "proof"}
    proof = signed["proof"]
    bare = {name: value for name, value in proof.items() if name != "proofValue"}
    return document, proof, bare


def key_in(proof: Json) -> PublicKey:
    return PublicKey.from_multikey(proof["verificationMethod"].partition("#")[2])


@pytest.mark.parametrize("plain", PLAIN, ids=lambda plain: plain.folder)
def test_a_plain_suite_reproduces_every_step_of_w3cs_vector(
    plain: Plain, contexts: Contexts
) -> None:
    found = files(plain)
    assert set(found) == set(KINDS)
    signed: Json = json.loads(found["signed"].read_bytes())
    document, proof, bare = split(signed)
    suite = CRYPTOSUITES[plain.suite]
    is_jcs = "jcs" in plain.suite
    key = key_in(proof)
    digest = digest_of(key.algorithm)

    def text(kind: str) -> str:
        return found[kind].read_text("utf-8")

    transform = (lambda part, _: canonical_json(part).encode()) if is_jcs else rdf(contexts)
    configuration: Json = bare if is_jcs else rdf_configuration(document, bare)
    assert transform(document, digest).decode() == text("canonDoc")
    assert transform(configuration, digest).decode() == text("proofCanon")
    assert json.loads(text("proofConfig")) == configuration
    hashed = hash_data(document, configuration, transform, digest)
    half = len(hashed) // 2
    assert hashed[half:].hex() == text("docHash").strip()
    assert hashed[:half].hex() == text("proofHash").strip()
    assert hashed.hex() == text("combinedHash").strip()
    assert multibase_decode(proof["proofValue"]).hex() == text("sigHex").strip()
    assert proof["proofValue"] == text("sigBTC58").strip()
    suite.check_proof(document, proof, key, contexts)
    changed = document | {"name": "Another"}
    with pytest.raises(ProofInvalid):
        suite.check_proof(changed, proof, key, contexts)
    if plain.pair:
        options = {
            name: value
            for name, value in bare.items()
            if name not in {"type", "cryptosuite", "@context"}
        }
        signer = signer_for(json.loads((VECTORS / plain.pair).read_bytes()))
        if signer.public_key == key:
            assert suite.add_proof(document, options, signer, contexts) == proof


@pytest.mark.parametrize(("name", "count"), [("signedProofSet1", 1), ("signedProofSet2", 2)])
def test_every_proof_of_w3cs_sets_holds(name: str, count: int, contexts: Contexts) -> None:
    assert _check_all((EDDSA / f"proof-set-chain/{name}.json").read_bytes(), contexts) == count


@pytest.mark.parametrize(("name", "count"), [("signedProofChain1", 3), ("signedProofChain2", 4)])
def test_every_proof_of_w3cs_chains_holds_over_the_ones_it_builds_on(
    name: str, count: int, contexts: Contexts
) -> None:
    body = (EDDSA / f"proof-set-chain/{name}.json").read_bytes()
    signed = json.loads(body)

    assert _check_all(body, contexts) == count

    # without the proofs that it builds on, or with one of them changed, the last one does not hold
    last = signed["proof"][-1]
    for kept in (
        [last],
        [
            proof if proof is last else proof | {"created": "2023-01-01T00:00:00Z"}
            for proof in signed["proof"]
        ],
    ):
        form = FORMATS["ldp_vc"]
        presented = form.read(json.dumps(signed | {"proof": kept}).encode())
        with pytest.raises(ProofInvalid):
            form.check_proof(presented, presented.proofs[-1], key_in(last), contexts)


def _check_all(body: bytes, contexts: Contexts) -> int:
    form = FORMATS["ldp_vc"]
    presented = form.read(body)
    for proof in presented.proofs:
        form.check_proof(presented, proof, key_in(proof.options), contexts)
    return len(presented.proofs)


def entries(path: Path) -> Iterator[tuple[str, dict[int, str]]]:
    for name, value in json.loads(path.read_bytes()).items():
        if isinstance(value, dict) and value.get("dataType") == "Map":
            yield name, dict(value["value"])


@pytest.mark.parametrize(("name", "example"), [("employ", "employ"), ("prc", "prCred")])
def test_ecdsa_sd_2023_reproduces_every_step_of_w3cs_vector(
    name: str, example: str, contexts: Contexts
) -> None:
    folder = SD / name
    material: Json = json.loads((SD / "SDKeyMaterial.json").read_bytes())
    signer = signer_for(material["baseKeyPair"])
    proof_key = signer_for(material["proofKeyPair"])
    hmac_key = bytes.fromhex(material["hmacKeyString"])
    secret = multibase_decode(material["proofKeyPair"]["secretKeyMultibase"])[2:]
    mandatory = tuple(json.loads((ECDSA / f"{example}Mandatory.json").read_bytes()))
    selective = tuple(json.loads((ECDSA / f"{example}Selective.json").read_bytes()))
    signed: Json = json.loads((folder / "addSignedSDBase.json").read_bytes())
    reveal: Json = json.loads((folder / "derivedRevealDocument.json").read_bytes())
    document, proof, bare = split(signed)
    suite = CRYPTOSUITES["ecdsa-sd-2023"]
    entropy = iter((secret, hmac_key))
    options = {key: value for key, value in bare.items() if key not in {"type", "cryptosuite"}}

    made = suite.add_proof(
        document,
        options,
        signer,
        contexts,
        disclosure=Disclosure(mandatory, lambda _: next(entropy)),
    )
    derived = DERIVING["ecdsa-sd-2023"].derive(document, proof, selective, contexts)

    assert made == proof
    assert derived == reveal
    grouped = canonicalize_and_group(
        document, hmac_labels(hmac_key), {"mandatory": mandatory}, contexts
    )
    assert list(grouped.lines) == json.loads((folder / "addBaseDocHMACCanon.json").read_bytes())
    steps = dict(entries(folder / "addBaseTransform.json"))
    assert grouped.groups["mandatory"].matching == steps["mandatory"]
    assert grouped.groups["mandatory"].others == steps["nonMandatory"]
    canonical = canonicalize(rdf_configuration(document, bare), contexts)
    assert canonical == (folder / "addProofConfigCanon.txt").read_text("utf-8")
    hashes: Json = json.loads((folder / "addHashData.json").read_bytes())
    assert hashlib.sha256(canonical.encode()).hexdigest() == hashes["proofHash"]
    joined = "".join(steps["mandatory"].values())
    assert hashlib.sha256(joined.encode()).hexdigest() == hashes["mandatoryHash"]
    raw: Json = json.loads((folder / "addRawBaseSignatureInfo.json").read_bytes())
    base = read_base(proof["proofValue"])
    assert base.base_signature.hex() == raw["baseSignature"]
    assert [part.hex() for part in base.signatures] == raw["signatures"]
    assert base.mandatory_pointers == mandatory

    shown, shown_proof, _ = split(reveal)
    parts = read_derived(shown_proof["proofValue"])
    disclosure: Json = json.loads((folder / "derivedDisclosureData.json").read_bytes())
    assert parts.base_signature.hex() == disclosure["baseSignature"]
    assert [part.hex() for part in parts.signatures] == disclosure["signatures"]
    assert list(parts.mandatory_indexes) == disclosure["mandatoryIndexes"]
    assert {f"c14n{number}": label for number, label in parts.labels.items()} == {
        old: base64url_decode(new[1:]) for old, new in disclosure["labelMap"]["value"]
    }
    assert parts.public_key == multibase_decode(proof_key.public_key.multikey())
    nquads = json.loads((folder / "verifyNQuads.json").read_bytes())
    given = {
        f"_:c14n{number}": f"_:u{base64url_encode(label)}" for number, label in parts.labels.items()
    }
    lines, _ = relabelled(
        to_quads(shown, contexts), lambda found: {node: given[name] for node, name in found.items()}
    )
    assert list(lines) == nquads
    suite.check_proof(shown, shown_proof, signer.public_key, contexts)


def sd_vector() -> tuple[Json, Json, PublicKey]:
    shown, proof, _ = split(json.loads((SD / "prc/derivedRevealDocument.json").read_bytes()))
    return shown, proof, key_in(proof)


def repacked(value: str, change: Any) -> str:
    data = base64url_decode(value[1:])
    parts = cbor.decode(data[3:])
    changed = change(data[:3], parts)
    return f"u{base64url_encode(changed)}"


@pytest.mark.parametrize(
    "change",
    [
        lambda _head, parts: b"\xd9\x5d\x02" + cbor.encode(parts),
        lambda _head, parts: b"\xd9\x5d\x00" + cbor.encode(parts),
        lambda _head, parts: cbor.encode(parts),
        lambda head, parts: head + cbor.encode(parts[:4]),
        lambda head, parts: head + cbor.encode([*parts, 0]),
        lambda head, parts: head + cbor.encode(parts) + b"\x00",
        lambda head, parts: head + cbor.encode(parts)[:-1],
        lambda head, parts: head + b"\x9f" + cbor.encode(parts)[1:] + b"\xff",
        lambda head, parts: head + cbor.encode([*parts[:2], parts[2][:-1], *parts[3:]]),
        lambda head, parts: head + cbor.encode([*parts[:2], [*parts[2], parts[2][0]], *parts[3:]]),
        lambda head, parts: head + cbor.encode([*parts[:2], parts[2][::-1], *parts[3:]]),
        lambda head, parts: head + cbor.encode([parts[0][:63], *parts[1:]]),
        lambda head, parts: head + cbor.encode([bytes(64), *parts[1:]]),
        lambda head, parts: head + cbor.encode([parts[0], parts[1][:-1], *parts[2:]]),
        lambda head, parts: head + cbor.encode([*parts[:3], {}, parts[4]]),
        lambda head, parts: (
            head + cbor.encode([*parts[:3], dict.fromkeys(parts[3], bytes(32)), parts[4]])
        ),
        lambda head, parts: head + cbor.encode([*parts[:3], {"c14n0": bytes(32)}, parts[4]]),
        lambda head, parts: head + cbor.encode([*parts[:4], [*parts[4], parts[4][0]]]),
        lambda head, parts: head + cbor.encode([*parts[:4], [*parts[4], 9999]]),
        lambda head, parts: head + cbor.encode([*parts[:4], parts[4][:-1]]),
        lambda head, parts: head + cbor.encode([*parts[:4], ["0"]]),
    ],
)
def test_a_derived_proof_in_another_form_does_not_hold(change: Any, contexts: Contexts) -> None:
    shown, proof, key = sd_vector()
    suite = CRYPTOSUITES["ecdsa-sd-2023"]
    suite.check_proof(shown, proof, key, contexts)
    value = repacked(proof["proofValue"], change)

    with pytest.raises(ProofInvalid):
        suite.check_proof(shown, proof | {"proofValue": value}, key, contexts)


def test_a_base_proof_is_refused_by_a_verifier_with_its_own_reason(contexts: Contexts) -> None:
    document, proof, _ = split(json.loads((SD / "prc/addSignedSDBase.json").read_bytes()))

    with pytest.raises(ProofInvalid) as caught:
        CRYPTOSUITES["ecdsa-sd-2023"].check_proof(document, proof, key_in(proof), contexts)

    assert caught.value.rule == "base_proof"


def test_the_keys_of_the_vectors_are_of_the_kinds_their_suites_take() -> None:
    kinds = {
        signer_for(json.loads((VECTORS / plain.pair).read_bytes())).public_key.algorithm
        for plain in PLAIN
        if plain.pair
    }

    assert kinds == {Algorithm.ED25519, Algorithm.P256, Algorithm.P384}
