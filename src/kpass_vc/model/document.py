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

JsonObject: TypeAlias = dict[str, object]
"""A JSON object as read: dict, list, str, int, float, bool and None inside."""
_Place: TypeAlias = tuple[str | int, ...]

MAX_BYTES: Final = 1024 * 1024
MAX_PICTURE: Final = 5 * 1024 * 1024
"""What may be handed in where a picture may be."""
MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**53 - 1
MAX_VALUES: Final = 20_000
"""Values in one document; what reads it further may take more than linear time."""

# C0 but TAB LF CR, DEL, surrogates, and the noncharacters of the BMP and of every plane's end
_REFUSED: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane * 0x10000 + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


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
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise NotJson("encoding", position=error.start) from error
    except RecursionError as error:
        raise NotJson("depth", limit=max_depth, field="") from error
    except json.JSONDecodeError as error:
        raise NotJson("syntax", line=error.lineno, column=error.colno) from error
    if not isinstance(document, dict):
        raise NotJson("not_object")
    _check(document, max_depth, max_values, max_items)
    return document


def compact(document: Mapping[str, object]) -> bytes:
    """A document as compact JSON, its members in their order."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def check_text(text: str, field: str) -> None:
    """Raise Malformed if `text` holds a character we refuse; `field` is its JSON pointer."""
    found = _REFUSED.search(text)
    if found:
        raise Malformed("character", field=field, character=f"U+{ord(found.group()):04X}")


def pointer(*tokens: str | int) -> str:
    """The JSON pointer (RFC 6901) of a place."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


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
    if _REFUSED.search(text):
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
