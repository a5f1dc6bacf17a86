"""The bitstring of a BitstringStatusList (W3C Recommendation), and the order its indexes are given out in.

Index 0 is the left-most bit: the most significant one of the first byte.
Indexes come from a keyed permutation of a counter, so that neighbours in the
list are not neighbours in time and no table of used indexes is needed.
"""

import gzip
import hashlib
import zlib
from typing import Final

from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.errors import Malformed, StatusListUnusable

SIZE: Final = 131_072
"""Entries of a list, and the least the standard allows (section 6.1)."""
MAX_BYTES: Final = 8 * 1024 * 1024
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
    get(bits, index)
    changed = bytearray(bits)
    mask = 1 << (7 - index % 8)
    changed[index // 8] = changed[index // 8] | mask if value else changed[index // 8] & ~mask
    return bytes(changed)


def encode(bits: bytes) -> str:
    """The `encodedList`: multibase base64url of the GZIP-compressed bits (section 3.3)."""
    return "u" + base64url_encode(gzip.compress(bits, compresslevel=6, mtime=0))


def decode(encoded: str) -> bytes:
    """The bits of an `encodedList` (section 3.4); StatusListUnusable for anything else or past 8 MiB."""
    if not encoded.startswith("u"):
        raise StatusListUnusable("encoding")
    try:
        compressed = base64url_decode(encoded[1:])
        inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
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
    value = counter
    while True:
        left, right = value >> half, value & mask
        for turn in range(_ROUNDS):
            block = bytes([turn]) + right.to_bytes(4)
            mixed = int.from_bytes(hashlib.blake2b(block, key=key, digest_size=4).digest())
            left, right = right, left ^ (mixed & mask)
        value = left << half | right
        if value < size:
            return value
