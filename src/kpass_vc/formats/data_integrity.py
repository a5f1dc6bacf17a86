"""Credentials with an embedded Data Integrity proof (VC Data Integrity 1.0)."""

from collections.abc import Mapping
from typing import Final

from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.cryptosuites import CRYPTOSUITES
from kpass_vc.errors import Malformed, ProofInvalid
from kpass_vc.formats.format import MAX_ITEMS, MAX_VALUES, Presented, PresentedProof, Signing
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.dates import utc_text
from kpass_vc.model.document import JsonObject, compact, read_json

_DEFAULT_SUITE: Final = "eddsa-rdfc-2022"


class DataIntegrity:
    """One DataIntegrityProof inside the credential."""

    name: Final = "ldp_vc"
    media_type: Final = "application/vc+ld+json"
    extension: Final = "json"
    algorithm: Final = Algorithm.ED25519

    def claims(self, head: bytes) -> bool:
        """Whether it begins like a JSON object."""
        return head.startswith(b"{")

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """The credential with its proof as the last member, as compact JSON."""
        options = {
            "created": utc_text(signing.created),
            "verificationMethod": signing.verification_method,
            "proofPurpose": "assertionMethod",
        }
        proof = CRYPTOSUITES[_DEFAULT_SUITE].add_proof(
            credential, options, signing.signer, contexts
        )
        return compact({**credential, "proof": proof})

    def read(self, body: bytes) -> Presented:
        """The credential and its one proof; Malformed names the proof member that is missing or wrong."""
        document = read_json(body, max_values=MAX_VALUES, max_items=MAX_ITEMS)
        proof = document.pop("proof", None)
        if isinstance(proof, list) and len(proof) == 1:
            proof = proof[0]
        if isinstance(proof, list):
            raise Malformed("several_proofs", field="/proof")
        if not isinstance(proof, dict):
            raise Malformed("no_proof", field="/proof")
        for member in ("type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"):
            if not isinstance(proof.get(member), str):
                raise Malformed("proof_member", field=f"/proof/{member}")
        made = PresentedProof(
            options=proof,
            verification_method=str(proof["verificationMethod"]),
            purpose=str(proof["proofPurpose"]),
        )
        return Presented(format=self.name, document=document, proofs=(made,), secured=body)

    def check_proof(
        self, presented: Presented, proof: PresentedProof, key: PublicKey, contexts: Contexts
    ) -> None:
        """Return if the proof is of a suite we know, made for assertion, and holds."""
        options = proof.options
        _require(options, "type", "DataIntegrityProof")
        _require(options, "proofPurpose", "assertionMethod")
        suite = CRYPTOSUITES.get(str(options["cryptosuite"]))
        if suite is None:
            raise ProofInvalid("cryptosuite", cryptosuite=str(options["cryptosuite"])[:80])
        if "@context" in options:
            raise ProofInvalid("proof_context")
        suite.check_proof(presented.document, options, key, contexts)


def _require(proof: JsonObject, member: str, value: str) -> None:
    if proof[member] != value:
        raise ProofInvalid(
            "proof_member", member=member, expected=value, found=str(proof[member])[:80]
        )
