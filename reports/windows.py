"""The windows of metrics: UTC days up to and including a last day, trailing or since a month, quarter or year began.

Pure functions of the last day. They give the same Period as reports do: inclusive in days, half-open in moments.
Every length stands here once.
"""

from datetime import date
from typing import get_args

from reports.errors import PeriodError
from reports.periods import DAY, Period, WindowKind

WEEK_DAYS = 7
MONTH_DAYS = 30
QUARTER_DAYS = 90
YEAR_DAYS = 365

TRAILING_DAYS: dict[WindowKind, int] = {
    "1-day": 1,
    "1-week": WEEK_DAYS,
    "1-month": MONTH_DAYS,
    "3-months": QUARTER_DAYS,
    "1-year": YEAR_DAYS,
}
"""How many days a trailing window has, its last day included. A month is 30 days and a year 365, always."""

WINDOW_KINDS: tuple[WindowKind, ...] = get_args(WindowKind)


def window(kind: str, last: date) -> Period:
    """The window of that kind which ends with the day `last`.

    Trailing kinds have the days of TRAILING_DAYS; `mtd`, `qtd` and `ytd` begin with the calendar month, quarter and
    year of `last`, so they always have a day. Raises PeriodError when there is no such kind.
    """
    for known in WINDOW_KINDS:
        if known == kind:
            return Period(known, _first_day(known, last), last)
    raise PeriodError(f"There is no window {kind!r}", f"Choose one of {', '.join(WINDOW_KINDS)}.")


def days_between(first: date, last: date) -> Period:
    """The window of the days `first` to `last`. Raises PeriodError when it has none."""
    if last < first:
        raise PeriodError(f"The last day {last} is before the first, {first}", "Turn them around.")
    return Period("custom", first, last)


def days_of(period: Period) -> list[date]:
    """Its days, oldest first."""
    return [period.first + number * DAY for number in range(period.days)]


def _first_day(kind: WindowKind, last: date) -> date:
    if kind in TRAILING_DAYS:
        return last - (TRAILING_DAYS[kind] - 1) * DAY
    if kind == "mtd":
        return last.replace(day=1)
    if kind == "qtd":
        return last.replace(month=last.month - (last.month - 1) % 3, day=1)
    return last.replace(month=1, day=1)
