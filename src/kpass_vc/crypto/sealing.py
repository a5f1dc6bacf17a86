"""Seal short texts about people, so that a database alone tells nobody who they are.

AES-256-GCM with a random nonce of twelve bytes in front; what a text is about is
bound to it, so that it cannot be moved to another row. A keyed hash knows a text
again without keeping it.
"""

import hmac
import unicodedata
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kpass_vc.errors import Unavailable

_NONCE: Final = 12


def seal(key: bytes, text: str, nonce: bytes, *, about: str) -> bytes:
    """The sealed text; `nonce` is twelve random bytes, `about` the id of what it belongs to."""
    return nonce + AESGCM(key).encrypt(nonce, text.encode(), about.encode())


def unseal(key: bytes, sealed: bytes, *, about: str) -> str:
    """The text; Unavailable if it was sealed with another key, for another row, or was changed."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode()).decode()
    except InvalidTag as error:
        raise Unavailable("sealed") from error


def keyed_hash(key: bytes, text: str, *, within: str) -> str:
    """The same for the same text within the same organisation, whatever its case; 64 hexadecimal digits."""
    return hmac.digest(key, f"{within}\0{folded(text)}".encode(), "sha256").hex()


def folded(text: str) -> str:
    """What is the same for all texts that have the same keyed hash."""
    return unicodedata.normalize("NFKC", text).strip().casefold()
