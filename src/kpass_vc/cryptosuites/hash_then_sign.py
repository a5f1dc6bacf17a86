"""What the plain suites share: transform, hash, sign (VC Data Integrity 1.0 section 4).

The proof options are hashed with the document's own @context, so a proof
cannot be moved to a document that reads its terms in another way.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import TypeAlias

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.crypto.multibase import multibase_decode, multibase_encode
from kpass_vc.errors import KeyRefused, Malformed, ProofInvalid
from kpass_vc.model.document import JsonObject

Transform: TypeAlias = Callable[[Mapping[str, object]], str]
"""From a document to the text that is hashed."""


def hash_data(
    document: Mapping[str, object], options: Mapping[str, object], transform: Transform
) -> bytes:
    """The 64 bytes that are signed: hash of the proof options, then hash of the document."""
    configuration = {name: value for name, value in options.items() if name != "proofValue"}
    configuration["@context"] = document.get("@context", [])
    return _hash(transform(configuration)) + _hash(transform(document))


def add_proof(
    document: Mapping[str, object],
    options: Mapping[str, object],
    signer: Signer,
    transform: Transform,
) -> JsonObject:
    """`options` with the proofValue of a base58btc signature."""
    signature = signer.sign(hash_data(document, options, transform))
    return {**options, "proofValue": multibase_encode(signature)}


def check_proof(
    document: Mapping[str, object],
    proof: Mapping[str, object],
    key: PublicKey,
    algorithms: frozenset[Algorithm],
    transform: Transform,
) -> None:
    """Return if the proofValue is the signature of the document and the proof's options."""
    if key.algorithm not in algorithms:
        raise KeyRefused("suite", algorithm=key.algorithm)
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z"):
        raise ProofInvalid("proof_value")
    try:
        signature = multibase_decode(value)
    except Malformed as error:
        raise ProofInvalid("proof_value") from error
    key.verify(signature, hash_data(document, proof, transform))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8")).digest()
