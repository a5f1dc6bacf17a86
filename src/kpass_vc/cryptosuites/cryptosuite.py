"""The Cryptosuite protocol (VC Data Integrity 1.0 section 3)."""

from collections.abc import Mapping
from typing import Protocol

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import JsonObject


class Cryptosuite(Protocol):
    """One way to make and check the proof of a Data Integrity secured document."""

    @property
    def name(self) -> str:
        """The value of `cryptosuite` in a proof."""

    @property
    def algorithms(self) -> frozenset[Algorithm]:
        """The kinds of key the suite signs with."""

    def add_proof(
        self,
        document: Mapping[str, object],
        options: Mapping[str, object],
        signer: Signer,
        contexts: Contexts,
    ) -> JsonObject:
        """The proof of `document`: `options` with type, cryptosuite and proofValue.

        `document` has no proof. DataLoss, UnknownContext or TooComplex if it cannot be signed whole.
        """

    def check_proof(
        self,
        document: Mapping[str, object],
        proof: Mapping[str, object],
        key: PublicKey,
        contexts: Contexts,
    ) -> None:
        """Return if `proof` holds for `document` (without its proof) under `key`.

        ProofInvalid if it does not; DataLoss, UnknownContext or TooComplex if that cannot be told.
        """
