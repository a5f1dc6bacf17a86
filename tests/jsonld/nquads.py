"""A small reader of N-Quads, for test data only."""

import re
from collections.abc import Iterator

from kpass_vc.jsonld.rdfc import Quad, literal

_TERM = re.compile(r'<[^>]*>|_:[^\s]+|"(?:[^"\\]|\\.)*"(?:\^\^<[^>]*>|@[A-Za-z0-9-]+)?')
_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_SHORT = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
_LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"


def read_nquads(text: str) -> Iterator[Quad]:
    """The quads of a document."""
    for line in text.split("\n"):
        if line.strip() and not line.strip().startswith("#"):
            yield Quad(*(_term(found) for found in _TERM.findall(line)))


def _term(text: str) -> str:
    if text.startswith("<"):
        return f"<{_unescape(text[1:-1])}>"
    if not text.startswith('"'):
        return text
    end = text.rindex('"')
    value, rest = _unescape(text[1:end]), text[end + 1 :]
    if "^^<" in text and text.endswith(">"):
        head, _, datatype = text.rpartition("^^<")
        return literal(_unescape(head[1:-1]), _unescape(datatype[:-1]))
    if rest.startswith("@"):
        return literal(value, _LANG_STRING, rest[1:])
    return literal(value, _XSD_STRING)


def _unescape(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        code = found.group()[1:]
        return chr(int(code[1:], 16)) if code[0] in "uU" else _SHORT[code]

    return _ESCAPE.sub(plain, text)
