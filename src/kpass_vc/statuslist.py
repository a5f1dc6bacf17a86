"""The bitstring of a BitstringStatusList (W3C Recommendation), and the order its indexes are given out in.

Index 0 is the left-most bit: the most significant one of the first byte.
Indexes come from a keyed permutation of a counter, so that neighbours in the
list are not neighbours in time and no table of used indexes is needed. Which
index a counter has must never change: those before it are given out already.
"""

import hashlib
import zlib
from array import array
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.errors import Malformed, StatusListUnusable

SIZE: Final = 131_072
"""Entries of a list, and the least the standard allows (section 6.1)."""
MAX_BYTES: Final = 8 * 1024 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
"""The `wbits` of a GZIP header and trailer."""
_ROUNDS: Final = 6


def empty(size: int = SIZE) -> bytes:
    """The bits of a new list."""
    return bytes(size // 8)


def get(bits: bytes, index: int) -> bool:
    """The bit at `index`; StatusListUnusable if the list has no such entry (RANGE_ERROR)."""
    if not 0 <= index < len(bits) * 8:
        raise StatusListUnusable("range", index=index, size=len(bits) * 8)
    return bool(bits[index // 8] >> (7 - index % 8) & 1)


def put(bits: bytes, index: int, *, value: bool) -> bytes:
    """The bits with the one at `index` set to `value`."""
    return put_many(bits, (index,), value=value)


def put_many(bits: bytes, indexes: Iterable[int], *, value: bool) -> bytes:
    """The bits with those at `indexes` set to `value`; StatusListUnusable if one of them lies outside."""
    changed = bytearray(bits)
    size = len(bits) * 8
    for index in indexes:
        if not 0 <= index < size:
            raise StatusListUnusable("range", index=index, size=size)
        if value:
            changed[index >> 3] |= 0x80 >> (index & 7)
        else:
            changed[index >> 3] &= ~(0x80 >> (index & 7))
    return bytes(changed)


def encode(bits: bytes) -> str:
    """The `encodedList`: multibase base64url of the GZIP-compressed bits (section 3.3).

    At the lowest level: a list is signed at every change, and higher ones cost many times as much for a
    tenth of its size. The same bits give the same text in one installation.
    """
    return "u" + base64url_encode(_compress(bits, 1, _GZIP))


def _compressor() -> Callable[[bytes, int, int], bytes]:
    try:
        from isal import isal_zlib  # noqa: PLC0415 - the wheel is not there on every platform
    except ImportError:
        return zlib.compress
    return isal_zlib.compress


_compress: Final = _compressor()


def decode(encoded: str) -> bytes:
    """The bits of an `encodedList` (section 3.4); StatusListUnusable for anything else or past 8 MiB."""
    if not encoded.startswith("u"):
        raise StatusListUnusable("encoding")
    try:
        compressed = base64url_decode(encoded[1:])
        inflater = zlib.decompressobj(wbits=_GZIP)
        bits = inflater.decompress(compressed, MAX_BYTES + 1)
    except (Malformed, zlib.error) as error:
        raise StatusListUnusable("encoding") from error
    if len(bits) > MAX_BYTES:
        raise StatusListUnusable("size", limit=MAX_BYTES)
    if not inflater.eof or inflater.unused_data:
        raise StatusListUnusable("encoding")
    if len(bits) * 8 < SIZE:
        raise StatusListUnusable("length", found=len(bits) * 8, least=SIZE)
    return bits


def nth_index(counter: int, key: bytes, size: int = SIZE) -> int:
    """The index of the `counter`-th entry: a permutation of range(size) chosen by `key`.

    A Feistel network over the next even power of two, walked until it lands
    inside (cycle walking); `size` is at least 2 and `counter` in range(size).
    """
    half = ((size - 1).bit_length() + 1) // 2
    mask = (1 << half) - 1
    rounds = _rounds(key, half)
    value = counter
    while True:
        left, right = value >> half, value & mask
        for turn, known in enumerate(rounds):
            mixed = known[right]
            if mixed < 0:
                mixed = known[right] = _mixed(key, turn, right) & mask
            left, right = right, left ^ mixed
        value = left << half | right
        if value < size:
            return value


@lru_cache(maxsize=128)
def _rounds(
    key: bytes,  # noqa: ARG001 - whose they are
    half: int,
) -> tuple["array[int]", ...]:
    """What the rounds of a list's permutation are known to give, -1 where that was not asked yet: 12 KiB at most."""
    return tuple(array("i", [-1]) * (1 << half) for _ in range(_ROUNDS))


def _mixed(key: bytes, turn: int, right: int) -> int:
    block = (turn << 32 | right).to_bytes(5)
    return int.from_bytes(hashlib.blake2b(block, key=key, digest_size=4).digest())
