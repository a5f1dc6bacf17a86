"""Multibase base58btc and base64url (Controlled Identifiers 1.0 section 2.4).

Decoding is strict: one text for one value, so that nobody can change the
spelling of a proof without breaking it.
"""

import binascii
from typing import Final

import pybase64

from kpass_vc.errors import Malformed

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUE: Final = {pair: value for value, pair in enumerate(_PAIRS)}
_TWO: Final = 58**2
_FOUR: Final = 58**4
_TEN: Final = 58**10
"""Ten digits at a time, two by two: so the numbers that are divided stay small."""
_LONGEST: Final = 4096


def base58_encode(data: bytes) -> str:
    """`data` in base58btc, without a multibase prefix."""
    number = int.from_bytes(data)
    pairs: list[str] = []
    while number:
        number, ten = divmod(number, _TEN)
        four = ten % _FOUR
        pairs.append(_PAIRS[four % _TWO])
        pairs.append(_PAIRS[four // _TWO])
        ten //= _FOUR
        four = ten % _FOUR
        pairs.append(_PAIRS[four % _TWO])
        pairs.append(_PAIRS[four // _TWO])
        pairs.append(_PAIRS[ten // _FOUR])
    pairs.reverse()
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(pairs).lstrip("1")


def base58_decode(text: str) -> bytes:
    """The bytes of a base58btc text; Malformed if a character is none of the alphabet."""
    if len(text) > _LONGEST:
        raise Malformed("base58")
    padded = "1" * (-len(text) % 10) + text
    try:
        pairs = [_VALUE[padded[place : place + 2]] for place in range(0, len(padded), 2)]
    except KeyError as error:
        raise Malformed("base58") from error
    number = 0
    values = iter(pairs)
    for a, b, c, d, e in zip(values, values, values, values, values, strict=True):
        ten = (((a * _TWO + b) * _TWO + c) * _TWO + d) * _TWO + e
        number = number * _TEN + ten
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def base64url(data: bytes) -> bytes:
    """`data` in base64url without padding (RFC 4648 section 5), in ASCII."""
    return pybase64.urlsafe_b64encode(data).rstrip(b"=")


def base64url_encode(data: bytes) -> str:
    """`data` in base64url without padding (RFC 4648 section 5)."""
    return base64url(data).decode("ascii")


def base64url_decode(text: str) -> bytes:
    """The bytes of an unpadded base64url text; Malformed for padding, other characters or stray bits."""
    if "+" in text or "/" in text:
        raise Malformed("base64url")
    try:
        data = pybase64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("base64url") from error
    # whatever the library overlooks: there is one text for one value
    if base64url_encode(data) != text:
        raise Malformed("base64url")
    return data


def multibase_encode(data: bytes) -> str:
    """`data` as `z` and base58btc."""
    return "z" + base58_encode(data)


def multibase_decode(text: str) -> bytes:
    """The bytes of a `z` (base58btc) or `u` (base64url) text; Malformed for any other."""
    if text.startswith("z"):
        return base58_decode(text[1:])
    if text.startswith("u"):
        return base64url_decode(text[1:])
    raise Malformed("multibase", prefix=text[:1])
