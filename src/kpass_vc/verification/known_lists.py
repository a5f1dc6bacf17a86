"""Status lists whose signatures were seen to hold, remembered: every credential of an issuer names the same few.

Remembered is what follows from the bytes and from a key alone: what the list says, and that a signature on it
holds under that key. Which key counts, whether it still does, what the dates say and whether it is the list that
was asked for is judged each time anew. So the memory changes how long an answer takes and never the answer:
whoever judges hands one in, or does without.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final, TypeAlias

from pydantic import ValidationError

from kpass_vc.crypto.keys import PublicKey
from kpass_vc.errors import StatusListUnusable
from kpass_vc.formats import recognise
from kpass_vc.formats.format import Presented
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.status import BitstringStatusListCredential

MOST_LISTS: Final = 64
MOST_BYTES: Final = 128 * 1024
"""Larger ones, signed or as bits, are not remembered: others than ours could fill the memory with them."""

Seal: TypeAlias = tuple[int, PublicKey, Contexts]
"""That the proof of a number holds under a key, where terms mean what these contexts say."""


@dataclass(frozen=True)
class SignedList:
    """A status list as it was presented, and what has been found out about its bytes."""

    digest: bytes
    """The SHA-256 of the bytes it was read from."""
    presented: Presented
    says: BitstringStatusListCredential
    seals: tuple[Seal, ...] = ()
    bits: bytes | None = None
    """None until they are decoded."""


class KnownLists:
    """The lists that were used last, by the digest of their bytes; for all threads of a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lists: OrderedDict[bytes, SignedList] = OrderedDict()

    def read(self, body: bytes) -> SignedList:
        """A list with what is known of it; Malformed or StatusListUnusable if the bytes are none."""
        digest = hashlib.sha256(body).digest()
        with self._lock:
            if digest in self._lists:
                self._lists.move_to_end(digest)
                return self._lists[digest]
        presented = recognise(body).read(body)
        try:
            says = BitstringStatusListCredential.model_validate(presented.document)
        except ValidationError as error:
            raise StatusListUnusable("structure") from error
        return SignedList(digest, presented, says)

    def remember(self, found: SignedList) -> None:
        """Keep what was found out about a list, if it is not too large."""
        if max(len(found.presented.secured), len(found.bits or b"")) > MOST_BYTES:
            return
        kept = replace(found, presented=replace(found.presented))  # without its quads
        with self._lock:
            self._lists[found.digest] = kept
            self._lists.move_to_end(found.digest)
            if len(self._lists) > MOST_LISTS:
                self._lists.popitem(last=False)

    def __len__(self) -> int:
        return len(self._lists)
