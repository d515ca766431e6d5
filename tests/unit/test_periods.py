"""Periods as people ask for them, at awkward moments."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from queries.errors import NoCompleteDay, PeriodError
from queries.freshness import Freshness
from reports.metric_windows import WINDOW_KINDS
from reports.periods import KINDS, TITLES, Period, midnight, resolve

NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)
YESTERDAY = date(2026, 11, 21)


def days(kind: str, now: datetime = NOW, newest: date | None = YESTERDAY, **asked: Any) -> tuple[str, str, int]:
    period = resolve(kind, now, newest, **asked)
    return str(period.first), str(period.last), period.days


def test_every_period_and_window_has_a_title() -> None:
    assert set(TITLES) == {*KINDS, *WINDOW_KINDS}


def test_named_periods_end_at_the_newest_complete_day() -> None:
    assert days("mtd") == ("2026-11-01", "2026-11-21", 21)
    assert days("last-month") == ("2026-10-01", "2026-10-31", 31)
    assert days("last-90-days") == ("2026-08-24", "2026-11-21", 90)


def test_a_log_that_lags_shortens_them() -> None:
    newest = date(2026, 10, 30)
    assert days("last-90-days", newest=newest) == ("2026-08-24", "2026-10-30", 68)
    assert days("mtd", newest=date(2026, 11, 1)) == ("2026-11-01", "2026-11-01", 1)


@pytest.mark.parametrize("kind", ["mtd", "last-month", "last-90-days"])
@pytest.mark.parametrize("behind", range(1, 130))
def test_a_named_period_has_a_day_or_says_that_it_has_none(kind: str, behind: int) -> None:
    """However far the log lags, and on every day of a month."""
    for number in range(62):
        now = NOW + number * timedelta(days=1)
        newest = now.date() - behind * timedelta(days=1)
        try:
            period = resolve(kind, now, newest)
        except NoCompleteDay as told:
            assert str(newest) in told.hint  # noqa: PT017
        else:
            assert period.first <= period.last <= newest
            assert kind != "last-month" or (period.last + timedelta(days=1)).day == 1


def test_a_clock_behind_the_log_does_not_make_today_complete() -> None:
    assert days("mtd", newest=date(2026, 11, 25))[1] == "2026-11-21"


@pytest.mark.parametrize("hour", [0, 5, 23])
def test_the_first_of_a_month_has_no_month_to_date_yet(hour: int) -> None:
    with pytest.raises(NoCompleteDay, match="mtd: no day of it is complete yet"):
        resolve("mtd", datetime(2026, 12, 1, hour, 30, tzinfo=UTC), date(2026, 11, 30))
    assert days("mtd", datetime(2026, 12, 1, hour, 30, tzinfo=UTC), None, provisional=True)[2] == 1


def test_a_last_month_that_is_not_whole_is_refused() -> None:
    first = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
    with pytest.raises(NoCompleteDay, match="only its days up to 2026-11-29 are complete"):
        resolve("last-month", first, date(2026, 11, 29))
    with pytest.raises(NoCompleteDay, match="no day of it is complete yet"):
        resolve("last-month", first, date(2026, 10, 31))
    assert days("last-month", first, date(2026, 11, 30)) == ("2026-11-01", "2026-11-30", 30)


def test_no_period_ends_before_it_begins() -> None:
    with pytest.raises(PeriodError, match="is before the first"):
        Period("custom", YESTERDAY, date(2026, 11, 20))


def test_leap_days_and_new_year() -> None:
    assert days("last-month", datetime(2028, 3, 31, tzinfo=UTC), date(2028, 3, 30)) == ("2028-02-01", "2028-02-29", 29)
    assert days("last-month", datetime(2027, 1, 1, tzinfo=UTC), date(2026, 12, 31)) == ("2026-12-01", "2026-12-31", 31)


def test_the_day_is_the_utc_day_whatever_the_zone_of_the_clock() -> None:
    late_in_tokyo = datetime(2026, 11, 22, 8, tzinfo=timezone(timedelta(hours=9)))
    assert days("mtd", late_in_tokyo, date(2026, 11, 20)) == ("2026-11-01", "2026-11-20", 20)


def test_custom() -> None:
    asked: dict[str, Any] = {"start": date(2026, 11, 3), "end": date(2026, 11, 3)}
    assert days("custom", **asked) == ("2026-11-03", "2026-11-03", 1)
    period = resolve("custom", NOW, YESTERDAY, **asked)
    assert (period.begins, period.ends) == (midnight(date(2026, 11, 3)), midnight(date(2026, 11, 4)))
    assert days("custom", start=date(2026, 8, 24)) == ("2026-08-24", "2026-11-21", 90)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "needs a start"),
        ({"start": date(2026, 11, 4), "end": date(2026, 11, 3)}, "before the start"),
        ({"start": date(2026, 11, 4), "end": date(2026, 11, 23)}, "in the future"),
        ({"start": date(2026, 8, 23), "end": date(2026, 11, 3)}, "more than 90 days back"),
        ({"start": date(2026, 11, 4), "end": date(2026, 11, 22)}, "not complete"),
        ({"start": date(2026, 11, 22)}, "2026-11-22 is not complete"),
        ({"start": date(2026, 11, 23)}, "in the future"),
        ({"start": date(2026, 11, 4), "end": date(2026, 12, 23), "provisional": True}, "in the future"),
    ],
)
def test_custom_periods_that_cannot_be(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(PeriodError, match=says) as told:
        resolve("custom", NOW, YESTERDAY, **asked)
    assert told.value.hint


def test_other_periods_that_cannot_be() -> None:
    with pytest.raises(PeriodError, match="Unknown period 'weekly'"):
        resolve("weekly", NOW, YESTERDAY)
    with pytest.raises(PeriodError, match="are for the period custom"):
        resolve("mtd", NOW, YESTERDAY, start=date(2026, 11, 1))
    with pytest.raises(PeriodError, match="No day is complete"):
        resolve("mtd", NOW, None)


def test_provisional_goes_to_now_even_if_nothing_is_complete() -> None:
    assert resolve("mtd", NOW, None, provisional=True) == Period("mtd", date(2026, 11, 1), date(2026, 11, 22), True)
    assert days("last-90-days", newest=None, provisional=True) == ("2026-08-24", "2026-11-22", 91)
    assert days("custom", start=date(2026, 11, 22), provisional=True) == ("2026-11-22", "2026-11-22", 1)
    with pytest.raises(PeriodError, match="in the future"):
        resolve("custom", NOW, None, start=date(2026, 11, 1), end=date(2026, 11, 23), provisional=True)
    month = resolve("last-month", NOW, None, provisional=True)
    assert (month.first, month.last) == (date(2026, 10, 1), date(2026, 10, 31))


def test_the_newest_complete_day_is_past_its_grace() -> None:
    def newest(refreshed_at: datetime | None) -> date | None:
        return Freshness({}, refreshed_at).newest_complete_day(timedelta(hours=2))

    assert newest(datetime(2026, 11, 22, 2, tzinfo=UTC)) == date(2026, 11, 21)
    assert newest(datetime(2026, 11, 22, 1, 59, 59, 999999, tzinfo=UTC)) == date(2026, 11, 20)
    assert newest(None) is None
