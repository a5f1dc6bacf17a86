"""What is measured on: one credential of the demo catalogue, in variations, and all that is needed to judge it."""

import json
import tempfile
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.verify import gather
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.signers import new_private_key, signer_of
from kpass_vc.jsonld import canonicalize
from kpass_vc.model.dates import utc_text
from kpass_vc.model.document import JsonObject, compact
from kpass_vc.verification import Evidence, verify, wanted
from tests.bench.lines import Question
from tests.conftest import settings_for
from tests.world import Clock, World, body_of, definition_document, open_test_environment

VARIATIONS: Final = 64
SIGNED: Final = 16
TYPICAL: Final = "SOB-OPTO-04"
"""The middle one of the 63 in the demo catalogues, by the quads of a credential; SOB-OPTO-01 has most."""
ISSUER: Final = "stadsnat-exempel"
"""May issue both."""
NAMES: Final = ("Amina Exempelsson", "Björn Åström", "Çelik Öztürk", "Dagny Håkansson")


@dataclass(frozen=True)
class Subject:
    """The question that every process gets, and the evidence that only ours can read."""

    question: Question
    evidence: Evidence
    code: str
    """Of the definition."""
    quads: int
    canonical_bytes: int
    json_bytes: int

    def about(self) -> dict[str, int]:
        """How large the credential is."""
        return {
            "bytes of JSON": self.json_bytes,
            "quads": self.quads,
            "bytes of canonical N-Quads": self.canonical_bytes,
        }


def make_subject(code: str = TYPICAL) -> Subject:
    """A definition of Sobona's, issued in Swedish by an installation that is gone afterwards.

    The question: `contexts` by URL; unsigned `credentials`; `signed` texts, and one that was `tampered` with;
    `seed`, `verificationMethod` and `created` to sign with; `publicKey` and the issuer's `didDocument` to verify with.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = settings_for(f"sqlite:///{folder}/kpass.db", folder)
        initialise(settings)
        clock = Clock()
        world = World(open_test_environment(settings, clock), clock)
        clock.advance(days=-60)
        world.published_definition(**definition_document(code))
        clock.advance(days=60)
        bodies = [
            body_of(
                world.issued(
                    issuer=ISSUER,
                    definition=f"sobona/{code}",
                    holder={"name": NAMES[number % len(NAMES)]},
                    languages=["sv"],
                )
            ).decode()
            for number in range(SIGNED)
        ]
        with world.reading() as session:
            evidence = gather(world.env, session, wanted(bodies[0].encode()))
        world.env.engine.dispose()
    if not all(verify(body.encode(), evidence).verified for body in bodies):
        raise AssertionError([str(each) for each in verify(bodies[0].encode(), evidence).findings])
    return _subject(code, bodies, evidence)


def _subject(code: str, bodies: list[str], evidence: Evidence) -> Subject:
    credential = json.loads(bodies[0])
    proof = credential.pop("proof")
    canonical = canonicalize(credential, evidence.contexts)
    seed = new_private_key(Algorithm.ED25519)
    public_key = signer_of(Algorithm.ED25519, seed).public_key
    did = credential["issuer"]["id"]
    method = proof["verificationMethod"]
    return Subject(
        question={
            "contexts": dict(evidence.contexts.documents),
            "credentials": [_variation(credential, number) for number in range(VARIATIONS)],
            "signed": bodies,
            "tampered": bodies[0].replace(NAMES[0], NAMES[1]),
            "seed": seed.hex(),
            "verificationMethod": f"{did}#{public_key.multikey()}",
            "created": utc_text(evidence.now),
            "publicKey": PublicKey.from_multikey(method.partition("#")[2]).raw.hex(),
            "didDocument": evidence.did_documents[did],
            "canonicalBytes": len(canonical.encode()),
        },
        evidence=evidence,
        code=code,
        quads=canonical.count("\n"),
        canonical_bytes=len(canonical.encode()),
        json_bytes=len(compact(credential)),
    )


def _variation(credential: JsonObject, number: int) -> JsonObject:
    """The same credential of another learner."""
    made: Any = deepcopy(credential)
    made["id"] = f"{made['id'].rpartition('/')[0]}/{uuid4()}"
    made["credentialSubject"]["id"] = f"urn:uuid:{uuid4()}"
    made["credentialSubject"]["identifier"][0]["identityHash"] = f"{NAMES[number % 4]} {number}"
    index = str(number * 997)
    entry = made["credentialStatus"]
    entry["id"] = f"{entry['id'].partition('#')[0]}#{index}"
    entry["statusListIndex"] = index
    found: JsonObject = made
    return found
