"""Retention: stickiness, active days, new and lost people, and how many of a week's new people return."""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
from msgspec import Struct

from queries.errors import PeriodError
from reports.metric_windows import WEEK_DAYS, days_between
from reports.metrics.active_users import active_users
from reports.metrics.query_context import QueryContext
from reports.metrics.result_types import Actives, Day, Ratio, ResultMeta, Series
from reports.periods import DAY, Period
from reports.presence.activity_kinds import ACTIVITY_PRODUCTS
from reports.presence.bitsets import Bits, count, times_met, union

COHORTS = 12
"""The default number of weeks in a table of retention."""

MOST_COHORTS = 104
"""The maximum number of weeks: two years."""


class ActiveDays(Struct, frozen=True, kw_only=True):
    """The number of people active on exactly one, two, ... all days of the window, in this order; None if unknown."""

    about: ResultMeta
    people: tuple[int, ...] | None


class Lifecycle(Struct, frozen=True, kw_only=True):
    """People in a window compared with the window of equal length before it; all None if unknown.

    `new`: never active before. `returning`: active in both. `resurrected`: active before, but not in the window
    before. `dormant`: active in the window before and not in this one.
    """

    about: ResultMeta
    new: int | None
    returning: int | None
    resurrected: int | None
    dormant: int | None


class Cohort(Struct, frozen=True, kw_only=True):
    """The people who were first active in the week from `first` to `last`.

    `active`: how many of them were active in that week (all of them), in the next one, and so on.
    """

    first: date
    last: date
    active: tuple[int, ...]

    @property
    def retention(self) -> tuple[Ratio, ...]:
        """The share of the cohort that was active in each week."""
        return tuple(Ratio(numerator=people, denominator=self.active[0]) for people in self.active)


class Retention(Struct, frozen=True, kw_only=True):
    """Cohorts of new people, oldest first, one for each week of the window; None if unknown."""

    about: ResultMeta
    cohorts: tuple[Cohort, ...] | None


def stickiness(reading: QueryContext, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> Series[Ratio]:
    """Return DAU / MAU for each day of the window."""
    active = active_users(reading, window, products)
    return Series(about=active.about, days=tuple(map(_sticking, active.days)))


def active_days(reading: QueryContext, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> ActiveDays:
    """Return on how many days of the window people were active in any of the products."""
    about = reading.about(window)
    if not reading.covers(window.last):
        return ActiveDays(about=about, people=None)
    rows = reading.present(window.first, window.last).rows(products)
    return ActiveDays(about=about, people=tuple(times_met(rows)))


def lifecycle(reading: QueryContext, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> Lifecycle:
    """Return the numbers of new, returning, resurrected and dormant people, by the window of equal length before."""
    about = reading.about(window)
    if not reading.covers(window.last):
        return Lifecycle(about=about, new=None, returning=None, resurrected=None, dormant=None)
    begins = reading.first_day(window.first - window.days * DAY)
    rows = reading.present(begins, window.last).rows(products)
    earlier, before, now = map(union, np.split(rows, [len(rows) - 2 * window.days, len(rows) - window.days]))
    return Lifecycle(
        about=about,
        new=count(now & ~before & ~earlier),
        returning=count(now & before),
        resurrected=count(now & ~before & earlier),
        dormant=count(before & ~now),
    )


def retention(
    reading: QueryContext, last: date, weeks: int = COHORTS, products: Sequence[str] = ACTIVITY_PRODUCTS
) -> Retention:
    """Return the new people of each of `weeks` weeks, the last of which ends with `last`, and how many of them stayed.

    Raises PeriodError unless `weeks` is from 1 to MOST_COHORTS.
    """
    if not 1 <= weeks <= MOST_COHORTS:
        raise PeriodError(f"{weeks} weeks is out of range", f"Use 1 to {MOST_COHORTS} weeks.")
    window = days_between(last - (weeks * WEEK_DAYS - 1) * DAY, last)
    about = reading.about(window)
    if not reading.covers(last):
        return Retention(about=about, cohorts=None)
    rows = reading.present(reading.first_day(window.first), window.last).rows(products)
    return Retention(about=about, cohorts=tuple(_cohorts(rows, window)))


def _cohorts(rows: Bits, window: Period) -> Iterator[Cohort]:
    """Yield the cohorts of the window's weeks, given the people of each day from the first day kept on."""
    met = union(rows[: -window.days])
    weeks = [union(week) for week in np.split(rows[-window.days :], window.days // WEEK_DAYS)]
    for number, week in enumerate(weeks):
        first = window.first + number * WEEK_DAYS * DAY
        joined, met = week & ~met, met | week
        active = tuple(count(joined & later) for later in weeks[number:])
        yield Cohort(first=first, last=first + (WEEK_DAYS - 1) * DAY, active=active)


def _sticking(day: Day[Actives]) -> Day[Ratio]:
    if day.value is None:
        return Day(day=day.day, value=None, complete=day.complete)
    value = Ratio(numerator=day.value.daily, denominator=day.value.monthly)
    return Day(day=day.day, value=value, complete=day.complete)
