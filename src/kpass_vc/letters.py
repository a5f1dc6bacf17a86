"""The letter to a learner without e-mail, as an accessible PDF (PDF/UA-1, ISO 14289-1); only this module knows typst.

What is written in it comes in as data and is set as text: nothing in a name is markup.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import typst

from kpass_vc.errors import Malformed
from kpass_vc.language import Language
from kpass_vc.qr import qr_path

_LACKING: Final = re.compile('the text `"(.+?)"` could not be displayed', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
_MOST_TRIES: Final = 200
_PARTLY_THERE: Final = frozenset(
    {"", "LATIN", "GREEK", "CYRILLIC", "COMBINING", "ARABIC", "HEBREW", "ARMENIAN", "GEORGIAN"}
)
"""How the names of letters begin whose script the fonts have, though maybe not each letter."""


@dataclass(frozen=True)
class Letter:
    """One letter, every sentence in its language."""

    language: Language
    issuer: str
    day: str
    title: str
    greeting: str
    lines: tuple[str, ...]
    how: str
    steps: tuple[str, ...]
    address: str
    addresslabel: str
    code: str
    codelabel: str
    until: str
    qrtext: str
    """What the QR code is, for who cannot see it."""
    ends: tuple[str, ...]


def write_letters(letters: Sequence[Letter], made: datetime) -> bytes:
    """A PDF with a page for each letter; there is at least one.

    A character that the font lacks is a question mark: the standard allows none that a reader cannot say.
    Malformed for a text that cannot be set at all.
    """
    data = json.dumps(
        [asdict(letter) | {"qr": _qr(letter.address)} for letter in letters], ensure_ascii=False
    )
    for _ in range(_MOST_TRIES):
        try:
            return _compiled(data, made)
        except typst.TypstError as error:
            lacking = _LACKING.search(str(error))
            if lacking is None:
                raise Malformed("letter") from error
            for letter in _all_like(_unescaped(lacking[1]), data):
                data = data.replace(letter, "?")
    raise Malformed("letter")


def _all_like(lacking: str, data: str) -> set[str]:
    """Those letters, and all of a script of which there is nothing: the compiler names but the first that it meets.

    Of a letter in ASCII, which JSON is written in and the font has, it is the marks upon it that lack.
    """
    scripts = {_script(letter) for letter in lacking} - _PARTLY_THERE
    marks = {letter for letter in set(data) if unicodedata.category(letter).startswith("M")}
    found = set(lacking) | {letter for letter in set(data) if _script(letter) in scripts}
    if lacking.isascii():
        found |= {mark for mark in marks if lacking + mark in data}
    return {letter for letter in found if not letter.isascii()}


def _unescaped(text: str) -> str:
    """What the compiler names, who writes what cannot be seen by its number in braces."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _compiled(data: str, made: datetime) -> bytes:
    compile_pdf: Any = typst.compile  # its types want every path to be of the kind of the input
    found: bytes = compile_pdf(
        _template(),
        font_paths=[str(resources.files("font_source_sans_pro") / "files")],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"letters": data},
        pdf_standards=["ua-1"],
        timestamp=int(made.timestamp()),
    )
    return found


@lru_cache
def _template() -> bytes:
    return resources.files("kpass_vc").joinpath("letters.typ").read_bytes()


def _qr(text: str) -> str:
    path, side = qr_path(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )
