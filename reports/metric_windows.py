"""The windows of metrics: UTC days up to and including a last day, trailing or since a month, quarter or year began.

Pure functions of the last day and of today. They give the same Period as reports do: inclusive in days, half-open in
moments. Every length stands here once.
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
"""How many days a trailing window has, its last day included. A month is 30 days and a year 365, always."""

WINDOW_KINDS: tuple[WindowKind, ...] = get_args(WindowKind)


def window(kind: str, last: date, today: date | None = None) -> Period:
    """The window of that kind which ends with the day `last`.

    Trailing kinds have the days of TRAILING_DAYS; `mtd`, `qtd` and `ytd` begin with the calendar month, quarter and
    year of `today`, as a report's month to date does. Without it they are those of `last` itself. Raises PeriodError
    when there is no such kind, NoCompleteDay when the month, quarter or year has not begun by `last`.
    """
    for known in WINDOW_KINDS:
        if known == kind:
            return up_to(last, known, _first_day(known, last, today or last))
    raise PeriodError(f"There is no window {kind!r}", f"Choose one of {', '.join(WINDOW_KINDS)}.")


def days_between(first: date, last: date) -> Period:
    """The window of the days `first` to `last`. Raises PeriodError when it has none."""
    return Period("custom", first, last)


def days_of(period: Period) -> list[date]:
    """Its days, oldest first."""
    return [period.first + number * DAY for number in range(period.days)]


def _first_day(kind: WindowKind, last: date, today: date) -> date:
    if kind in TRAILING_DAYS:
        return last - (TRAILING_DAYS[kind] - 1) * DAY
    if kind == "mtd":
        return today.replace(day=1)
    if kind == "qtd":
        return today.replace(month=today.month - (today.month - 1) % 3, day=1)
    return today.replace(month=1, day=1)
