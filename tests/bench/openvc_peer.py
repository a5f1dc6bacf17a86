"""The cases of openvc-core, run in an environment of its own: `python -m tests.bench.openvc_peer`."""

import json
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openvc.keys import Ed25519SigningKey
from openvc.proof.data_integrity import DataIntegrityProofSuite

from tests.bench.lines import Case, Question, answer_lines, over, proven


def cases_of(question: Question) -> dict[str, Case]:
    """Issuing and verifying; contexts other than its own are handed in, as it wants them."""
    suite = DataIntegrityProofSuite()
    method, contexts = question["verificationMethod"], question["contexts"]
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(question["seed"]))
    key = Ed25519SigningKey(private, method)
    point = urlsafe_b64encode(bytes.fromhex(question["publicKey"])).rstrip(b"=").decode()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": point}

    def issue(credential: dict[str, Any]) -> str:
        signed = suite.add_proof(
            credential, signing_key=key, verification_method=method, extra_contexts=contexts
        )
        return json.dumps(signed)

    def check(text: str) -> None:
        suite.verify(json.loads(text), public_key_jwk=jwk, extra_contexts=contexts)

    return {
        "issue": over(issue, question["credentials"]),
        "verify": over(proven(check, question), question["signed"]),
    }


if __name__ == "__main__":
    answer_lines(cases_of)
