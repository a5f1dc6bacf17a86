"""The Cryptosuite protocol (VC Data Integrity 1.0 section 3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.graph import Graph
from kpass_vc.model.document import JsonObject


@dataclass(frozen=True)
class Disclosure:
    """What a suite with selective disclosure needs beside the document."""

    mandatory_pointers: tuple[str, ...]
    """JSON pointers (RFC 6901) to what every derived document must show."""
    entropy: Callable[[int], bytes]


class Cryptosuite(Protocol):
    """One way to make and check the proof of a Data Integrity secured document."""

    @property
    def name(self) -> str:
        """The value of `cryptosuite` in a proof."""

    @property
    def proof_type(self) -> str:
        """The `type` of its proofs: DataIntegrityProof, or one of an older suite's own."""

    @property
    def algorithms(self) -> frozenset[Algorithm]:
        """The kinds of key the suite signs with."""

    def add_proof(
        self,
        document: Mapping[str, object],
        options: Mapping[str, object],
        signer: Signer,
        contexts: Contexts,
        *,
        disclosure: Disclosure | None = None,
    ) -> JsonObject:
        """The proof of `document`: `options` with type, cryptosuite and proofValue.

        `document` has no proof, but for the proofs that a chain builds on (section 4.3). Only suites with
        selective disclosure read `disclosure`. DataLoss, UnknownContext or TooComplex if it cannot be signed whole.
        """

    def check_proof(
        self,
        document: Mapping[str, object],
        proof: Mapping[str, object],
        key: PublicKey,
        contexts: Contexts,
        *,
        graph: Graph | None = None,
    ) -> None:
        """Return if `proof` holds for `document` (without it) under `key`.

        `graph` is that of this very document, where the caller has one; only suites over quads ask it.
        ProofInvalid if it does not hold; DataLoss, UnknownContext or TooComplex if that cannot be told.
        """


class DerivingSuite(Cryptosuite, Protocol):
    """A suite with which a holder shows a part of what was signed."""

    def derive(
        self,
        document: Mapping[str, object],
        proof: Mapping[str, object],
        selective_pointers: tuple[str, ...],
        contexts: Contexts,
    ) -> JsonObject:
        """The document with a derived proof: what is mandatory, and what the pointers choose.

        `document` has no proof; `proof` is a base proof. Malformed if a pointer leads nowhere.
        """
