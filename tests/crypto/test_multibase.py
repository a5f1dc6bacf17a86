"""One text for one value: base58btc, base64url, multibase."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpass_vc.crypto.multibase import (
    base58_decode,
    base58_encode,
    base64url_decode,
    base64url_encode,
    multibase_decode,
    multibase_encode,
)
from kpass_vc.errors import KpassError, Malformed


@pytest.mark.parametrize(
    ("data", "text"),
    [
        # The examples of draft-msporny-base58-03, section 5
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (
            b"The quick brown fox jumps over the lazy dog.",
            "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
        ),
        (bytes.fromhex("0000287fb4cd"), "11233QC4"),
        (b"", ""),
        (b"\0", "1"),
    ],
)
def test_the_examples_of_the_base58_draft_hold_both_ways(data: bytes, text: str) -> None:
    assert base58_encode(data) == text
    assert base58_decode(text) == data


@given(st.binary(max_size=80))
def test_every_value_survives_both_bases(data: bytes) -> None:
    assert base58_decode(base58_encode(data)) == data
    assert base64url_decode(base64url_encode(data)) == data
    assert multibase_decode(multibase_encode(data)) == data
    assert multibase_decode("u" + base64url_encode(data)) == data


@given(st.text(max_size=30))
def test_a_text_that_decodes_is_the_only_text_for_its_value(text: str) -> None:
    for decode, encode in ((base58_decode, base58_encode), (base64url_decode, base64url_encode)):
        try:
            data = decode(text)
        except KpassError:
            continue
        assert encode(data) == text


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "a b", "z\n", "é", "+", "1" * 5000])
def test_base58_takes_its_own_characters_only_and_no_endless_text(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        base58_decode(text)

    assert caught.value.rule == "base58"


@pytest.mark.parametrize(
    "text", ["AA==", "AA=", "A", "AAAAA", "AB", "AAB", "A+", "A/", "AA\n", " AA", "AÄ"]
)
def test_base64url_refuses_padding_stray_bits_and_the_other_alphabet(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        base64url_decode(text)

    assert caught.value.rule == "base64url"


@pytest.mark.parametrize("text", ["", "mAAAA", "Z2NEpo7TZRRrLZSi2U", "f00", "U4", "\u007a\u0300"])
def test_another_base_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        multibase_decode(text)
