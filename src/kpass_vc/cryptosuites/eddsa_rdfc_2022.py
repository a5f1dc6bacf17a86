"""eddsa-rdfc-2022 (Data Integrity EdDSA Cryptosuites 1.0 section 3.2)."""

from collections.abc import Mapping
from typing import Final

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.cryptosuites import hash_then_sign
from kpass_vc.cryptosuites.cryptosuite import Disclosure
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import JsonObject


class EddsaRdfc2022:
    """Ed25519 over the canonical quads of the document."""

    name: Final = "eddsa-rdfc-2022"
    algorithms: Final = frozenset({Algorithm.ED25519})

    def add_proof(
        self,
        document: Mapping[str, object],
        options: Mapping[str, object],
        signer: Signer,
        contexts: Contexts,
        *,
        disclosure: Disclosure | None = None,
    ) -> JsonObject:
        """The proof of `document`; section 3.2.1."""
        full = {"type": "DataIntegrityProof", "cryptosuite": self.name, **options}
        return hash_then_sign.add_proof(
            document, full, signer, lambda part: canonicalize(part, contexts)
        )

    def check_proof(
        self,
        document: Mapping[str, object],
        proof: Mapping[str, object],
        key: PublicKey,
        contexts: Contexts,
    ) -> None:
        """Return if `proof` holds; section 3.2.2."""
        hash_then_sign.check_proof(
            document, proof, key, self.algorithms, lambda part: canonicalize(part, contexts)
        )
