"""The suites that sign the JSON itself: RFC 8785 of the document and of the proof options.

The proof carries the document's @context, so that it cannot be read in another light; a verifier
accepts a document whose contexts begin with the proof's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kpass_vc.crypto.jcs import canonical_json
from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.cryptosuites import hash_then_sign
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.cryptosuites.hash_then_sign import Digest
from kpass_vc.errors import ProofInvalid
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.graph import Graph
from kpass_vc.model.document import JsonObject


@dataclass(frozen=True)
class JcsSuite:
    """A suite over canonical JSON."""

    name: str
    algorithms: frozenset[Algorithm]
    proof_type: str = "DataIntegrityProof"

    def add_proof(
        self,
        document: Mapping[str, object],
        options: Mapping[str, object],
        signer: Signer,
        contexts: Contexts,
        *,
        disclosure: Disclosure | None = None,
    ) -> JsonObject:
        """The proof of `document` (DI EdDSA 1.0 section 3.3.1, DI ECDSA 1.0 section 3.3.1)."""
        full = {"type": self.proof_type, "cryptosuite": self.name, **options}
        if "@context" in document:
            full["@context"] = document["@context"]
        return hash_then_sign.add_proof(document, full, full, signer, _transform)

    def check_proof(
        self,
        document: Mapping[str, object],
        proof: Mapping[str, object],
        key: PublicKey,
        contexts: Contexts,
        *,
        graph: Graph | None = None,
    ) -> None:
        """Return if `proof` holds (DI EdDSA 1.0 section 3.3.2, DI ECDSA 1.0 section 3.3.2)."""
        unsecured = dict(document)
        if "@context" in proof:
            # step 4: the document's contexts begin with the proof's, and only those are signed
            if not _begins_with(document.get("@context"), proof["@context"]):
                raise ProofInvalid("proof_context")
            unsecured["@context"] = proof["@context"]
        bare = {name: value for name, value in proof.items() if name != "proofValue"}
        hash_then_sign.check_proof(unsecured, proof, bare, key, self.algorithms, _transform)


def _transform(part: Mapping[str, object], _digest: Digest) -> bytes:
    return canonical_json(part).encode()


def _begins_with(found: object, beginning: object) -> bool:
    given = found if isinstance(found, list) else [found]
    demanded = beginning if isinstance(beginning, list) else [beginning]
    return given[: len(demanded)] == demanded
