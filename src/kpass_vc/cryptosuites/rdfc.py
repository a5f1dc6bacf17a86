"""The suites that sign canonical quads: RDFC-1.0 of the document, with the proof options in its context."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.cryptosuites import hash_then_sign
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.cryptosuites.hash_then_sign import rdf, rdf_configuration
from kpass_vc.errors import ProofInvalid
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.graph import Graph
from kpass_vc.model.document import JsonObject

DATA_INTEGRITY_PROOF: Final = "DataIntegrityProof"


@dataclass(frozen=True)
class RdfcSuite:
    """A suite over canonical quads."""

    name: str
    algorithms: frozenset[Algorithm]
    proof_type: str = DATA_INTEGRITY_PROOF

    def add_proof(
        self,
        document: Mapping[str, object],
        options: Mapping[str, object],
        signer: Signer,
        contexts: Contexts,
        *,
        disclosure: Disclosure | None = None,
    ) -> JsonObject:
        """The proof of `document` (DI EdDSA 1.0 section 3.2.1, DI ECDSA 1.0 section 3.2.1)."""
        kind = {"type": self.proof_type}
        if self.proof_type == DATA_INTEGRITY_PROOF:
            kind["cryptosuite"] = self.name
        full = {**kind, **options}
        configuration = rdf_configuration(document, full)
        return hash_then_sign.add_proof(document, full, configuration, signer, rdf(contexts))

    def check_proof(
        self,
        document: Mapping[str, object],
        proof: Mapping[str, object],
        key: PublicKey,
        contexts: Contexts,
        *,
        graph: Graph | None = None,
    ) -> None:
        """Return if `proof` holds (DI EdDSA 1.0 section 3.2.2, DI ECDSA 1.0 section 3.2.2)."""
        if "@context" in proof:
            raise ProofInvalid("proof_context")
        configuration = rdf_configuration(document, proof)
        transform = rdf(contexts, graph)
        hash_then_sign.check_proof(document, proof, configuration, key, self.algorithms, transform)
