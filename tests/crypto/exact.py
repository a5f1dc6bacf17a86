"""The quick encoders against plain ones: `python -m tests.crypto.exact --count 50000`."""

import argparse
import base64
import binascii
import random
import sys
from collections.abc import Callable
from typing import Any, Final

import rfc8785

from kpass_vc.crypto.jcs import canonical_json
from kpass_vc.crypto.multibase import (
    base58_decode,
    base58_encode,
    base64url_decode,
    base64url_encode,
)
from kpass_vc.errors import DataLoss, Malformed

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SAFE: Final = 2**53 - 1
_TEXTS: Final = (
    *("", "a", "Z", "0", "å", "é", "e\u0301", "€", "中", "\ufb33", "\uffff", "\U0001f600"),
    *("\U00010000", "\u2028", "\x7f", "\x80", "\ue000", "\ud800", "x\udfff", '"', "\\", "/"),
    *(chr(code) for code in range(0x20)),
)
_NUMBERS: Final = (
    *(0, 1, -1, _SAFE, -_SAFE, _SAFE + 1, -_SAFE - 1, 10**30, -(10**30)),
    *(0.0, -0.0, 1.0, 0.1, 8.05, 1e-7, 1e21, 1e16, 5e-324, 1.7976931348623157e308),
    *(float("inf"), float("-inf"), float("nan"), True, False, None),
)


def json_value(chance: random.Random, depth: int = 0, *, tame: bool = False) -> Any:
    """Any JSON value; a tame one has nothing that RFC 8785 refuses."""
    roll = chance.random()
    if depth < 4 and roll < 0.35:
        names = [text(chance, tame=tame) for _ in range(chance.randint(0, 5))]
        return {name: json_value(chance, depth + 1, tame=tame) for name in names}
    if depth < 4 and roll < 0.5:
        return [json_value(chance, depth + 1, tame=tame) for _ in range(chance.randint(0, 4))]
    if roll < 0.75:
        return text(chance, tame=tame)
    if roll < 0.85:
        return chance.randint(-(2**40), 2**40)
    if tame:
        return chance.choice((True, False, None, 0, _SAFE, 8.05, 1e21, -0.0, chance.random()))
    return chance.choice((*_NUMBERS, chance.uniform(-1e6, 1e6)))


def text(chance: random.Random, *, tame: bool) -> str:
    """A text; a tame one can be encoded."""
    made = "".join(chance.choice(_TEXTS) for _ in range(chance.randint(0, 5)))
    return made.encode("utf-8", "replace").decode() if tame else made


def same_json(value: object) -> bool:
    """Whether our JCS and rfc8785 write a document the same, or both refuse it."""
    document = {"v": value}
    try:
        expected: str | None = rfc8785.dumps(document).decode()  # type: ignore[arg-type] # any JSON
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        expected = None
    try:
        found: str | None = canonical_json(document)
    except DataLoss:
        found = None
    return found == expected


def naive_base58_encode(data: bytes) -> str:
    """base58btc, one digit after the other."""
    number, digits = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def naive_base58_decode(given: str) -> bytes | None:
    """The bytes of a base58btc text, or None if it is none."""
    if not set(given) <= set(ALPHABET):
        return None
    number = 0
    for digit in given:
        number = number * 58 + ALPHABET.index(digit)
    zeros = len(given) - len(given.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def naive_base64url_decode(given: str) -> bytes | None:
    """The bytes of an unpadded base64url text, or None if it is not the one text for them."""
    try:
        data = base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.urlsafe_b64encode(data).decode().rstrip("=") == given else None


def same_bases(data: bytes, given: str) -> bool:
    """Whether our encoders write `data`, and our decoders read a text, as the plain ones do."""
    return (
        base58_encode(data) == naive_base58_encode(data)
        and base58_decode(base58_encode(data)) == data
        and base64url_decode(base64url_encode(data)) == data
        and _read(base58_decode, given) == naive_base58_decode(given)
        and _read(base64url_decode, given) == naive_base64url_decode(given)
    )


def bytes_and_text(chance: random.Random) -> tuple[bytes, str]:
    """Bytes, often with zeros before them, and a text that may be that of some in one of the bases."""
    data = b"\0" * chance.choice((0, 0, 1, 2, 9)) + chance.randbytes(
        chance.choice((0, 1, 9, 32, 64, 99))
    )
    letters = chance.choice(
        (ALPHABET, "1" + ALPHABET[-3:], ALPHABET + "0OIl", ALPHABET + "-_=+/ é\n")
    )
    return data, "".join(chance.choice(letters) for _ in range(chance.randint(0, 70)))


def _read(decode: Callable[[str], bytes], given: str) -> bytes | None:
    try:
        return decode(given)
    except Malformed:
        return None


def differing(count: int, seed: int) -> list[object]:
    """What is not encoded or decoded the same, of so many documents and so many bytes and texts."""
    chance = random.Random(seed)
    found: list[object] = []
    for number in range(count):
        value = json_value(chance, tame=number % 2 == 0)
        if not same_json(value):
            found.append(value)
        given = bytes_and_text(chance)
        if not same_bases(*given):
            found.append(given)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    order = parser.parse_args()
    out_of_step = differing(order.count, order.seed)
    sys.stdout.write(f"{order.count} documents, bytes and texts: {len(out_of_step)} differences\n")
    sys.stdout.write("".join(f"{each!a}\n" for each in out_of_step[:20]))
    raise SystemExit(bool(out_of_step))
