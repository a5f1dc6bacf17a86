"""The VC-API of one installation: its instances, and documents to put to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from httpx2 import Response
from starlette.testclient import TestClient

from kpass_vc.actions.vc_api_issuers import add_issuer
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.signers import signer_of
from kpass_vc.dids.key import did_key
from kpass_vc.formats import add_proof
from kpass_vc.formats.format import Signing
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.records.vc_api import VcApiIssuer
from kpass_vc.resources import contexts as pinned_contexts
from tests.api.http import Headers, Json, client_of
from tests.world import OPERATOR_ACTOR, World

V1: Final = "https://www.w3.org/2018/credentials/v1"
V2: Final = "https://www.w3.org/ns/credentials/v2"
EXAMPLES: Final = "https://www.w3.org/ns/credentials/examples/v2"
DATA_INTEGRITY: Final = "https://w3id.org/security/data-integrity/v2"
ISSUER: Final = "stadsnat-exempel"
OTHER: Final = "did:key:z6MkgZRUxx6XCjd9mRniZjznVJDTu4EmyFZ7Zm8mH8KusQz9"
REFUSED: Final = frozenset({400, 422})


@dataclass
class VcApi:
    """An organisation's instances, open unless said otherwise."""

    world: World
    http: TestClient

    @classmethod
    def of(cls, world: World) -> "VcApi":
        world.organization(ISSUER)
        return cls(world, client_of(world.env))

    def add(self, name: str, securing: str = "eddsa-rdfc-2022", **more: Any) -> VcApiIssuer:
        """A new instance."""
        wanted: dict[str, Any] = {"is_open": True, "securing": securing} | more
        slug = str(wanted.pop("organization", ISSUER))
        with self.world.writing() as session:
            return add_issuer(self.world.env, session, OPERATOR_ACTOR, slug, name, **wanted)

    def issue(
        self, name: str, credential: object, headers: Headers | None = None, **options: object
    ) -> Response:
        """What an instance answers."""
        body: Json = {"credential": credential}
        if options:
            body["options"] = options
        path = f"/issuers/{name}/credentials/issue"
        return self.http.post(path, json=body, headers=headers or {})

    def issued(self, name: str, credential: Json, **options: object) -> Json:
        """What an instance has signed; it must have."""
        reply = self.issue(name, credential, None, **options)
        assert reply.status_code == 201, reply.text
        return dict(reply.json()["verifiableCredential"])

    def verify(self, credential: object, **options: object) -> Response:
        """What a verifier answers."""
        body = {"verifiableCredential": credential} | ({"options": options} if options else {})
        return self.http.post("/credentials/verify", json=body)

    def present(self, presentation: object, **options: object) -> Response:
        """What a verifier answers of a presentation."""
        body = {"verifiablePresentation": presentation, "options": options}
        return self.http.post("/presentations/verify", json=body)


def credential(issuer: object, /, **changes: object) -> Json:
    """A credential of data model 2.0 with what is needed and no more; None leaves a member out."""
    found = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": {"id": "did:example:amina"},
    }
    return {name: value for name, value in (found | changes).items() if value is not None}


def old_credential(issuer: object, /, **changes: object) -> Json:
    """The same of data model 1.1."""
    found = {"@context": [V1], "issuanceDate": "2024-05-01T08:30:00Z"}
    return credential(issuer, **(found | changes))


@dataclass(frozen=True)
class Person:
    """Somebody with a did:key of their own, who is not of this installation."""

    signing: Signing
    contexts: Contexts

    @classmethod
    def of(
        cls, moment: datetime, seed: int = 7, algorithm: Algorithm = Algorithm.ED25519
    ) -> "Person":
        signer = signer_of(algorithm, bytes([seed]) * 32)
        did = did_key(signer.public_key)
        method = f"{did}#{signer.public_key.multikey()}"
        return cls(Signing(signer, method, moment), pinned_contexts().allowing_inline())

    @property
    def did(self) -> str:
        return self.signing.verification_method.partition("#")[0]

    def sign(self, document: Json, suite: str = "eddsa-rdfc-2022", **options: object) -> Json:
        """The document with a proof."""
        return add_proof(document, suite, self.signing, self.contexts, options=options)

    def show(self, *credentials: object, **changes: object) -> Json:
        """A presentation for `verifier.example` in answer to `4711`."""
        found = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": self.did}
        shown = {"verifiableCredential": list(credentials)} if credentials else {}
        document = {name: value for name, value in (found | shown | changes).items() if value}
        return self.sign(document, proofPurpose="authentication", **ASKED)


ASKED: Final = {"challenge": "4711", "domain": "verifier.example"}


def flipped(text: str) -> str:
    """A multibase text with another last sign but one."""
    return text[:-2] + ("2" if text[-2] != "2" else "3") + text[-1]
