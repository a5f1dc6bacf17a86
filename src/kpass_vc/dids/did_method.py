"""The DidMethod protocol: where a document lies, and what it says. Fetching is not its business."""

from typing import Protocol

from kpass_vc.model.document import JsonObject


class DidMethod(Protocol):
    """One DID method."""

    @property
    def name(self) -> str:
        """The method name, as in `did:<name>:`."""

    def address(self, did: str) -> str | None:
        """The https URL of the DID document, or None if the DID itself says all; Malformed for a bad DID."""

    def document(self, did: str, fetched: JsonObject | None) -> JsonObject:
        """The DID document: the one fetched, checked to be that DID's, or the one the DID says."""
