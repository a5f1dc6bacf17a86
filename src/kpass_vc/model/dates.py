"""Dates and times as credentials spell them (XML Schema dateTimeStamp: a time zone is demanded)."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from kpass_vc.model.field_errors import broken

STOCKHOLM: Final = ZoneInfo("Europe/Stockholm")

_STAMP: Final = re.compile(
    r"-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
_DURATION: Final = re.compile(r"P(?=[0-9])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?\Z")


def utc_text(moment: datetime) -> str:
    """A moment as `2026-11-22T09:14:05Z`, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_text(moment: datetime) -> str:
    """A moment in Swedish time with its offset: `2026-11-20T00:00:00+01:00`."""
    return moment.astimezone(STOCKHOLM).isoformat(timespec="seconds")


def day_text(moment: datetime) -> str:
    """The day in Sweden of a moment, for people: `2026-11-20`; the ends of time as they are."""
    try:
        return moment.astimezone(STOCKHOLM).date().isoformat()
    except OverflowError:
        return moment.date().isoformat()


def minute_text(moment: datetime) -> str:
    """Day and time in Sweden of a moment, for people: `2026-11-20 09:30`."""
    return f"{moment.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}"


def parse_date_time(text: str) -> datetime | None:
    """The moment of a dateTimeStamp, or None if it is none."""
    found = _STAMP.match(text)
    if not found:
        return None
    fraction = found[1] or ""
    try:
        return datetime.fromisoformat(text.replace(fraction, fraction[:7], 1) if fraction else text)
    except ValueError:
        return None


def parse_day(text: str) -> date | None:
    """The day of a text `YYYY-MM-DD`, or None if it is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def start_of_day(day: date) -> datetime:
    """The first moment of a day in Sweden."""
    return datetime.combine(day, time(), STOCKHOLM)


def end_of_day(day: date) -> datetime:
    """The last whole second of a day in Sweden."""
    return datetime.combine(day, time(23, 59, 59), STOCKHOLM)


def plus_duration(day: date, duration: str) -> date:
    """The day that lies an ISO 8601 duration of years, months and days after `day`.

    A day the month does not have becomes its last one; ValueError for any other text.
    """
    found = _DURATION.match(duration)
    if not found:
        raise ValueError(duration)
    years, months, days = (int(part or 0) for part in found.groups())
    month = day.month - 1 + months + 12 * years
    year, month = day.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last)) + timedelta(days=days)


def _day(value: object) -> date:
    """A number or a date-time is no day: which one it means would be a guess."""
    day = parse_day(value) if isinstance(value, str) else None
    if day is None:
        raise broken("date")
    return day


Day = Annotated[date, BeforeValidator(_day)]
"""A field of a message that holds a day, written `2026-11-20`."""
