"""The Format protocol: one way to put a credential and its proof into bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.graph import Graph
from kpass_vc.model.document import JsonObject

MAX_VALUES: Final = 3000
MAX_ITEMS: Final = 200
"""What a credential may hold: PyLD takes quadratic time for long arrays. An honest one has some two hundred values."""


@dataclass(frozen=True)
class Signing:
    """Who signs: a signer, the id of its public half in the issuer's DID document, and when."""

    signer: Signer
    verification_method: str
    created: datetime


@dataclass(frozen=True)
class PresentedProof:
    """One proof as it was presented."""

    options: JsonObject
    """The proof's members (Data Integrity), or the protected header and its `claims` (JOSE, COSE)."""
    verification_method: str | None
    """The DID URL of the key the proof names, or None where it shows the key itself."""
    purpose: str = "assertionMethod"
    """What it says it was made for: the verification relationship that its key must stand under."""
    jwk: JsonObject | None = None
    """The key that the proof shows itself; it counts only if the controller's DID lists it."""


@dataclass(frozen=True)
class Presented:
    """A secured document as it was presented: read, and nothing of it believed yet."""

    format: str
    document: JsonObject
    """The credential or presentation without its proofs."""
    proofs: tuple[PresentedProof, ...]
    """At least one."""
    secured: bytes
    _graphs: list[Graph] = field(default_factory=list, init=False, repr=False, compare=False)

    def graph(self, contexts: Contexts) -> Graph:
        """What the document says under these contexts: the same object each time it is asked."""
        found = next((graph for graph in self._graphs if graph.contexts == contexts), None)
        if found is None:
            found = Graph(self.document, contexts)
            self._graphs.append(found)
        return found


class Format(Protocol):
    """One way to secure a credential."""

    @property
    def name(self) -> str:
        """Its name in our API and tables."""

    @property
    def media_type(self) -> str:
        """The media type of the secured bytes."""

    @property
    def extension(self) -> str:
        """The file name extension of the secured bytes, without a dot."""

    @property
    def algorithm(self) -> Algorithm:
        """The kind of key that it is issued with."""

    def claims(self, head: bytes) -> bool:
        """Whether bytes with this beginning are of this format."""

    def secure(
        self, credential: Mapping[str, object], signing: Signing, contexts: Contexts
    ) -> bytes:
        """The secured bytes; DataLoss or UnknownContext if they would not cover all of it."""

    def read(self, body: bytes) -> Presented:
        """What the bytes say; Malformed if they are not of this format."""

    def check_proof(
        self, presented: Presented, proof: PresentedProof, key: PublicKey, contexts: Contexts
    ) -> None:
        """Return if one of its proofs holds under `key`, else ProofInvalid; Malformed if that cannot be told."""
