"""Swedish personal identity numbers and organisation numbers.

A personnummer or samordningsnummer must stand nowhere in what we are given: a
credential travels, and the number with it. A sole trader's organisation number
is the owner's personnummer, which is why the third digit is looked at.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Final
from urllib.parse import unquote

from kpass_vc.model.document import pointer

_BETWEEN: Final = r"[-+\s._/:,\u2010-\u2015\u2212]"
# A lookahead: a number may begin inside what only looked like one.
_PERSONAL: Final = re.compile(
    rf"(?<![0-9])(?=(?P<century>1[89]|20)?(?P<year>[0-9]{{2}}){_BETWEEN}?"
    rf"(?P<month>0[1-9]|1[0-2]){_BETWEEN}?(?P<day>[0-9]{{2}})"
    rf"{_BETWEEN}{{0,3}}(?P<last>[0-9]{{4}})(?![0-9]))"
)
_LATIN: Final = re.compile("[\x00-\x7f\u00c0-\u024f]*")
_OTHER: Final = re.compile("[^0-9]+")
_FEWEST_DIGITS: Final = 10
_ORGANIZATION: Final = re.compile(r"(?:16)?([0-9]{6})-?([0-9]{4})\Z")
_COORDINATION: Final = 60
_PERSON_FROM: Final = 2
_YOUNGEST: Final = 2015


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(digits))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def holds_personal_number(text: str) -> bool:
    """Whether a personnummer or samordningsnummer, or what looks like one, stands anywhere in the text.

    In any script's digits, with or without separators, in an address or in HTML.
    """
    plain = _plain(text)
    readings = {plain}
    if "%" in plain or "&" in plain:
        readings.add(_plain(html.unescape(unquote(plain))))
    elif len(_OTHER.sub("", plain)) < _FEWEST_DIGITS:
        return False
    return any(_is_personal(found) for read in readings for found in _PERSONAL.finditer(read))


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


def _plain(text: str) -> str:
    """The text with ASCII digits, one form of each letter, and nothing that takes no place."""
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFKC", text)
    if _LATIN.fullmatch(normal):
        return normal
    return "".join(
        str(unicodedata.digit(letter)) if unicodedata.category(letter) == "Nd" else letter
        for letter in normal
        if unicodedata.category(letter) != "Cf"
    )


def _is_personal(found: re.Match[str]) -> bool:
    """With its century, the year tells children and the numbers of orders from those who are grown."""
    day = int(found["day"])
    day -= _COORDINATION if day > _COORDINATION else 0
    centuries = [found["century"]] if found["century"] else ["19", "20", "18"]
    digits = found["year"] + found["month"] + found["day"] + found["last"]
    return luhn(digits) and any(
        _is_day(century + found["year"], int(found["month"]), day) for century in centuries
    )


def _is_day(year: str, month: int, day: int) -> bool:
    try:
        born = date(int(year), month, day)
    except ValueError:
        return False
    return born.year <= _YOUNGEST
