"""What the plain suites share: transform, hash, sign (VC Data Integrity 1.0 section 4).

With the RDF suites the proof options are hashed with the document's own @context,
so a proof cannot be moved to a document that reads its terms in another way.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

from kpass_vc.crypto.jcs import has_float
from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.crypto.multibase import multibase_decode, multibase_encode
from kpass_vc.errors import DataLoss, KeyRefused, Malformed, ProofInvalid
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.graph import Graph
from kpass_vc.model.document import JsonObject

Digest: TypeAlias = Literal["sha256", "sha384"]
Transform: TypeAlias = Callable[[Mapping[str, object], Digest], bytes]
"""From a document to what is hashed, given the hash that the key demands."""

_HASH: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384}
_SIGNATURE: Final = {Algorithm.ED25519: 64, Algorithm.P256: 64, Algorithm.P384: 96}


def digest_of(algorithm: Algorithm) -> Digest:
    """The hash that goes with a key: SHA-384 with P-384, else SHA-256 (DI ECDSA 1.0 section 3.2)."""
    return "sha384" if algorithm is Algorithm.P384 else "sha256"


def rdf(contexts: Contexts, graph: Graph | None = None) -> Transform:
    """Canonical N-Quads under these contexts; those of the document that `graph` is of from there."""

    def transform(part: Mapping[str, object], digest: Digest) -> bytes:
        if graph is not None and part is graph.document:
            return graph.canonical(digest)
        return canonicalize(part, contexts, algorithm=digest).encode()

    return transform


def hash_data(
    document: Mapping[str, object],
    configuration: Mapping[str, object],
    transform: Transform,
    digest: Digest = "sha256",
) -> bytes:
    """What is signed: hash of the proof configuration, then hash of the document."""
    return _hash(transform(configuration, digest), digest) + _hash(
        transform(document, digest), digest
    )


def rdf_configuration(
    document: Mapping[str, object], options: Mapping[str, object]
) -> dict[str, object]:
    """The proof options as the RDF suites hash them: without proofValue, in the document's context."""
    bare = {name: value for name, value in options.items() if name != "proofValue"}
    return bare | {"@context": document.get("@context", [])}


def add_proof(
    document: Mapping[str, object],
    options: Mapping[str, object],
    configuration: Mapping[str, object],
    signer: Signer,
    transform: Transform,
) -> JsonObject:
    """`options` with the proofValue of a base58btc signature; DataLoss if a number is no integer."""
    if has_float(document):
        raise DataLoss("float", part="/")
    digest = digest_of(signer.public_key.algorithm)
    signature = signer.sign(hash_data(document, configuration, transform, digest))
    return {**options, "proofValue": multibase_encode(signature)}


def check_proof(
    document: Mapping[str, object],
    proof: Mapping[str, object],
    configuration: Mapping[str, object],
    key: PublicKey,
    algorithms: frozenset[Algorithm],
    transform: Transform,
) -> None:
    """Return if the proofValue is the signature of the document and the proof's configuration."""
    if key.algorithm not in algorithms:
        raise KeyRefused("suite", algorithm=key.algorithm)
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z"):
        raise ProofInvalid("proof_value")
    try:
        signature = multibase_decode(value)
    except Malformed as error:
        raise ProofInvalid("proof_value") from error
    if len(signature) != _SIGNATURE[key.algorithm]:
        raise ProofInvalid("proof_value")
    data = hash_data(document, configuration, transform, digest_of(key.algorithm))
    key.verify(signature, data)


def _hash(data: bytes, digest: Digest) -> bytes:
    return _HASH[digest](data).digest()
