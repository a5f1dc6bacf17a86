"""The cases of openbadgeslib: `python -m tests.bench.openbadgeslib_peer`.

Its documented signer and verifier, which also make sure that the proof covers all of the JSON; and
its functions for the proof alone, which take our document as it is.
"""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from openbadgeslib.ob3 import (
    OB3LdpSigner,
    OB3LdpVerifier,
    OpenBadgeCredential,
    add_data_integrity_proof,
    verify_data_integrity_proof,
)

from tests.bench.lines import Case, Question, answer_lines, over, proven


def cases_of(question: Question) -> dict[str, Case]:
    """Issuing and verifying, each in both ways."""
    private = _private_pem(bytes.fromhex(question["seed"]))
    public = _public_pem(bytes.fromhex(question["publicKey"]))
    method = question["verificationMethod"]
    signer, verifier = OB3LdpSigner(private, method), OB3LdpVerifier(public)
    models = [OpenBadgeCredential.from_vc_document(each) for each in question["credentials"]]

    def issue_proof(credential: dict[str, Any]) -> str:
        return json.dumps(add_data_integrity_proof(credential, private, method))

    def check_proof(text: str) -> None:
        verify_data_integrity_proof(json.loads(text), public)

    return {
        "issue": over(signer.sign_to_json, models),
        "issue, proof alone": over(issue_proof, question["credentials"]),
        "verify": over(proven(verifier.verify, question), question["signed"]),
        "verify, proof alone": over(proven(check_proof, question), question["signed"]),
    }


def _private_pem(seed: bytes) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_pem(raw: bytes) -> bytes:
    key = Ed25519PublicKey.from_public_bytes(raw)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


if __name__ == "__main__":
    answer_lines(cases_of)
