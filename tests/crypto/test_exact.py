"""What is quick writes and reads what the plain way does."""

import itertools
import random

import pytest

from kpass_vc.crypto.multibase import base58_decode, base58_encode
from kpass_vc.errors import Malformed
from tests.crypto.exact import (
    ALPHABET,
    differing,
    json_value,
    naive_base58_decode,
    naive_base58_encode,
    same_json,
)


def test_jcs_and_the_bases_agree_with_rfc8785_and_the_plain_algorithms() -> None:
    assert differing(2_000, 21) == []


@pytest.mark.parametrize(
    "value",
    [
        {"\U0001f600": 1, "\ufb33": 2, "\u20ac": 3},
        {"\ue000": 1, "\U00010000": 2},
        {"é": 1, "z": 2},
        {"a": 1.0, "b": -0.0, "c": 1e16},
        {"deep": [{"n": [2**53]}]},
        [2**53 - 1, -(2**53) + 1],
        "\ud800",
        {"\udfff": 1},
        [True, 1, None, False, 0],
        (),
    ],
    ids=ascii,
)
def test_jcs_is_quick_only_where_it_is_the_same(value: object) -> None:
    assert same_json(value)


def test_the_random_documents_hold_what_is_hard() -> None:
    chance = random.Random(22)
    made = [json_value(chance) for _ in range(3_000)]
    text = ascii(made)

    assert all(part in text for part in ("\\U0001f600", "\\ud800", "nan", "1e-07", str(10**30)))


def test_every_length_and_every_number_of_zeros_is_written_in_base58_as_one_digit_after_the_other() -> (
    None
):
    for length in range(70):
        for zeros in range(min(length, 12) + 1):
            data = b"\0" * zeros + b"\xff" * (length - zeros)
            assert base58_encode(data) == naive_base58_encode(data)
            assert base58_decode(naive_base58_encode(data)) == data


def test_a_number_may_begin_with_any_two_digits() -> None:
    for begin in itertools.product(ALPHABET, repeat=2):
        text = "".join(begin) + "2"
        assert base58_decode(text) == naive_base58_decode(text)


@pytest.mark.parametrize("place", range(25))
@pytest.mark.parametrize(
    "character", ["+", "_", "\0", "\ud800", "\t", "0", "O", "I", "l", " ", "é", "\U0001f600", "-"]
)
def test_a_character_that_is_no_digit_is_refused_wherever_it_stands(
    place: int, character: str
) -> None:
    text = "2" * place + character + "3" * (24 - place)

    assert naive_base58_decode(text) is None
    with pytest.raises(Malformed):
        base58_decode(text)
