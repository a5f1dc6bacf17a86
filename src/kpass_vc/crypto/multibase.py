"""Multibase base58btc and base64url (Controlled Identifiers 1.0 section 2.4).

Decoding is strict: one text for one value, so that nobody can change the
spelling of a proof without breaking it.
"""

import binascii
from typing import Final

import pybase64
from gmpy2 import mpz

from kpass_vc.errors import Malformed

_ALPHABET: Final = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
"""What GMP writes a number in base 58 with."""
_TO_DIGITS: Final = bytes.maketrans(_ALPHABET, _DIGITS)
_FROM_DIGITS: Final = bytes.maketrans(_DIGITS, _ALPHABET)
_LONGEST: Final = 4096


def base58_encode(data: bytes) -> str:
    """`data` in base58btc, without a multibase prefix."""
    number = data.lstrip(b"\0")
    zeros = "1" * (len(data) - len(number))
    if not number:
        return zeros
    digits: bytes = mpz.from_bytes(number, "big").digits(58).encode("ascii")
    return zeros + digits.translate(_FROM_DIGITS).decode("ascii")


def base58_decode(text: str) -> bytes:
    """The bytes of a base58btc text; Malformed if a character is none of the alphabet."""
    given = text.encode("utf-8", "replace")
    # GMP passes over spaces and takes signs, so it only gets what is of the alphabet
    if len(given) > _LONGEST or given.translate(None, _ALPHABET):
        raise Malformed("base58")
    digits = given.lstrip(b"1")
    zeros = bytes(len(given) - len(digits))
    if not digits:
        return zeros
    number = mpz(digits.translate(_TO_DIGITS), 58)
    data: bytes = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return zeros + data


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
