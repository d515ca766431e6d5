"""The windows of metrics: UTC days up to and including a last day, trailing or to date in a month, quarter or year.

Pure functions of the last day and of today. They return the same Period as reports use: inclusive in days, half-open in
moments. Every length is defined here only.
"""

from datetime import date
from typing import get_args

from queries.errors import PeriodError
from reports.periods import DAY, Period, WindowKind, up_to

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
"""Days in a trailing window, including its last day. A month always has 30 days and a year 365."""

ACTIVE_DAYS: dict[str, int] = {"daily": 1, "weekly": WEEK_DAYS, "monthly": MONTH_DAYS}
"""Days in the trailing windows of daily, weekly and monthly active people."""

WINDOW_KINDS: tuple[WindowKind, ...] = get_args(WindowKind)


def window(kind: str, last: date, today: date | None = None) -> Period:
    """Return the window of that kind that ends with the day `last`.

    Trailing kinds have the days of TRAILING_DAYS. `mtd`, `qtd` and `ytd` begin with the calendar month, quarter or year
    of `today`, as a report's month to date does, or of `last` if `today` is None. Raises PeriodError if the kind does
    not exist, and NoCompleteDay if the month, quarter or year has not begun by `last`.
    """
    for known in WINDOW_KINDS:
        if known == kind:
            return up_to(last, known, _first_day(known, last, today or last))
    raise PeriodError(f"Unknown window {kind!r}", f"Choose one of {', '.join(WINDOW_KINDS)}.")


def days_between(first: date, last: date) -> Period:
    """Return the window of the days `first` to `last`. Raises PeriodError if it is empty."""
    return Period("custom", first, last)


def days_of(period: Period) -> list[date]:
    """Return the days of a period, oldest first."""
    return [period.first + number * DAY for number in range(period.days)]


def _first_day(kind: WindowKind, last: date, today: date) -> date:
    if kind in TRAILING_DAYS:
        return last - (TRAILING_DAYS[kind] - 1) * DAY
    if kind == "mtd":
        return today.replace(day=1)
    if kind == "qtd":
        return today.replace(month=today.month - (today.month - 1) % 3, day=1)
    return today.replace(month=1, day=1)
