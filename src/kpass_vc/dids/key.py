"""did:key: the DID is the key (did:key method specification)."""

from typing import Final

from kpass_vc.crypto.keys import PublicKey
from kpass_vc.errors import KeyRefused, Malformed
from kpass_vc.model.document import JsonObject


class DidKey:
    """did:key for Ed25519 and P-256 keys."""

    name: Final = "key"

    def address(self, did: str) -> str | None:
        """None: there is nothing to fetch."""
        self._key(did)
        return None

    def document(self, did: str, fetched: JsonObject | None) -> JsonObject:
        """The document of one Multikey, good for assertion and authentication."""
        key = self._key(did)
        method = f"{did}#{key.multikey()}"
        return {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": did,
            "verificationMethod": [
                {
                    "id": method,
                    "type": "Multikey",
                    "controller": did,
                    "publicKeyMultibase": key.multikey(),
                }
            ],
            "assertionMethod": [method],
            "authentication": [method],
        }

    def _key(self, did: str) -> PublicKey:
        try:
            return PublicKey.from_multikey(did.removeprefix("did:key:"))
        except KeyRefused as error:
            raise Malformed("did_key", did=did[:300]) from error
