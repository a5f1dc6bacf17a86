"""JSON by orjson, for who has made sure that it does there what Python's `json` does; its only importer.

It writes the same but for numbers with a fraction or exponent, and reads the same but for what it takes
that `read_json` refuses: duplicate members, large integers, lone characters.
"""

from typing import Final, cast

import orjson

_ONLY_JSON: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
"""Moments and data classes are refused, as `json` does."""


def encode(document: object, *, sort: bool = False) -> bytes:
    """A document as compact JSON, its members in their order or sorted by code point; ValueError if there is none."""
    option = _ONLY_JSON | orjson.OPT_SORT_KEYS if sort else _ONLY_JSON
    try:
        return orjson.dumps(document, option=option)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)[:200]) from error


def decode(body: bytes) -> object:
    """What the JSON in `body` says; ValueError if it is none."""
    return cast("object", orjson.loads(body))


def decode_own(body: bytes) -> object:
    """What `body` says, if it is just what orjson writes of it: then no member is there twice. ValueError if not.

    Nor is there an integer that JavaScript could not hold (past 2^53 - 1).
    """
    document = decode(body)
    try:
        written = orjson.dumps(document, option=_ONLY_JSON | orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)[:200]) from error
    if written != body:
        raise ValueError(len(body))
    return document
