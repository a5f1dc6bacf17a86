"""JSON Canonicalization Scheme, by the facts of RFC 8785."""

import struct
from typing import Any

import pytest

from kpass_vc.crypto.jcs import canonical_json, has_float
from kpass_vc.errors import DataLoss


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        # RFC 8785 appendix B: IEEE 754 doubles and how they are written
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_ecmascript_does(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical_json({"n": number}) == f'{{"n":{text}}}'


def test_members_are_sorted_by_their_utf_16_code_units() -> None:
    # RFC 8785 section 3.2.3
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    order = ["\\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]

    made = canonical_json(dict.fromkeys(keys, 0))

    assert made == "{" + ",".join(f'"{key}":0' for key in order) + "}"


def test_only_quotes_backslashes_and_control_characters_are_escaped() -> None:
    text = '\u20ac$\x0f\nA\'B"\\"/\x7f\u2028<>&å'

    assert canonical_json({"s": text}) == ('{"s":"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/\x7f\u2028<>&å"}')


def test_there_is_no_blank_between_and_lists_keep_their_order() -> None:
    whole = {"b": [3, 1, {"z": None, "a": True}], "a": {}, "": []}

    assert canonical_json(whole) == '{"":[],"a":{},"b":[3,1,{"a":true,"z":null}]}'


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), 10**30, float("nan"), float("inf"), "\ud800", "x\udfff", {"\ud800": 1}],
)
def test_what_has_no_one_spelling_is_refused(value: Any) -> None:
    with pytest.raises(DataLoss) as caught:
        canonical_json({"deep": [value]})

    assert caught.value.rule == "json"


def test_the_largest_integers_that_every_reader_has_are_taken() -> None:
    assert canonical_json({"n": [2**53 - 1, 1 - 2**53]}) == (
        '{"n":[9007199254740991,-9007199254740991]}'
    )


def test_a_fraction_is_found_wherever_it_stands() -> None:
    assert has_float({"a": [{"b": [1, 2.0]}]})
    assert not has_float({"a": [{"b": [1, "2.0", True, None]}]})
