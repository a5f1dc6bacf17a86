"""CBOR: one spelling for one value, so that nobody can change the form of a proof without breaking it."""

import pytest

from kpass_vc.crypto import cbor
from kpass_vc.errors import Malformed


@pytest.mark.parametrize(
    ("value", "data"),
    [
        # RFC 8949 appendix A
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (1000, "1903e8"),
        (-1, "20"),
        (b"\x01\x02\x03\x04", "4401020304"),
        ("\u00fc", "62c3bc"),
        ([1, [2, 3], [4, 5]], "8301820203820405"),
        ({1: 2, 3: 4}, "a201020304"),
        ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
        ([], "80"),
    ],
)
def test_values_have_the_bytes_that_the_rfc_gives(value: object, data: str) -> None:
    assert cbor.encode(value).hex() == data
    assert cbor.decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "nothing"),
        ("8301", "a list that ends early"),
        ("5803ffff", "a byte string that ends early"),
        ("0000", "something after the value"),
        ("8001", "something after the list"),
        ("9f0102ff", "a list of no stated length"),
        ("bf0102ff", "a map of no stated length"),
        ("5f4101ff", "a byte string of no stated length"),
        ("7f6161ff", "a text of no stated length"),
        ("1801", "a number longer than it need be"),
        ("190001", "a number longer than it need be"),
        ("1b0000000000000001", "a number longer than it need be"),
        ("980101", "a length longer than it need be"),
        ("580101", "a length longer than it need be"),
        ("a201020103", "a map with one key twice"),
        ("61ff", "a text that is no UTF-8"),
        ("1c", "a reserved head"),
        ("ff", "an end of nothing"),
        ("d9d9f700", "a value described as CBOR"),
        ("c24101", "a small number as a big one"),
        ("d81c8101", "a value marked as shared"),
        ("d81d00", "a reference to a value that is not there"),
        ("d81e820100", "a number divided by nought"),
        ("9bffffffffffffffff", "a list of more than there is"),
        ("5bffffffffffffffff", "a byte string of more than there is"),
        ("81" * 100_000 + "00", "lists in lists without end"),
        ("c1fb7e37e43c8800759c", "a moment that is none"),
    ],
)
def test_any_other_spelling_is_malformed(data: str, why: str) -> None:
    with pytest.raises(Malformed) as caught:
        cbor.decode(bytes.fromhex(data))

    assert caught.value.rule == "cbor", why


def test_more_than_a_megabyte_is_not_read() -> None:
    assert cbor.decode(cbor.encode(bytes(1_000_000))) == bytes(1_000_000)
    with pytest.raises(Malformed):
        cbor.decode(cbor.encode(bytes(1024 * 1024)))
