"""The pinned JSON-LD contexts, checked against their hashes; never fetches.

A context decides what a signed term means, so one that changed under its URL
would change what our signatures say.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from kpass_vc.crypto.multibase import multibase_decode
from kpass_vc.errors import Malformed, Unavailable, UnknownContext
from kpass_vc.jsonld.terms import Chains

CREDENTIALS_V1: Final = "https://www.w3.org/2018/credentials/v1"
CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
DATA_INTEGRITY_V2: Final = "https://w3id.org/security/data-integrity/v2"
BITSTRING_STATUS_V1: Final = "https://www.w3.org/ns/credentials/status/v1"
OPEN_BADGES_3: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

_HASHES: Final = ("sha256", "sha384", "sha512")
_MULTIHASH: Final = (b"\x12\x20", b"\x20\x30", b"\x13\x40")


@dataclass(frozen=True)
class Pin:
    """Where a context came from and what its bytes must hash to."""

    url: str
    file: str
    sha256: str
    superseded: tuple[str, ...] = ()
    """SHA-256 in hex, or Subresource Integrity digests, of what stood at the URL before."""


class Memory(Protocol):
    """What was learnt of documents that were verified (`jsonld.seen`)."""

    def canonical(self, document: Mapping[str, object], signer: str) -> bytes | None:
        """The canonical N-Quads of a document with a proof by a signer; None if it knows nothing like it."""

    def learn(self, document: Mapping[str, object], contexts: "Contexts", signer: str) -> None:
        """Learn from a document that was verified."""


@dataclass(frozen=True)
class Contexts:
    """The contexts we know, by URL."""

    documents: Mapping[str, Mapping[str, object]] = field(repr=False)
    digests: Mapping[str, frozenset[bytes]] = field(repr=False, default_factory=dict)
    """The digests of what stands or stood at each URL: SHA-256, -384 and -512."""
    inline: bool = False
    """Whether a document may bring contexts of its own as objects. They may say anything of its terms."""
    is_fast: bool = True
    """Whether documents may be read by compiled term tables; else PyLD reads each. The outcome is the same."""
    chains: Chains = field(default_factory=lambda: Chains({}), repr=False, compare=False)
    """What was compiled of them."""
    seen: Memory | None = field(default=None, repr=False, compare=False)
    """Where documents are remembered that were verified; None where none are."""

    def __post_init__(self) -> None:
        if self.chains.documents is not self.documents:
            object.__setattr__(self, "chains", Chains(self.documents))

    def allowing_inline(self) -> "Contexts":
        """The same contexts, where documents may bring more of their own."""
        return replace(self, inline=True)

    @classmethod
    def load(cls, pins: tuple[Pin, ...], read: Callable[[str], bytes]) -> "Contexts":
        """All pinned contexts; Unavailable if a file is not the one that was pinned."""
        documents: dict[str, Mapping[str, object]] = {}
        digests: dict[str, frozenset[bytes]] = {}
        for pin in pins:
            body = read(pin.file)
            if hashlib.sha256(body).hexdigest() != pin.sha256:
                raise Unavailable("context_changed", file=pin.file, url=pin.url)
            documents[pin.url] = json.loads(body)
            now = (hashlib.new(name, body).digest() for name in _HASHES)
            digests[pin.url] = frozenset({*now, *map(_superseded, pin.superseded)})
        return cls(documents, digests)

    def digest_known(self, url: str, member: str, value: str) -> bool | None:
        """Whether a digest is that of a context as it stands or stood at its URL; None for any other URL.

        `member` is digestSRI (one of several, with spaces between, is enough) or digestMultibase,
        whose bytes may have the multihash header or not: both are about.
        """
        if url not in self.digests:
            return None
        if member == "digestSRI":
            found = [_sri(part) for part in value.split()]
        else:
            try:
                data = multibase_decode(value)
            except Malformed:
                return False
            found = [data, data[2:] if data[:2] in _MULTIHASH else None]
        return any(digest in self.digests[url] for digest in found)

    def document(self, url: str) -> Mapping[str, object]:
        """The context document of a URL; UnknownContext if it is not pinned."""
        if url not in self.documents:
            raise UnknownContext(url=url[:200])
        return self.documents[url]


def _superseded(text: str) -> bytes:
    return _sri(text) or bytes.fromhex(text)


def _sri(text: str) -> bytes | None:
    """The bytes of a Subresource Integrity digest, or None if it is none."""
    name, _, value = text.partition("-")
    if name not in _HASHES:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return None
