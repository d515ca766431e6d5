"""Windows of metrics, at the edges of months, quarters and years and around leap days."""

from datetime import UTC, date, datetime, timedelta

import pytest

from queries.errors import NoCompleteDay, PeriodError
from reports.metric_windows import TRAILING_DAYS, WINDOW_KINDS, days_between, days_of, window

DAYS = [date(2027, 1, 1) + timedelta(days=number) for number in range(3 * 366)]
"""Three years; 2028 has a leap day."""


def span(kind: str, last: date) -> tuple[str, str, int]:
    period = window(kind, last)
    return str(period.first), str(period.last), period.days


@pytest.mark.parametrize(("kind", "days"), TRAILING_DAYS.items())
def test_a_trailing_window_has_so_many_days_whatever_the_calendar(kind: str, days: int) -> None:
    assert all(window(kind, last).days == days and window(kind, last).last == last for last in DAYS)


def test_windows_to_date_begin_with_the_calendar() -> None:
    assert span("mtd", date(2028, 2, 29)) == ("2028-02-01", "2028-02-29", 29)
    assert span("qtd", date(2028, 2, 29)) == ("2028-01-01", "2028-02-29", 60)
    assert span("ytd", date(2028, 12, 31)) == ("2028-01-01", "2028-12-31", 366)
    assert [window("qtd", date(2028, month, 15)).first.month for month in range(1, 13)] == [
        *([1] * 3 + [4] * 3 + [7] * 3 + [10] * 3)
    ]


@pytest.mark.parametrize(("kind", "begins"), [("mtd", range(1, 13)), ("qtd", (1, 4, 7, 10)), ("ytd", (1,))])
def test_the_first_day_of_one_is_a_window_of_a_day(kind: str, begins: range) -> None:
    """And each later day's window has a day more."""
    before = 0
    for last in DAYS:
        days = window(kind, last).days
        assert days == (1 if last.day == 1 and last.month in begins else before + 1)
        before = days


def test_a_month_that_has_no_day_yet_is_no_month_before_it() -> None:
    first, before = date(2026, 12, 1), date(2026, 11, 30)
    with pytest.raises(NoCompleteDay, match="mtd: no day of it is complete yet"):
        window("mtd", before, first)
    assert window("qtd", before, first) == window("qtd", before)
    assert window("mtd", first, first).days == 1
    assert all(window(kind, last, last) == window(kind, last) for kind in WINDOW_KINDS for last in DAYS)


def test_moments_are_half_open() -> None:
    period = window("mtd", date(2028, 2, 29))
    assert (period.begins, period.ends) == (datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC))


def test_days() -> None:
    period = days_between(date(2028, 2, 28), date(2028, 3, 1))
    assert days_of(period) == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    assert all(days_of(window(kind, DAYS[-1]))[-1] == DAYS[-1] for kind in WINDOW_KINDS)


def test_what_is_no_window_is_refused() -> None:
    with pytest.raises(PeriodError, match="Unknown window 'fortnight'"):
        window("fortnight", DAYS[0])
    with pytest.raises(PeriodError, match="is before the first"):
        days_between(DAYS[1], DAYS[0])
