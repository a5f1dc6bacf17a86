"""The learner's private links and the codes of share links: made from one key, so that none of them is kept.

A private link opens everything that the learner may do with one award. Its token
is the award's id and a MAC over it, so the award is found without a table of
tokens, and the next generation of the link makes the one before it dead. A folder
link is the same for a learner: it opens all that one organisation has given her.

A share link's code is short enough to be typed from paper: twelve characters of
Crockford's base32, which has no I, L, O or U. Of it only a hash is stored.
"""

import hmac
import re
import unicodedata
import uuid
from typing import Final

from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.errors import Malformed

_ID_BYTES: Final = 16
_MAC_BYTES: Final = 16
_TOKEN: Final = 43
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE: Final = 12
_CODE_BITS: Final = 60
_GROUP: Final = 4
_READ: Final = re.compile(f"[{_ALPHABET}]{{{_CODE}}}")
_MISREAD: Final = str.maketrans("OIL", "011")
_LONGEST: Final = 100


def holder_token(link_key: bytes, award_id: str, generation: int) -> str:
    """The token of an award's private link: 43 characters of base64url."""
    award = uuid.UUID(award_id).bytes
    mac = hmac.digest(link_key, b"holder\0" + award + generation.to_bytes(4), "sha256")
    return base64url_encode(award + mac[:_MAC_BYTES])


def folder_token(link_key: bytes, learner_id: str, generation: int) -> str:
    """The token of a learner's folder link: 43 characters of base64url."""
    learner = uuid.UUID(learner_id).bytes
    mac = hmac.digest(link_key, b"folder\0" + learner + generation.to_bytes(4), "sha256")
    return base64url_encode(learner + mac[:_MAC_BYTES])


def id_of(token: str) -> str | None:
    """The id that a token names, or None if it has not the form of one; compare the whole token after it."""
    if len(token) != _TOKEN:
        return None
    try:
        content = base64url_decode(token)
    except Malformed:
        return None
    return str(uuid.UUID(bytes=content[:_ID_BYTES]))


def invitation_token(link_key: bytes, invitation_id: str) -> str:
    """The token of an invitation's link: 43 characters of base64url."""
    invited = uuid.UUID(invitation_id).bytes
    mac = hmac.digest(link_key, b"invitation\0" + invited, "sha256")
    return base64url_encode(invited + mac[:_MAC_BYTES])


def share_code(link_key: bytes, share_id: str) -> str:
    """The code of a share link: 60 bits as twelve characters."""
    mac = hmac.digest(link_key, b"share\0" + uuid.UUID(share_id).bytes, "sha256")
    number = int.from_bytes(mac[:8]) >> (64 - _CODE_BITS)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(_CODE_BITS - 5, -1, -5))


def new_code(random: bytes) -> str:
    """A new code of twelve characters, from at least eight random bytes."""
    number = int.from_bytes(random[:8]) >> (64 - _CODE_BITS)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(_CODE_BITS - 5, -1, -5))


def written_code(code: str) -> str:
    """The code as people read and type it, in groups of four."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def read_code(text: str) -> str | None:
    """The code that a person typed, or None: case, spaces, hyphens, O for 0, I and L for 1 do not matter."""
    if len(text) > _LONGEST:
        return None
    folded = unicodedata.normalize("NFKC", text).upper()
    code = "".join(letter for letter in folded if not _separates(letter)).translate(_MISREAD)
    return code if _READ.fullmatch(code) else None


def _separates(letter: str) -> bool:
    return letter.isspace() or letter == "\u2212" or unicodedata.category(letter) in {"Pd", "Cf"}
