"""A document to sign in the tests of cryptosuites, keys to sign it with, and other values for its leaves."""

from copy import deepcopy
from typing import Any, Final

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.crypto.signers import signer_of
from kpass_vc.cryptosuites import CRYPTOSUITES
from kpass_vc.jsonld.contexts import Contexts
from tests.sample import Json, at, places

ED25519_2020: Final = "https://w3id.org/security/suites/ed25519-2020/v1"
SIGNERS: Final[dict[Algorithm, Signer]] = {
    algorithm: signer_of(algorithm, bytes(range(1, length + 1)))
    for algorithm, length in ((Algorithm.ED25519, 32), (Algorithm.P256, 32), (Algorithm.P384, 48))
}
PLAIN: Final = [
    ("eddsa-rdfc-2022", Algorithm.ED25519),
    ("eddsa-jcs-2022", Algorithm.ED25519),
    ("eddsa-2022", Algorithm.ED25519),
    ("Ed25519Signature2020", Algorithm.ED25519),
    ("ecdsa-rdfc-2019", Algorithm.P256),
    ("ecdsa-rdfc-2019", Algorithm.P384),
    ("ecdsa-jcs-2019", Algorithm.P256),
    ("ecdsa-jcs-2019", Algorithm.P384),
]
"""Every suite but that with selective disclosure, with each kind of key that it takes."""


def document(suite: str = "") -> Json:
    """A credential with every kind of leaf but null and fractions, in the contexts that a suite needs."""
    own = [ED25519_2020] if suite == "Ed25519Signature2020" else []
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/examples/v2",
            *own,
        ],
        "id": "urn:uuid:0d37a3a9-7c5b-4a8e-a8f7-5a4e3c6c8d11",
        "type": ["VerifiableCredential", "ExampleCourseCredential"],
        "issuer": {"id": "did:example:issuer", "name": "Exempelskolan"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:learner",
            "course": {"type": "ExampleCourse", "code": "SVET-1", "points": 5, "passed": True},
            "parts": ["Teori", "Praktik"],
            "visits": [{"place": "Umeå"}, {"place": "Luleå"}],
        },
    }


def options(signer: Signer) -> Json:
    """Proof options of a did:key."""
    key = signer.public_key.multikey()
    return {
        "created": "2026-01-02T03:04:05Z",
        "verificationMethod": f"did:key:{key}#{key}",
        "proofPurpose": "assertionMethod",
    }


def proven(suite: str, algorithm: Algorithm, contexts: Contexts) -> tuple[Json, Json, PublicKey]:
    """The document, its proof, and the key that checks it."""
    signer = SIGNERS[algorithm]
    made: Json = CRYPTOSUITES[suite].add_proof(document(suite), options(signer), signer, contexts)
    return document(suite), made, signer.public_key


def leaves(value: object) -> list[tuple[str | int, ...]]:
    """The places of all values that hold no others."""
    return [place for place in places(value) if not isinstance(at(value, place), dict | list)]


def other(value: object) -> object:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


def without(value: Json, place: tuple[str | int, ...]) -> Json:
    """A copy without what stands at a place."""
    copy = deepcopy(value)
    parent: Any = at(copy, place[:-1])
    del parent[place[-1]]
    return copy
