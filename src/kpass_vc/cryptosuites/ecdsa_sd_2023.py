"""ecdsa-sd-2023 (Data Integrity ECDSA Cryptosuites 1.0 sections 3.4 to 3.6): show a part of what was signed.

The issuer signs what is always shown, and a key of one use signs each other line; the holder derives a
proof with the signatures of what is shown. P-256 throughout.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kpass_vc.crypto import cbor
from kpass_vc.crypto.jcs import has_float
from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.crypto.multibase import (
    base64url_decode,
    base64url_encode,
    multibase_decode,
    multibase_encode,
)
from kpass_vc.crypto.signers import signer_of
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.cryptosuites.hash_then_sign import rdf_configuration
from kpass_vc.cryptosuites.selective_disclosure import (
    LabelMaker,
    Labels,
    canonicalize_and_group,
    hmac_labels,
    relabelled,
    select,
)
from kpass_vc.errors import DataLoss, KeyRefused, Malformed, ProofInvalid
from kpass_vc.jsonld import canonicalize, to_quads
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.graph import Graph
from kpass_vc.jsonld.rdfc import canonicalize_dataset
from kpass_vc.model.document import JsonObject

_BASE: Final = b"\xd9\x5d\x00"
_DERIVED: Final = b"\xd9\x5d\x01"
_SIGNATURE: Final = 64
_KEY: Final = 35
_HMAC_KEY: Final = 32
_LABEL: Final = 32
_MOST_SIGNATURES: Final = 3000


@dataclass(frozen=True)
class BaseProof:
    """What a base proofValue holds (section 3.5.2)."""

    base_signature: bytes
    public_key: bytes
    hmac_key: bytes
    signatures: tuple[bytes, ...]
    mandatory_pointers: tuple[str, ...]


@dataclass(frozen=True)
class DerivedProof:
    """What a derived proofValue holds (section 3.5.7)."""

    base_signature: bytes
    public_key: bytes
    signatures: tuple[bytes, ...]
    labels: Mapping[int, bytes]
    """The label of each canonical blank node, by its number."""
    mandatory_indexes: frozenset[int]


class EcdsaSd2023:
    """ECDSA with selective disclosure."""

    name: Final = "ecdsa-sd-2023"
    proof_type: Final = "DataIntegrityProof"
    algorithms: Final = frozenset({Algorithm.P256})

    def add_proof(
        self,
        document: Mapping[str, object],
        options: Mapping[str, object],
        signer: Signer,
        contexts: Contexts,
        *,
        disclosure: Disclosure | None = None,
    ) -> JsonObject:
        """A base proof (section 3.6.1), for the holder's eyes: it shows how every label is made."""
        if disclosure is None:
            raise ValueError("ecdsa-sd-2023 needs entropy")
        if signer.public_key.algorithm not in self.algorithms:
            raise KeyRefused("suite", algorithm=signer.public_key.algorithm)
        if has_float(document):
            raise DataLoss("float", part="/")
        proof_key = signer_of(Algorithm.P256, disclosure.entropy(32))
        hmac_key = disclosure.entropy(_HMAC_KEY)
        full = {"type": self.proof_type, "cryptosuite": self.name, **options}
        group = canonicalize_and_group(
            document,
            hmac_labels(hmac_key),
            {"mandatory": disclosure.mandatory_pointers},
            contexts,
        ).groups["mandatory"]
        public_key = multibase_decode(proof_key.public_key.multikey())
        signed = _signed(document, full, public_key, group.matching.values(), contexts)
        value = [
            signer.sign(signed),
            public_key,
            hmac_key,
            [proof_key.sign(line.encode()) for line in group.others.values()],
            list(disclosure.mandatory_pointers),
        ]
        return {**full, "proofValue": f"u{base64url_encode(_BASE + cbor.encode(value))}"}

    def check_proof(
        self,
        document: Mapping[str, object],
        proof: Mapping[str, object],
        key: PublicKey,
        contexts: Contexts,
        *,
        graph: Graph | None = None,
    ) -> None:
        """Return if a derived proof holds (section 3.6.8); a base proof is not for verifiers."""
        if key.algorithm not in self.algorithms:
            raise KeyRefused("suite", algorithm=key.algorithm)
        if "@context" in proof:
            raise ProofInvalid("proof_context")
        derived = read_derived(proof.get("proofValue"))
        found = to_quads(document, contexts) if graph is None else graph.quads()
        lines, _ = relabelled(found, _given_labels(derived.labels))
        if any(at >= len(lines) for at in derived.mandatory_indexes):
            raise ProofInvalid("disclosure", part="mandatoryIndexes")
        mandatory = [line for at, line in enumerate(lines) if at in derived.mandatory_indexes]
        others = [line for at, line in enumerate(lines) if at not in derived.mandatory_indexes]
        if len(others) != len(derived.signatures):
            raise ProofInvalid("disclosure", part="signatures")
        key.verify(
            derived.base_signature,
            _signed(document, proof, derived.public_key, mandatory, contexts),
        )
        proof_key = _proof_key(derived.public_key)
        for line, signature in zip(others, derived.signatures, strict=True):
            proof_key.verify(signature, line.encode())

    def derive(
        self,
        document: Mapping[str, object],
        proof: Mapping[str, object],
        selective_pointers: tuple[str, ...],
        contexts: Contexts,
    ) -> JsonObject:
        """The document with a derived proof (section 3.6.6)."""
        base = read_base(proof.get("proofValue"))
        combined = (*base.mandatory_pointers, *selective_pointers)
        reveal = select(document, combined)
        if reveal is None:
            raise Malformed("nothing_selected")
        grouped = canonicalize_and_group(
            document,
            hmac_labels(base.hmac_key),
            {
                "mandatory": base.mandatory_pointers,
                "selective": selective_pointers,
                "combined": combined,
            },
            contexts,
        )
        mandatory = grouped.groups["mandatory"]
        selected = grouped.groups["selective"].matching
        shown = grouped.groups["combined"]
        if len(base.signatures) != len(mandatory.others):
            raise ProofInvalid("disclosure", part="signatures")
        signatures = [
            signature
            for at, signature in zip(mandatory.others, base.signatures, strict=True)
            if at in selected
        ]
        indexes = [place for place, at in enumerate(shown.matching) if at in mandatory.matching]
        _, canonical = canonicalize_dataset(shown.quads)
        labels = {
            int(name.removeprefix("_:c14n")): base64url_decode(
                grouped.labels[node].removeprefix("_:u")
            )
            for node, name in canonical.items()
        }
        value = [base.base_signature, base.public_key, signatures, labels, indexes]
        text = f"u{base64url_encode(_DERIVED + cbor.encode(value))}"
        return {**reveal, "proof": {**proof, "proofValue": text}}


def read_base(value: object) -> BaseProof:
    """The parts of a base proofValue (section 3.5.3); ProofInvalid if it is none."""
    parts = _parts(value, _BASE)
    signature, public_key, hmac_key, signatures, pointers = parts
    if not isinstance(pointers, list) or not all(isinstance(text, str) for text in pointers):
        raise ProofInvalid("disclosure", part="mandatoryPointers")
    return BaseProof(
        _bytes(signature, _SIGNATURE, "baseSignature"),
        _bytes(public_key, _KEY, "publicKey"),
        _bytes(hmac_key, _HMAC_KEY, "hmacKey"),
        _signatures(signatures),
        tuple(pointers),
    )


def read_derived(value: object) -> DerivedProof:
    """The parts of a derived proofValue (section 3.5.8); ProofInvalid if it is none."""
    if isinstance(value, str) and _head(value) == _BASE:
        raise ProofInvalid("base_proof")
    parts = _parts(value, _DERIVED)
    signature, public_key, signatures, labels, indexes = parts
    if not isinstance(labels, dict) or not all(_is_index(number) for number in labels):
        raise ProofInvalid("disclosure", part="labelMap")
    if not isinstance(indexes, list) or not all(_is_index(number) for number in indexes):
        raise ProofInvalid("disclosure", part="mandatoryIndexes")
    if len(set(indexes)) != len(indexes):
        raise ProofInvalid("disclosure", part="mandatoryIndexes")
    return DerivedProof(
        _bytes(signature, _SIGNATURE, "baseSignature"),
        _bytes(public_key, _KEY, "publicKey"),
        _signatures(signatures),
        {number: _bytes(label, _LABEL, "labelMap") for number, label in labels.items()},
        frozenset(indexes),
    )


def _head(value: str) -> bytes:
    try:
        return base64url_decode(value[1:])[:3]
    except Malformed:
        return b""


def _parts(value: object, head: bytes) -> list[object]:
    if not isinstance(value, str) or not value.startswith("u"):
        raise ProofInvalid("proof_value")
    try:
        data = base64url_decode(value[1:])
        parts = cbor.decode(data[3:]) if data.startswith(head) else None
    except Malformed as error:
        raise ProofInvalid("proof_value") from error
    if not isinstance(parts, list) or len(parts) != 5:
        raise ProofInvalid("proof_value")
    return parts


def _bytes(value: object, length: int, part: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != length:
        raise ProofInvalid("disclosure", part=part)
    return value


def _signatures(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > _MOST_SIGNATURES:
        raise ProofInvalid("disclosure", part="signatures")
    return tuple(_bytes(signature, _SIGNATURE, "signatures") for signature in value)


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _given_labels(labels: Mapping[int, bytes]) -> LabelMaker:
    def label(canonical: Labels) -> dict[str, str]:
        numbers = {node: int(name.removeprefix("_:c14n")) for node, name in canonical.items()}
        # a label for each node and none beside, no two the same: those would be one node
        if set(numbers.values()) != labels.keys() or len(set(labels.values())) != len(labels):
            raise ProofInvalid("disclosure", part="labelMap")
        return {node: f"_:u{base64url_encode(labels[number])}" for node, number in numbers.items()}

    return label


def _proof_key(data: bytes) -> PublicKey:
    try:
        key = PublicKey.from_multikey(multibase_encode(data))
    except KeyRefused as error:
        raise ProofInvalid("disclosure", part="publicKey") from error
    if key.algorithm is not Algorithm.P256:
        raise ProofInvalid("disclosure", part="publicKey")
    return key


def _signed(
    document: Mapping[str, object],
    options: Mapping[str, object],
    public_key: bytes,
    mandatory: Iterable[str],
    contexts: Contexts,
) -> bytes:
    """What the issuer signs: hash of the options, the key of one use, hash of the mandatory lines (3.5.1)."""
    lines = "".join(mandatory)
    configuration = canonicalize(rdf_configuration(document, options), contexts)
    return (
        hashlib.sha256(configuration.encode()).digest()
        + public_key
        + hashlib.sha256(lines.encode()).digest()
    )
