"""The bitstring of a status list, and the order in which its indexes are given out."""

import base64
import gzip
import random
import subprocess
import sys
import time
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpass_vc import statuslist
from kpass_vc.errors import StatusListUnusable

KEY = bytes(range(32))


def decoded_otherwise(encoded: str) -> str:
    """The bits as a text of 0 and 1, left-most first, by nothing of ours."""
    assert encoded[0] == "u"
    text = encoded[1:]
    data = gzip.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return "".join(f"{byte:08b}" for byte in data)


def encoded_as(data: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_index_0_is_the_left_most_bit_and_the_others_follow() -> None:
    bits = statuslist.empty()
    raised = [0, 1, 7, 8, 94_172, statuslist.SIZE - 1]

    for index in raised:
        bits = statuslist.put(bits, index, value=True)

    text = decoded_otherwise(statuslist.encode(bits))
    assert len(text) == 131_072
    assert [index for index, bit in enumerate(text) if bit == "1"] == raised


def test_what_is_encoded_elsewhere_is_read_the_same() -> None:
    chance = random.Random(7)
    data = chance.randbytes(statuslist.SIZE // 8)
    text = "".join(f"{byte:08b}" for byte in data)

    found = statuslist.decode(encoded_as(gzip.compress(data)))

    assert found == data
    assert [statuslist.get(found, index) for index in range(statuslist.SIZE)] == [
        bit == "1" for bit in text
    ]


@settings(max_examples=50)
@given(st.sets(st.integers(0, statuslist.SIZE - 1), max_size=20), st.data())
def test_setting_and_clearing_touches_that_bit_alone(
    indexes: set[int], data: st.DataObject
) -> None:
    bits = statuslist.empty()
    for index in indexes:
        bits = statuslist.put(bits, index, value=True)
    other = data.draw(st.integers(0, statuslist.SIZE - 1))

    assert all(statuslist.get(bits, index) for index in indexes)
    assert sum(byte.bit_count() for byte in bits) == len(indexes)
    raised = statuslist.put(bits, other, value=True)
    cleared = statuslist.put(raised, other, value=False)
    assert sum(byte.bit_count() for byte in cleared) == len(indexes - {other})
    assert statuslist.decode(statuslist.encode(cleared)) == cleared


@settings(max_examples=50)
@given(
    before=st.sets(st.integers(0, statuslist.SIZE - 1), max_size=40),
    indexes=st.lists(st.integers(0, statuslist.SIZE - 1), max_size=40),
    value=st.booleans(),
)
def test_many_bits_are_set_at_once_as_one_after_the_other(
    before: set[int], indexes: list[int], *, value: bool
) -> None:
    bits = statuslist.put_many(statuslist.empty(), before, value=True)
    one_by_one = bits
    for index in indexes:
        one_by_one = statuslist.put(one_by_one, index, value=value)

    together = statuslist.put_many(bits, indexes, value=value)

    assert together == one_by_one
    expected = before | set(indexes) if value else before - set(indexes)
    assert sum(byte.bit_count() for byte in together) == len(expected)


def test_every_index_survives_encoding() -> None:
    bits = bytearray(statuslist.empty())
    for index in range(0, statuslist.SIZE, 3):
        bits[index // 8] |= 0x80 >> index % 8

    found = statuslist.decode(statuslist.encode(bytes(bits)))

    assert all(statuslist.get(found, index) == (index % 3 == 0) for index in range(statuslist.SIZE))


@pytest.mark.parametrize("index", [-1, statuslist.SIZE, 2**32, -statuslist.SIZE])
def test_an_index_outside_the_list_is_a_range_error(index: int) -> None:
    for act in (
        lambda: statuslist.get(statuslist.empty(), index),
        lambda: statuslist.put(statuslist.empty(), index, value=True),
        lambda: statuslist.put_many(statuslist.empty(), [0, index, 1], value=True),
    ):
        with pytest.raises(StatusListUnusable) as caught:
            act()
        assert caught.value.rule == "range"
        assert caught.value.data == {"index": index, "size": statuslist.SIZE}


def test_the_same_bits_are_always_encoded_as_the_same_text() -> None:
    bits = statuslist.put(statuslist.empty(), 5, value=True)

    assert statuslist.encode(bits) == statuslist.encode(bits)


WITHOUT_ISAL = """
import sys
sys.modules["isal"] = None
from kpass_vc import statuslist
bits = sys.stdin.buffer.read()
assert statuslist.encode(bits) == statuslist.encode(bits)
print(statuslist.encode(bits))
"""


@pytest.mark.parametrize("share", [0, 0.001, 0.05, 0.5])
def test_a_list_is_decoded_the_same_whether_isal_or_zlib_has_packed_it(share: float) -> None:
    pytest.importorskip("isal")
    chance = random.Random(3)
    indexes = chance.sample(range(statuslist.SIZE), int(statuslist.SIZE * share))
    bits = statuslist.put_many(statuslist.empty(), indexes, value=True)

    by_isal = statuslist.encode(bits)
    by_zlib = subprocess.run(
        [sys.executable, "-c", WITHOUT_ISAL], input=bits, capture_output=True, check=True
    ).stdout.decode()

    assert by_isal != by_zlib.strip()
    assert statuslist.decode(by_isal) == statuslist.decode(by_zlib.strip()) == bits
    for text in (by_isal, by_zlib.strip()):
        header = base64.urlsafe_b64decode(text[1:13] + "=")[:8]
        assert header == b"\x1f\x8b\x08\0\0\0\0\0"


@pytest.mark.parametrize("size", [0, 8, 65_536, statuslist.SIZE - 8])
def test_a_list_below_the_least_size_is_refused(size: int) -> None:
    with pytest.raises(StatusListUnusable) as caught:
        statuslist.decode(encoded_as(gzip.compress(bytes(size // 8))))

    assert (caught.value.rule, caught.value.data["found"]) == ("length", size)


def test_a_larger_list_is_taken_up_to_the_limit() -> None:
    found = statuslist.decode(encoded_as(gzip.compress(bytes(statuslist.MAX_BYTES))))

    assert len(found) == statuslist.MAX_BYTES


@pytest.mark.parametrize("mebibytes", [9, 100])
def test_a_bomb_of_zeros_is_refused_without_being_unpacked(mebibytes: int) -> None:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)) + packer.flush()
    bomb = encoded_as(packed)
    started = time.monotonic()

    with pytest.raises(StatusListUnusable) as caught:
        statuslist.decode(bomb)

    assert caught.value.rule == "size"
    assert time.monotonic() - started < 2


def test_what_is_not_exactly_one_gzip_member_is_refused() -> None:
    packed = gzip.compress(statuslist.empty())
    wrong = [
        encoded_as(packed + b"x"),
        encoded_as(packed + packed),
        encoded_as(packed[:-1]),
        encoded_as(packed[:-4] + b"\0\0\0\1"),
        encoded_as(packed[:50]),
        encoded_as(zlib.compress(statuslist.empty())),
        encoded_as(statuslist.empty()),
        encoded_as(b""),
        encoded_as(packed)[1:],
        "z" + encoded_as(packed)[1:],
        encoded_as(packed) + "=",
        encoded_as(packed).replace("A", "+", 1),
        "",
        "u",
        "u\n",
        "uå",
    ]

    for text in wrong:
        with pytest.raises(StatusListUnusable) as caught:
            statuslist.decode(text)
        assert caught.value.rule == "encoding"


@given(st.text(max_size=40) | st.binary(max_size=60).map(encoded_as))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(StatusListUnusable):
        statuslist.decode(text)


@pytest.mark.parametrize("size", [2, 3, 8, 10, 255, 256, 1000, 4096, 5000])
def test_every_index_is_given_out_exactly_once(size: int) -> None:
    order = [statuslist.nth_index(counter, KEY, size) for counter in range(size)]

    assert sorted(order) == list(range(size))


@pytest.mark.parametrize(
    ("key", "size", "order"),
    [
        (KEY, statuslist.SIZE, [4911, 91407, 51951, 105682, 125509]),
        (bytes(32), statuslist.SIZE, [4271, 18023, 113529, 43404, 6735]),
        (KEY, 5000, [2099, 549, 480, 2499, 3710]),
    ],
)
def test_the_order_is_that_by_which_indexes_were_given_out_before(
    key: bytes, size: int, order: list[int]
) -> None:
    for _ in range(2):
        found = [statuslist.nth_index(counter, key, size) for counter in (0, 1, 2, 999, size - 1)]
        assert found == order


def test_a_full_list_uses_every_index_once() -> None:
    order = {statuslist.nth_index(counter, KEY) for counter in range(statuslist.SIZE)}

    assert len(order) == statuslist.SIZE
    assert (min(order), max(order)) == (0, statuslist.SIZE - 1)


def correlation(order: list[int]) -> float:
    """Spearman's: that of the ranks."""
    ranks = {index: rank for rank, index in enumerate(sorted(order))}
    middle = (len(order) - 1) / 2
    products = sum((place - middle) * (ranks[index] - middle) for place, index in enumerate(order))
    return products / sum((place - middle) ** 2 for place in range(len(order)))


@pytest.mark.parametrize("key", [bytes(32), KEY, b"\xff" * 32])
def test_the_index_says_nothing_of_the_order(key: bytes) -> None:
    order = [statuslist.nth_index(counter, key) for counter in range(10_000)]
    steps = [abs(a - b) for a, b in pairwise(order)]

    assert abs(correlation(order)) < 0.05
    assert abs(correlation(steps)) < 0.05
    # Two random places of a list are a third of it apart on average
    assert abs(sum(steps) / len(steps) - statuslist.SIZE / 3) < statuslist.SIZE * 0.02


def test_another_key_gives_another_order() -> None:
    orders = [
        [statuslist.nth_index(counter, key) for counter in range(100)]
        for key in (bytes(32), b"\1" + bytes(31), bytes(31) + b"\1")
    ]

    assert len({tuple(order) for order in orders}) == 3
    assert len(set(orders[0]) & set(orders[1])) < 10
