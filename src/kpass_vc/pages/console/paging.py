"""A long list in pages: which one is asked for, and the addresses of those beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

PER_PAGE: Final = 50
_DIGITS: Final = 7


@dataclass(frozen=True)
class Paging:
    """One page of a list."""

    number: int
    last: int
    turned: Mapping[str, str]
    """The query of the page before and of the one after, by `previous` and `next`, as far as there is one."""


def page_number(asked: str) -> int:
    """The number of the page that is asked for; the first for what is no number."""
    is_number = asked.isascii() and asked.isdecimal() and len(asked) < _DIGITS
    return max(1, int(asked)) if is_number else 1


def paging(number: int, total: int, query: Mapping[str, str]) -> Paging:
    """The page of a number in a list of `total`, with what else was asked in the addresses beside it."""
    last = max(1, -(-total // PER_PAGE))
    asked = {name: value for name, value in query.items() if value}
    return Paging(
        number,
        last,
        {
            step: f"?{urlencode({**asked, 'page': str(number + by)})}"
            for step, by in (("previous", -1), ("next", 1))
            if 1 <= number + by <= last
        },
    )
