"""JSON Canonicalization Scheme (RFC 8785); the only importer of rfc8785."""

from collections.abc import Mapping
from typing import Any, cast

import rfc8785

from kpass_vc.errors import DataLoss


def canonical_json(document: Mapping[str, object]) -> str:
    """A document in the one spelling of RFC 8785; DataLoss for what has none, such as integers past 2^53."""
    try:
        return rfc8785.dumps(cast("Any", document)).decode("utf-8")
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise DataLoss("json", part="", reason=str(error)[:200]) from error


def has_float(value: object) -> bool:
    """Whether a number with a fraction or exponent is in it: they do not survive between implementations."""
    if isinstance(value, Mapping):
        return any(has_float(member) for member in value.values())
    if isinstance(value, list):
        return any(has_float(member) for member in value)
    return isinstance(value, float)
