"""Dates and times: Swedish days, time zones, durations."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpass_vc.model.dates import (
    end_of_day,
    local_text,
    parse_date_time,
    plus_duration,
    start_of_day,
    utc_text,
)


def test_a_day_begins_and_ends_by_swedish_time_in_winter_and_summer() -> None:
    assert local_text(start_of_day(date(2026, 11, 20))) == "2026-11-20T00:00:00+01:00"
    assert local_text(end_of_day(date(2026, 11, 20))) == "2026-11-20T23:59:59+01:00"
    assert local_text(end_of_day(date(2026, 7, 1))) == "2026-07-01T23:59:59+02:00"
    assert utc_text(end_of_day(date(2026, 7, 1))) == "2026-07-01T21:59:59Z"


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_the_days_that_change_to_and_from_summer_time_have_their_right_length(
    day: date, hours: int
) -> None:
    length = end_of_day(day).astimezone(UTC) - start_of_day(day).astimezone(UTC)

    assert length == timedelta(hours=hours, seconds=-1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T09:14:05Z", datetime(2026, 11, 22, 9, 14, 5, tzinfo=UTC)),
        ("2026-11-22T10:14:05+01:00", datetime(2026, 11, 22, 9, 14, 5, tzinfo=UTC)),
        ("2026-11-22T09:14:05.5Z", datetime(2026, 11, 22, 9, 14, 5, 500000, tzinfo=UTC)),
        ("2026-11-22T09:14:05.123456789Z", datetime(2026, 11, 22, 9, 14, 5, 123456, tzinfo=UTC)),
        ("2024-02-29T00:00:00-05:00", datetime(2024, 2, 29, 5, tzinfo=UTC)),
    ],
)
def test_a_date_time_stamp_is_read_as_its_moment(text: str, moment: datetime) -> None:
    assert parse_date_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T09:14:05",
        "2026-11-22",
        "2026-11-22 09:14:05Z",
        "2026-11-22T09:14Z",
        "2026-11-22T09:14:05z",
        "2026-11-22T09:14:05+0100",
        "2026-11-22T09:14:05+24:00",
        "2026-13-22T09:14:05Z",
        "2026-02-29T09:14:05Z",
        "2026-11-22T25:14:05Z",
        "2026-11-22T09:14:05Z\n",
        " 2026-11-22T09:14:05Z",
        "-0001-11-22T09:14:05Z",
        "10000-11-22T09:14:05Z",
        "\uff12026-11-22T09:14:05Z",
        "",
    ],
)
def test_what_has_no_time_zone_or_is_no_moment_is_none(text: str) -> None:
    assert parse_date_time(text) is None


@given(st.integers(-(2**31), 2**35).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_a_moment_survives_being_written_and_read(moment: datetime) -> None:
    assert parse_date_time(utc_text(moment)) == moment


@given(
    st.text(max_size=40)
    | st.from_regex(r"-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
)
def test_no_text_raises(text: str) -> None:
    found = parse_date_time(text)

    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize(
    ("day", "duration", "last"),
    [
        (date(2026, 11, 20), "P3Y", date(2029, 11, 20)),
        (date(2026, 11, 20), "P18M", date(2028, 5, 20)),
        (date(2026, 1, 31), "P1M", date(2026, 2, 28)),
        (date(2024, 2, 29), "P1Y", date(2025, 2, 28)),
        (date(2024, 2, 29), "P4Y", date(2028, 2, 29)),
        (date(2026, 12, 31), "P1D", date(2027, 1, 1)),
        (date(2026, 12, 1), "P1M", date(2027, 1, 1)),
        (date(2026, 11, 20), "P1Y2M3D", date(2028, 1, 23)),
        (date(2026, 11, 30), "P12M", date(2027, 11, 30)),
        (date(2026, 11, 20), "P0D", date(2026, 11, 20)),
    ],
)
def test_a_duration_is_counted_by_the_calendar(day: date, duration: str, last: date) -> None:
    assert plus_duration(day, duration) == last


@pytest.mark.parametrize("duration", ["", "P", "P1W", "PT1H", "1Y", "P1Y ", "P-1Y", "p1y", "P1M1Y"])
def test_a_text_that_is_no_duration_of_days_is_refused(duration: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(duration)}$"):
        plus_duration(date(2026, 11, 20), duration)
