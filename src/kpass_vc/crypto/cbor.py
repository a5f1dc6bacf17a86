"""CBOR in its one preferred spelling (RFC 8949 section 4.1); the only importer of cbor2."""

from typing import Final

import cbor2

from kpass_vc.errors import Malformed

_LONGEST: Final = 1024 * 1024


def encode(value: object) -> bytes:
    """A value of ints, texts, byte strings, lists and dicts as CBOR with definite lengths."""
    return cbor2.dumps(value)


def decode(data: bytes) -> object:
    """The value of CBOR data; Malformed for rests, indefinite lengths, long forms or double keys."""
    if len(data) > _LONGEST:
        raise Malformed("cbor")
    try:
        value: object = cbor2.loads(data)
        again = cbor2.dumps(value)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise Malformed("cbor") from error
    if again != data:
        raise Malformed("cbor")
    return value
