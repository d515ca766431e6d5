"""The periods of reports: UTC calendar days, at most 90 back, ending at the newest complete day.

Pure functions of (now, newest complete day). A period is inclusive in days and half-open in moments.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args

from queries.errors import NoCompleteDay, PeriodError
from tally_client.validity import EARLIEST

Kind = Literal["mtd", "last-month", "last-90-days", "custom"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WindowKind = Literal["1-day", "1-week", "1-month", "3-months", "1-year", "mtd", "qtd", "ytd"]
"""The windows of metrics; reports/metric_windows.py defines their days."""
TITLES = {
    "1-day": "1 day",
    "1-week": "1 week",
    "1-month": "1 month",
    "3-months": "3 months",
    "1-year": "1 year",
    "mtd": "Month to date",
    "qtd": "Quarter to date",
    "ytd": "Year to date",
    "last-month": "Last month",
    "last-90-days": "Last 90 days",
    "custom": "Custom",
}
"""The names of periods and windows for people."""
DAYS_BACK = 90
FIRST_KEPT_DAY = EARLIEST.date()
"""The first day in the tables: events of earlier days are dead letters."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """The days `first` to `last`, both included, so at least one. `provisional`: not all of them are complete."""

    kind: Kind | WindowKind
    first: date
    last: date
    provisional: bool = False

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise PeriodError(f"The last day {self.last} is before the first, {self.first}", "Swap them.")

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1

    @property
    def begins(self) -> datetime:
        """The moment at which the period begins."""
        return midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The moment before which the period ends."""
        return midnight(self.last + DAY)


def midnight(day: date) -> datetime:
    """Return the moment at which a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def one_day(day: date) -> Period:
    """Return the period of one day."""
    return Period("custom", day, day)


def resolve(
    kind: str,
    now: datetime,
    newest_complete: date | None,
    start: date | None = None,
    end: date | None = None,
    provisional: bool = False,
) -> Period:
    """Return the period that `kind` means at `now`; `start` and `end` are for `custom` only.

    A named period ends at the newest complete day, and last month with its last day; a provisional one ends today.
    Raises PeriodError for an unknown kind, days in the future or more than 90 back, an end before the start, and a
    custom end that is neither complete nor requested as provisional; NoCompleteDay for a named period without any
    complete day, and for a last month that is not complete yet.
    """
    today = now.astimezone(UTC).date()
    newest = _newest(today, newest_complete, provisional)
    if kind == "custom":
        return _custom(today, newest, start, end, provisional)
    if start or end:
        raise PeriodError(f"Start and end are for the period custom, not for {kind}", "Use --period custom.")
    if kind == "mtd":
        return up_to(newest, "mtd", today.replace(day=1), provisional)
    if kind == "last-month":
        last = today.replace(day=1) - DAY
        whole = up_to(newest, "last-month", last.replace(day=1), provisional)
        if newest < last:
            raise NoCompleteDay(kind, f"only its days up to {newest} are complete", _later(newest))
        return replace(whole, last=last)
    if kind == "last-90-days":
        return up_to(newest, "last-90-days", today - DAYS_BACK * DAY, provisional)
    raise PeriodError(f"Unknown period {kind!r}", f"Choose one of {', '.join(KINDS)}.")


def up_to(last: date, kind: Kind | WindowKind, first: date, provisional: bool = False) -> Period:
    """Return the days `first` to `last`. Raises NoCompleteDay if the period has not begun by then."""
    if last < first:
        raise NoCompleteDay(kind, "no day of it is complete yet", _later(last))
    return Period(kind, first, last, provisional)


def _later(newest: date) -> str:
    return f"The newest complete day is {newest}. Choose other days, use a provisional report, or try again later."


def _newest(today: date, newest_complete: date | None, provisional: bool) -> date:
    if provisional:
        return today
    if newest_complete is None:
        raise PeriodError(
            "No day is complete yet: some of the log's partitions were never read to their end",
            "Wait for the workers to catch up (`tally doctor` shows the lag), or use a provisional report.",
        )
    return min(newest_complete, today - DAY)


def _custom(today: date, newest: date, start: date | None, end: date | None, provisional: bool) -> Period:
    oldest = today - DAYS_BACK * DAY
    if start is None:
        raise PeriodError("The period custom needs a start", f"Set --start to a day from {oldest} on.")
    if end is None and newest < start <= today:
        hint = f"The newest complete day is {newest}; or use a provisional report."
        raise PeriodError(f"{start} is not complete yet", hint)
    end = end or max(newest, start)
    if end < start:
        raise PeriodError(f"The end {end} is before the start {start}", "Swap them.")
    if end > today:
        raise PeriodError(f"{end} is in the future", f"The latest possible end is {newest}.")
    if start < oldest:
        raise PeriodError(f"{start} is more than {DAYS_BACK} days back", f"The oldest day is {oldest}.")
    if end > newest:
        hint = f"End at {newest}, the newest complete day, or use a provisional report."
        raise PeriodError(f"{end} is not complete yet", hint)
    return Period("custom", start, end, provisional)
