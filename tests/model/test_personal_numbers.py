"""Personal identity numbers are found wherever they stand; organisation numbers are checked."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpass_vc.model.personal_numbers import (
    holds_personal_number,
    is_sole_trader,
    luhn,
    organization_number,
    personal_number_fields,
)

# The Tax Agency's own test person, who cannot exist
TOLVAN = "121212-1212"


def with_check_digit(nine: str) -> str:
    """Ten digits: the nine and the digit that makes them hold (mod 10 of 2 1 2 1 …)."""
    total = 0
    for place, digit in enumerate(nine):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return nine + str(-total % 10)


@pytest.mark.parametrize(
    "text",
    [
        TOLVAN,
        "1212121212",
        "19121212-1212",
        "191212121212",
        "121212+1212",
        "121212 1212",
        "121212\u20131212",
        "121212\u22121212",
        "Amina 121212-1212, Umeå",
        "ref:121212-1212.",
        "did:example:121212-1212",
        "a121212-1212b",
        "https://x.example/19121212-1212",
        "121212--1212",
        "121212 - 1212",
        "121212  1212",
        "1912-12-12-1212",
        "1912-12-12 1212",
        "12.12.12-1212",
        "121212/1212",
        "121212.1212",
        "121212,1212",
        "121212:1212",
        "121212_1212",
        "121212\t1212",
        "121212\n1212",
        "121212\u00a01212",
        "121212\u20091212",
        "121212\u00ad1212",
        "121212\u200b1212",
        "1\u200b2\u200b1\u200b212-1212",
        "121212\uff0d1212",
        "121212\ufe631212",
        "\uff11\uff12\uff11\uff12\uff11\uff12-\uff11\uff12\uff11\uff12",
        "\u0661\u0662\u0661\u0662\u0661\u0662-\u0661\u0662\u0661\u0662",
        "https://x.example/?p=121212%2D1212",
        "121212&#45;1212",
        "0612 121212-1212",
    ],
)
def test_a_personal_number_is_found_however_it_is_written(text: str) -> None:
    assert holds_personal_number(text)


def test_a_coordination_number_is_found_by_its_day_plus_sixty() -> None:
    number = with_check_digit("701063239")

    assert holds_personal_number(f"{number[:6]}-{number[6:]}")
    assert holds_personal_number(f"19{number}")


@pytest.mark.parametrize(
    "text",
    [
        "121212-1213",  # wrong check digit
        with_check_digit("121312121"),  # month 13
        with_check_digit("120230121"),  # 30 February
        with_check_digit("121292121"),  # day 92, which is 32 plus 60
        with_check_digit("121200121"),  # day 0
        "5121212-1212",  # digits before
        "121212-12125",  # digits after
        "121212----1212",
        "2026-11-20",
        "556036-0793",  # an organisation's
        "0735-121212",
        "",
    ],
)
def test_what_is_no_personal_number_is_left_alone(text: str) -> None:
    assert not holds_personal_number(text)


def test_the_twenty_ninth_of_february_counts_where_one_century_had_it() -> None:
    leap = with_check_digit("000229121")  # 2000 had it, 1900 had not

    assert holds_personal_number(leap)
    assert holds_personal_number(f"20{leap}")
    assert not holds_personal_number(f"19{leap}")


def test_every_field_that_holds_one_is_named_by_its_pointer() -> None:
    document = {
        "a": [TOLVAN, "x"],
        "b/c": {"d": f"nr {TOLVAN}"},
        "e": ({"f": TOLVAN},),
        "g": 1212121212,
    }

    assert list(personal_number_fields(document)) == ["/a/0", "/b~1c/d", "/e/0/f"]


@given(st.dates(), st.integers(0, 999), st.sampled_from(["", "-", "+", " "]))
def test_every_day_of_birth_with_a_right_check_digit_is_found(
    day: object, serial: int, sign: str
) -> None:
    born = str(day).replace("-", "")[2:]
    number = with_check_digit(f"{born}{serial:03}")

    assert holds_personal_number(f"Namn {number[:6]}{sign}{number[6:]}, ort")


@given(st.text("0123456789", min_size=9, max_size=9), st.integers(1, 9))
def test_one_wrong_digit_breaks_the_check_digit(nine: str, change: int) -> None:
    number = with_check_digit(nine)
    wrong = number[:4] + str((int(number[4]) + change) % 10) + number[5:]

    assert luhn(number)
    assert not luhn(wrong)


@pytest.mark.parametrize("text", ["556036-0793", "5560360793", "165560360793"])
def test_an_organisation_number_comes_back_as_ten_digits(text: str) -> None:
    assert organization_number(text) == "5560360793"


@pytest.mark.parametrize(
    "text",
    [
        "556036-0794",
        "556036-079",
        "556036--0793",
        "SE556036079301",
        "",
        "\uff15560360793",
        "5560360793\n",
    ],
)
def test_what_is_no_organisation_number_is_none(text: str) -> None:
    assert organization_number(text) is None


def test_a_number_whose_third_digit_is_below_two_is_a_persons() -> None:
    assert is_sole_trader("1212121212")
    assert not is_sole_trader("5560360793")
    assert not is_sole_trader("2021002114")


@given(st.dates(date(2016, 1, 1), date(2099, 12, 31)), st.integers(0, 9999))
def test_an_order_number_of_a_day_too_late_for_anyone_who_is_grown_is_left_alone(
    day: date, serial: int
) -> None:
    for text in (f"{day:%Y%m%d}-{serial:04}", f"{day:%Y%m%d}{serial:04}", f"{day} {serial:04}"):
        assert not holds_personal_number(text)


@given(st.dates(date(1890, 1, 1), date(2015, 12, 31)), st.integers(0, 999))
def test_the_number_of_everyone_who_may_be_grown_is_found_with_its_century(
    day: date, serial: int
) -> None:
    number = with_check_digit(f"{day:%y%m%d}{serial:03}")

    for text in (f"{day:%Y%m%d}-{number[6:]}", f"{day:%Y%m%d}{number[6:]}", f"{day}-{number[6:]}"):
        assert holds_personal_number(text)
