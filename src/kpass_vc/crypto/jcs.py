"""JSON Canonicalization Scheme (RFC 8785); the only importer of rfc8785.

orjson (`model.fast_json`) writes the same for texts, small integers and members in ASCII, and is eighty times as
fast; whatever else is in a document is rfc8785's.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import rfc8785

from kpass_vc.errors import DataLoss
from kpass_vc.model import fast_json


def canonical_json(document: Mapping[str, object]) -> str:
    """A document in the one spelling of RFC 8785; DataLoss for what has none, such as integers past 2^53."""
    if _is_plain(document):
        try:
            return fast_json.encode(document, sort=True).decode("utf-8")
        except ValueError as error:
            raise DataLoss("json", part="", reason=str(error)) from error
    try:
        return rfc8785.dumps(cast("Any", document)).decode("utf-8")
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise DataLoss("json", part="", reason=str(error)[:200]) from error


_LARGEST: Final = 2**53 - 1


def _is_plain(value: object) -> bool:
    """Whether there is nothing in it but texts, booleans, safe integers, and members in ASCII."""
    kind = type(value)
    if kind is dict:
        members = cast("dict[str, object]", value)
        return all(
            type(name) is str and name.isascii() and (type(part) is str or _is_plain(part))
            for name, part in members.items()
        )
    if kind is list:
        return all(type(part) is str or _is_plain(part) for part in cast("list[object]", value))
    if kind is int:
        return -_LARGEST <= cast("int", value) <= _LARGEST
    return kind in {str, bool} or value is None


def has_float(value: object) -> bool:
    """Whether a number with a fraction or exponent is in it: they do not survive between implementations."""
    pending: list[object] = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            pending += [each for each in part.values() if type(each) is not str]
        elif isinstance(part, list | tuple):
            pending += [each for each in part if type(each) is not str]
        elif isinstance(part, float):
            return True
    return False
