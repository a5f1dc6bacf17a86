"""JSON documents, and the one reader for JSON that comes from outside.

FastAPI's and Python's own parsers take duplicate keys, NaN, 1e400, lone
surrogates and any depth. Signing or verifying what two parsers read
differently is how forgeries work, so `read_json` refuses all of that.
"""

import json
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from kpass_vc.errors import Malformed, NotJson, TooLarge
from kpass_vc.model import fast_json

JsonObject: TypeAlias = dict[str, object]
"""A JSON object as read: dict, list, str, int, float, bool and None inside."""
_Place: TypeAlias = tuple[str | int, ...]
_Part: TypeAlias = dict[str, object] | list[object]

MAX_BYTES: Final = 1024 * 1024
MAX_PICTURE: Final = 5 * 1024 * 1024
"""What may be handed in where a picture may be."""
MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**53 - 1
MAX_VALUES: Final = 20_000
"""Values in one document; what reads it further may take more than linear time."""

# C0 but TAB LF CR, DEL, surrogates and the noncharacters of the BMP are refused; of what lies beyond it
# the two at the end of each plane: they are looked for in a second step, as a class with all of them is slow
_SUSPECT: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U00010000-\U0010ffff]"
)
_BMP_ENDS: Final = 0x10000
_PLANE_END: Final = 0xFFFE
_SUSPECT_BYTES: Final = (b"\x7f", b"\xef", b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
"""DEL, and what noncharacters begin with in UTF-8: what else we refuse is no JSON if it stands there as it is."""
_SUSPECT_ESCAPE: Final = re.compile(rb"\\[ubf]")
"""What JSON may write a refused character as."""


def read_json(
    body: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_values: int = MAX_VALUES,
    max_items: int = MAX_VALUES,
) -> JsonObject:
    """The JSON object in `body`; NotJson, TooLarge or Malformed say what is wrong and where."""
    if len(body) > max_bytes:
        raise TooLarge(limit=max_bytes)
    try:
        text = body.decode("utf-8")
        document = _read_fast(body)
        if document is None:
            document = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise NotJson("encoding", position=error.start) from error
    except RecursionError as error:
        raise NotJson("depth", limit=max_depth, field="") from error
    except json.JSONDecodeError as error:
        raise NotJson("syntax", line=error.lineno, column=error.colno) from error
    if not isinstance(document, dict):
        raise NotJson("not_object")
    is_within = _is_within(document, max_depth, max_values, max_items)
    if not (is_within and _is_clean(body, text)):  # then it is said what is wrong and where
        _check(document, max_depth, max_values, max_items)
    return document


def _read_fast(body: bytes) -> JsonObject | None:
    """The object in `body`, if it is compact and no integer in it is too large."""
    try:
        document = fast_json.decode_own(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def compact(document: Mapping[str, object]) -> bytes:
    """A document as compact JSON, its members in their order."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def compact_without_floats(document: Mapping[str, object]) -> bytes:
    """What `compact` gives, of a document with no number in it that has a fraction or exponent."""
    try:
        return fast_json.encode(document)
    except ValueError:
        return compact(document)


def check_text(text: str, field: str) -> None:
    """Raise Malformed if `text` holds a character we refuse; `field` is its JSON pointer."""
    found = _refused(text)
    if found is not None:
        raise Malformed("character", field=field, character=f"U+{found:04X}")


def pointer(*tokens: str | int) -> str:
    """The JSON pointer (RFC 6901) of a place."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def _refused(text: str) -> int | None:
    """The code of the first character that we refuse; None if there is none."""
    for found in _SUSPECT.finditer(text):
        code = ord(found.group())
        if code < _BMP_ENDS or code & _PLANE_END == _PLANE_END:
            return code
    return None


def _is_clean(body: bytes, text: str) -> bool:
    """Whether the raw JSON, which is `text` in UTF-8, leaves no doubt that no string in it has a refused character."""
    if b"\\" in body and _SUSPECT_ESCAPE.search(body):
        return False
    return not any(map(body.__contains__, _SUSPECT_BYTES)) or _refused(text) is None


def _is_within(document: JsonObject, max_depth: int, max_values: int, max_items: int) -> bool:
    """Whether it keeps the bounds of depth, values and items; level by level, with no place of any value.

    False as well if an object has more members than a list may have items: then it is looked at again.
    """
    level: list[_Part] = [document]
    values = 1
    for _ in range(max_depth):
        lengths = list(map(len, level))
        values += sum(lengths)
        if values > max_values or max(lengths) > max_items:
            return False
        level = [
            member
            for part in level
            for member in (part.values() if type(part) is dict else part)
            if type(member) is dict or type(member) is list
        ]
        if not level:
            return True
    return False


def _check(document: JsonObject, max_depth: int, max_values: int, max_items: int) -> None:
    pending: list[tuple[object, _Place]] = [(document, ())]
    values = 0
    while pending:
        value, place = pending.pop()
        values += 1
        if values > max_values:
            raise NotJson("values", limit=max_values)
        if isinstance(value, str):
            _check_characters(value, place)
        elif isinstance(value, dict | list):
            if len(place) >= max_depth:
                raise NotJson("depth", limit=max_depth, field=pointer(*place)[:200])
            if isinstance(value, list) and len(value) > max_items:
                raise NotJson("items", limit=max_items, field=pointer(*place)[:200])
            pending.extend(_members(value, place))


def _members(value: dict[str, object] | list[object], place: _Place) -> list[tuple[object, _Place]]:
    if isinstance(value, list):
        return [(member, (*place, number)) for number, member in enumerate(value)]
    for key in value:
        _check_characters(key, place)
    return [(member, (*place, key)) for key, member in value.items()]


def _check_characters(text: str, place: _Place) -> None:
    if _refused(text) is not None:
        check_text(text, pointer(*place))


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                shown = key[:80].encode("utf-8", "backslashreplace").decode()
                raise NotJson("duplicate_key", key=shown)
            seen.add(key)
    return found


def _constant(name: str) -> object:
    raise NotJson("number", number=name)


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotJson("number", number=text[:40])
    return number


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise NotJson("number", number=text[:40])
    return int(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_constant,
    parse_float=_float,
    parse_int=_integer,
)
