"""The KeyStore protocol: where private keys live. A private key never leaves its store."""

from collections.abc import Mapping
from typing import Protocol

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer


class KeyStore(Protocol):
    """A place that makes keys and signs with them."""

    def generate(
        self, algorithm: Algorithm, *, organization_id: str, key_id: str
    ) -> tuple[str, PublicKey]:
        """A new key: its URI in this store, and its public half."""

    def discard(self, uri: str) -> None:
        """Destroy a key that signs nothing more or never did; nothing happens if it is not there."""

    def signer(self, uri: str, *, organization_id: str) -> Signer:
        """The signer of a key; Unavailable if it is not there, or not that organisation's."""

    def make_secret(self, name: str) -> None:
        """Make a random secret of the installation, where there is none of that name."""

    def secret(self, name: str) -> bytes:
        """A secret of the installation, 32 bytes; Unavailable if it is not there."""

    def reseal(self, owners: Mapping[str, str]) -> int:
        """Seal anew, under the key-encryption key of now, all secrets and the keys of these URIs and organisations."""

    def check(self) -> None:
        """Return if the store is set up safely, else Unavailable."""
