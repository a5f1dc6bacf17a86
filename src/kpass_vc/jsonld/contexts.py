"""The pinned JSON-LD contexts, checked against their hashes; never fetches.

A context decides what a signed term means, so one that changed under its URL
would change what our signatures say.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kpass_vc.errors import Unavailable, UnknownContext

CREDENTIALS_V1: Final = "https://www.w3.org/2018/credentials/v1"
CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
DATA_INTEGRITY_V2: Final = "https://w3id.org/security/data-integrity/v2"
OPEN_BADGES_3: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


@dataclass(frozen=True)
class Pin:
    """Where a context came from and what its bytes must hash to."""

    url: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Contexts:
    """The contexts we know, by URL."""

    documents: Mapping[str, Mapping[str, object]] = field(repr=False)
    inline: bool = False
    """Whether a document may bring contexts of its own as objects. They may say anything of its terms."""

    def allowing_inline(self) -> "Contexts":
        """The same contexts, where documents may bring more of their own."""
        return replace(self, inline=True)

    @classmethod
    def load(cls, pins: tuple[Pin, ...], read: Callable[[str], bytes]) -> "Contexts":
        """All pinned contexts; Unavailable if a file is not the one that was pinned."""
        documents: dict[str, Mapping[str, object]] = {}
        for pin in pins:
            body = read(pin.file)
            if hashlib.sha256(body).hexdigest() != pin.sha256:
                raise Unavailable("context_changed", file=pin.file, url=pin.url)
            documents[pin.url] = json.loads(body)
        return cls(documents)

    def document(self, url: str) -> Mapping[str, object]:
        """The context document of a URL; UnknownContext if it is not pinned."""
        if url not in self.documents:
            raise UnknownContext(url=url[:200])
        return self.documents[url]
