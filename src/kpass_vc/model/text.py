"""Texts that people write and others read: nothing unseen, nothing that reads otherwise than it is written."""

import re
import unicodedata
from typing import Final

from kpass_vc.model.field_errors import broken

# Controls but the line feed, line and paragraph separators, marks and overrides of direction,
# zero-width spaces and joins of words, the byte order mark, and tag characters.
_UNWRITABLE: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)
# Letters by their category that have no shape: the fillers of Hangul.
_SHAPELESS: Final = frozenset("\u115f\u1160\u3164\uffa0")


def written(value: str) -> str:
    """The text, which may have several lines."""
    if not value.strip():
        raise broken("blank")
    if _UNWRITABLE.search(value):
        raise broken("control_character")
    return value


def one_line(value: str) -> str:
    """The text, which has one line."""
    if "\n" in written(value):
        raise broken("control_character")
    return value


def name(value: str) -> str:
    """The text, which has one line and at least one letter or digit that can be seen."""
    if not any(_is_seen(letter) for letter in one_line(value)):
        raise broken("no_letter")
    return value


def shown(value: str) -> str:
    """Somebody's text with a sign in place of each mark that would not be seen, or would turn the text around."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", value)


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LN" and letter not in _SHAPELESS
