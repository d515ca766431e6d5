"""A moment lies in one hour, one day and one minute, in UTC, wherever its clock stood."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.windows import (
    WINDOW_PARSE,
    WINDOW_TEXT,
    hour_of,
    hour_text,
    minute_of,
    minute_of_log,
    minute_text,
    parse_day,
    start_of_minute,
    utc,
)

MOMENTS = [
    # moment as sent, minute in UTC
    ("2026-03-01T12:34:56.789012Z", "2026-03-01 12:34:00"),
    ("2026-03-01T12:34:56+00:00", "2026-03-01 12:34:00"),
    # leap days, and a century that has none
    ("2028-02-28T23:59:59.999999Z", "2028-02-28 23:59:00"),
    ("2028-02-29T00:00:00Z", "2028-02-29 00:00:00"),
    ("2028-02-29T23:59:59.999999Z", "2028-02-29 23:59:00"),
    ("2028-02-29T23:30:00-01:00", "2028-03-01 00:30:00"),
    ("2028-03-01T00:30:00+01:00", "2028-02-29 23:30:00"),
    ("2027-03-01T00:30:00+01:00", "2027-02-28 23:30:00"),
    ("2100-02-28T23:30:00-01:00", "2100-03-01 00:30:00"),
    # the turn of the year
    ("2025-12-31T23:59:59.999999Z", "2025-12-31 23:59:00"),
    ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00"),
    ("2026-01-01T00:59:59+01:00", "2025-12-31 23:59:00"),
    ("2025-12-31T19:00:00-05:00", "2026-01-01 00:00:00"),
    # the farthest zones
    ("2026-01-01T13:59:59+14:00", "2025-12-31 23:59:00"),
    ("2026-01-01T14:00:00+14:00", "2026-01-01 00:00:00"),
    ("2025-12-31T09:59:59-14:00", "2025-12-31 23:59:00"),
    ("2025-12-31T10:00:00-14:00", "2026-01-01 00:00:00"),
    # zones that are no whole hour
    ("2026-03-01T05:44:00+05:45", "2026-02-28 23:59:00"),
    ("2026-02-28T20:30:00-03:30", "2026-03-01 00:00:00"),
    # Berlin's clock goes forward over 02:00 to 03:00, and later twice through 02:00 to 03:00
    ("2026-03-29T01:59:59+01:00", "2026-03-29 00:59:00"),
    ("2026-03-29T03:00:00+02:00", "2026-03-29 01:00:00"),
    ("2026-10-25T02:30:00+02:00", "2026-10-25 00:30:00"),
    ("2026-10-25T02:30:00+01:00", "2026-10-25 01:30:00"),
]


@pytest.mark.parametrize(("sent", "minute"), MOMENTS)
def test_a_moment_lies_in_its_utc_windows(sent: str, minute: str) -> None:
    moment = utc(datetime.fromisoformat(sent))
    assert minute_text(minute_of(moment)) == minute
    assert hour_text(hour_of(moment)) == f"{minute[:13]}:00:00"
    assert WINDOW_TEXT["day"](moment.toordinal()) == minute[:10]


@pytest.mark.parametrize("sent", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_without_a_utc_form_is_an_overflow(sent: str) -> None:
    with pytest.raises(OverflowError):
        utc(datetime.fromisoformat(sent))


def test_windows_tile_time_without_gap_or_overlap() -> None:
    start = datetime(2027, 12, 30, tzinfo=UTC)
    minutes = [minute_of(start + timedelta(minutes=n)) for n in range(100 * 1440)]
    assert minutes == list(range(minutes[0], minutes[0] + len(minutes)))
    assert [hour_of(start + timedelta(hours=n)) for n in range(2400)] == [minutes[60 * n] // 60 for n in range(2400)]


MOMENT = st.datetimes(timezones=st.just(UTC))


@given(MOMENT)
def test_a_window_is_half_open_and_holds_its_moment(moment: datetime) -> None:
    start = start_of_minute(minute_of(moment))
    assert start <= moment
    assert moment - start < timedelta(minutes=1)
    assert minute_of(start) == minute_of(moment)


@given(MOMENT)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    numbers = {"minute": minute_of(moment), "hour": hour_of(moment), "day": moment.toordinal()}
    for window, number in numbers.items():
        text = WINDOW_TEXT[window](number)
        assert WINDOW_PARSE[window](text) == number
    assert minute_text(numbers["minute"]) == moment.strftime(f"{moment.year:04d}-%m-%d %H:%M:00")


@given(st.integers(-(10**13), 10**14))
def test_log_time_counts_minutes_as_events_do(milliseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert minute_of_log(milliseconds) == minute_of(moment)


def test_every_window_has_text_and_parse() -> None:
    assert WINDOW_TEXT.keys() == WINDOW_PARSE.keys() == {"hour", "day", "minute"}
    assert parse_day("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC).toordinal()
