"""One issued credential with all that is needed to judge it or to sign a changed one; made once."""

import json
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.sign import signing_with
from kpass_vc.actions.verify import gather
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.formats import FORMATS
from kpass_vc.formats.format import Format, Signing
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.settings import Settings
from kpass_vc.verification import Evidence, VerificationReport, verify, wanted
from tests.world import Clock, World, body_of, open_test_environment

Json = dict[str, Any]
EMAIL = "Amina.Exempelsson@Example.org"


@dataclass(frozen=True)
class Sample:
    """A credential of stadsnat-exempel for sobona's SOB-OPTO-01, in Swedish."""

    body: bytes
    jwt: bytes
    evidence: Evidence
    signing: Signing
    jwt_signing: Signing
    owner_signing: Signing

    @property
    def contexts(self) -> Contexts:
        return self.evidence.contexts

    @property
    def now(self) -> datetime:
        return self.evidence.now

    @property
    def signed(self) -> Json:
        """A fresh copy of the Data Integrity form."""
        found: Json = json.loads(self.body)
        return found

    @property
    def credential(self) -> Json:
        """A fresh copy without its proof."""
        found = self.signed
        del found["proof"]
        return found

    def sign(self, credential: Mapping[str, object], signing: Signing | None = None) -> bytes:
        """The credential with a new Data Integrity proof of the issuer, or of another key."""
        return FORMATS["ldp_vc"].secure(credential, signing or self.signing, self.contexts)

    def sign_jwt(self, credential: Mapping[str, object], signing: Signing | None = None) -> bytes:
        """The same as JWT."""
        return FORMATS["vc-jwt"].secure(credential, signing or self.jwt_signing, self.contexts)

    def judge(self, body: bytes | Json, evidence: Evidence | None = None) -> VerificationReport:
        """The report on bytes or on a document."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        return verify(body, evidence or self.evidence)


def outcome(report: VerificationReport, check: str) -> tuple[str, str]:
    """Outcome and code of one check."""
    (found,) = [finding for finding in report.findings if finding.check == check]
    return found.outcome, found.code


def replaced(document: Json, place: tuple[str | int, ...], value: object) -> Json:
    """A copy with another value at a place."""
    copy = deepcopy(document)
    parent: Any = copy
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = value
    return copy


def at(document: Any, place: tuple[str | int, ...]) -> Any:
    """What stands at a place."""
    for step in place:
        document = document[step]
    return document


def places(value: object, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all values in a JSON value, itself first."""
    found = [place]
    if isinstance(value, dict):
        for key, member in value.items():
            found += places(member, (*place, key))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            found += places(member, (*place, number))
    return found


@lru_cache
def sample() -> Sample:
    """The sample; issued once per process in a SQLite database that is gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings.read(
            {
                "KPASS_DATABASE_URL": f"sqlite:///{folder}/kpass.db",
                "KPASS_KEYS_DIR": str(folder / "keys"),
                "KPASS_KEK_FILE": str(folder / "kek"),
            }
        )
        initialise(settings)
        clock = Clock()
        env = open_test_environment(settings, clock)
        world = World(env, clock)
        clock.advance(days=-60)
        world.published_definition()
        clock.advance(days=60)
        issued = world.issued(
            holder={"name": "Amina Exempelsson", "email": EMAIL},
            evidence=[
                {"name": "Praktiskt prov", "narrative": "Prov på plats", "genre": "Bedömning"},
                {"url": "https://bevis.example/1"},
            ],
        )
        body = body_of(issued)
        issuer, owner = world.organization("stadsnat-exempel"), world.organization("sobona")
        with world.reading() as session:
            made = Sample(
                body=body,
                jwt=body_of(issued, form="vc-jwt"),
                evidence=gather(env, session, wanted(body)),
                signing=signing_with(env, session, issuer, issuer.did, Algorithm.ED25519, clock()),
                jwt_signing=signing_with(env, session, issuer, issuer.did, Algorithm.P256, clock()),
                owner_signing=signing_with(
                    env, session, owner, owner.did, Algorithm.ED25519, clock()
                ),
            )
        env.engine.dispose()
        return made


def check_proofs(form: Format, body: bytes, key: PublicKey, contexts: Contexts) -> None:
    """Read secured bytes and check every proof in them under a key."""
    presented = form.read(body)
    for proof in presented.proofs:
        form.check_proof(presented, proof, key, contexts)
