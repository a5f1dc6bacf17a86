"""Swedish personal identity numbers and organisation numbers.

A personnummer or samordningsnummer must stand nowhere in what we are given: a
credential travels, and the number with it. A sole trader's organisation number
is the owner's personnummer, which is why the third digit is looked at.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from kpass_vc.model.document import pointer

_PERSONAL: Final = re.compile(
    r"(?<![0-9])(?P<century>1[89]|20)?(?P<year>[0-9]{2})(?P<month>0[1-9]|1[0-2])(?P<day>[0-9]{2})"
    r"[-+\u2010-\u2015\u2212 ]?(?P<last>[0-9]{4})(?![0-9])"
)
_ORGANIZATION: Final = re.compile(r"(?:16)?([0-9]{6})-?([0-9]{4})\Z")
_COORDINATION: Final = 60
_PERSON_FROM: Final = 2


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(digits))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def holds_personal_number(text: str) -> bool:
    """Whether a personnummer or samordningsnummer stands anywhere in the text."""
    return any(_is_personal(found) for found in _PERSONAL.finditer(text))


def personal_number_fields(value: object, place: tuple[str | int, ...] = ()) -> Iterator[str]:
    """The JSON pointers of all texts in a JSON value that hold one."""
    if isinstance(value, str):
        if holds_personal_number(value):
            yield pointer(*place)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from personal_number_fields(member, (*place, key))
    elif isinstance(value, list | tuple):
        for number, member in enumerate(value):
            yield from personal_number_fields(member, (*place, number))


def organization_number(text: str) -> str | None:
    """The ten digits of an organisation number, or None if it is none (length, check digit)."""
    found = _ORGANIZATION.match(text)
    digits = found[1] + found[2] if found else ""
    return digits if digits and luhn(digits) else None


def is_sole_trader(digits: str) -> bool:
    """Whether ten digits are a person's: the third one of a legal person's is at least 2."""
    return int(digits[2]) < _PERSON_FROM


def _is_personal(found: re.Match[str]) -> bool:
    day = int(found["day"])
    day -= _COORDINATION if day > _COORDINATION else 0
    centuries = [found["century"]] if found["century"] else ["19", "20", "18"]
    digits = found["year"] + found["month"] + found["day"] + found["last"]
    return luhn(digits) and any(
        _is_day(century + found["year"], int(found["month"]), day) for century in centuries
    )


def _is_day(year: str, month: int, day: int) -> bool:
    try:
        date(int(year), month, day)
    except ValueError:
        return False
    return True
