"""Private links and codes: the same for ever from the same key, and nobody else's from any other."""

import hmac
import uuid

import pytest

from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.links import holder_token, id_of, read_code, share_code, written_code

KEY = bytes(range(32))
AWARD = "7d0c8c0e-6a3b-4f58-9a0c-2f1d5b8e4a11"
ANOTHER = "0f4a5b3c-1d2e-4f60-8a7b-9c0d1e2f3a4b"
TOKEN = "fQyMDmo7T1iaDC8dW45KEbdlj9IPW1m3V-5l9bV5SQg"
CODE = "KC9K2T560VBD"


def test_a_private_link_and_a_code_are_the_same_for_ever() -> None:
    assert holder_token(KEY, AWARD, 0) == TOKEN
    assert share_code(KEY, AWARD) == CODE


def test_a_token_is_the_award_and_half_of_a_mac_over_award_and_generation() -> None:
    content = base64url_decode(holder_token(KEY, AWARD, 3))
    award = uuid.UUID(AWARD).bytes

    expected = hmac.digest(KEY, b"holder\0" + award + b"\0\0\0\x03", "sha256")

    assert content == award + expected[:16]


@pytest.mark.parametrize("generation", [0, 1, 2**31])
def test_a_token_names_its_award_in_every_generation(generation: int) -> None:
    token = holder_token(KEY, AWARD, generation)

    assert id_of(token) == AWARD
    assert len(token) == 43


def test_another_key_award_or_generation_gives_another_token_and_code() -> None:
    tokens = {
        holder_token(key, award, generation)
        for key in (KEY, KEY[::-1])
        for award in (AWARD, ANOTHER)
        for generation in (0, 1)
    }
    codes = {share_code(key, share) for key in (KEY, KEY[::-1]) for share in (AWARD, ANOTHER)}

    assert len(tokens) == 8
    assert len(codes) == 4


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN[:-1] + "z",
        TOKEN[:-1] + "=",
        "å" * 43,
        "\0" * 43,
        " " + TOKEN[1:],
        "A" * 10_000,
        base64url_encode(bytes(31)),
        base64url_encode(bytes(33)),
    ],
)
def test_what_has_not_the_form_of_a_token_names_no_award(token: str) -> None:
    assert id_of(token) is None


def test_codes_use_every_letter_of_the_alphabet_and_none_that_is_misread() -> None:
    codes = [share_code(KEY, str(uuid.UUID(int=number))) for number in range(500)]

    assert set("".join(codes)) == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert {len(code) for code in codes} == {12}
    assert len(set(codes)) == 500


@pytest.mark.parametrize(
    "typed",
    [
        "7K1P9QXM20TB",
        "7K1P-9QXM-20TB",
        "7k1p-9qxm-20tb",
        " 7kip 9qxm 2otb\n",
        "7KlP\u20139QXM\u20142OTB",
        "7KLP\u22129QXM\u00a020TB",
        "\uff17\uff2b\uff11\uff30\uff19\uff31\uff38\uff2d\uff12\uff10\uff34\uff22",
        "7K1P\u200b9QXM\u00ad20TB",
    ],
)
def test_a_code_is_read_however_it_was_typed(typed: str) -> None:
    assert read_code(typed) == "7K1P9QXM20TB"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "7K1P9QXM20T",
        "7K1P9QXM20TBB",
        "7U1P9QXM20TB",
        "7K1P9QXM20T\0",
        "7K1P/9QXM/20TB",
        "7K1P9QXM20Tß",
        "\u0667K1P9QXM20TB",
        "7K1P9QXM20TB" + " " * 200,
        "\ufdfd" * 100,
        "7" * 10_000,
    ],
)
def test_what_is_no_code_is_read_as_none(typed: str) -> None:
    assert read_code(typed) is None


def test_a_code_is_written_in_groups_and_read_again() -> None:
    written = written_code("7K1P9QXM20TB")

    assert written == "7K1P-9QXM-20TB"
    assert read_code(written) == "7K1P9QXM20TB"
