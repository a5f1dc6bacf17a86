"""Encoded lists of random bits: what we write is read in Node, and what is written there is read by us."""

import random

import pytest

from kpass_vc import statuslist
from tests.interop.foreign import exchange_lists

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]

COUNTS = (0, 1, 131, 6_554, 65_536, 131_071, 131_072)
"""From none to all of them, with 0.1 and 5 per cent between."""


def test_lists_of_any_fullness_are_read_bit_by_bit_in_node_and_written_there_for_us() -> None:
    chance = random.Random(11)
    raised = [sorted(chance.sample(range(statuslist.SIZE), count)) for count in COUNTS]
    lists = [statuslist.put_many(statuslist.empty(), indexes, value=True) for indexes in raised]

    found, written = exchange_lists(
        statuslist.SIZE, [statuslist.encode(bits) for bits in lists], raised
    )

    assert found == raised
    assert [statuslist.decode(text) for text in written] == lists
