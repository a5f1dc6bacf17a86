"""Documents as accessible PDF (PDF/UA-1, ISO 14289-1) from a template and data; only this module knows typst.

What is written comes in as data and is set as text: nothing in a name is markup.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import typst

from kpass_vc.errors import Malformed

_LACKING: Final = re.compile('the text `"(.+?)"` could not be displayed', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
_MOST_TRIES: Final = 200
_PARTLY_THERE: Final = frozenset(
    {"", "LATIN", "GREEK", "CYRILLIC", "COMBINING", "ARABIC", "HEBREW", "ARMENIAN", "GEORGIAN"}
)
"""How the names of letters begin whose script the fonts have, though maybe not each letter."""


def typeset(
    template: str, data: Mapping[str, object] | Sequence[Mapping[str, object]], made: datetime
) -> bytes:
    """The PDF of a template of this package, which reads the data as JSON from `sys.inputs.data`.

    A character that the font lacks is a question mark: the standard allows none that a reader cannot say.
    Malformed for a text that cannot be set at all.
    """
    written = json.dumps(data, ensure_ascii=False)
    for _ in range(_MOST_TRIES):
        try:
            return _compiled(template, written, made)
        except typst.TypstError as error:
            lacking = _LACKING.search(str(error))
            if lacking is None:
                raise Malformed("letter") from error
            for letter in _all_like(_unescaped(lacking[1]), written):
                written = written.replace(letter, "?")
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


def _compiled(template: str, data: str, made: datetime) -> bytes:
    compile_pdf: Any = typst.compile  # its types want every path to be of the kind of the input
    found: bytes = compile_pdf(
        _source(template),
        font_paths=[str(resources.files("font_source_sans_pro") / "files")],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": data},
        pdf_standards=["ua-1"],
        timestamp=int(made.timestamp()),
    )
    return found


@lru_cache
def _source(template: str) -> bytes:
    return resources.files("kpass_vc").joinpath(template).read_bytes()
