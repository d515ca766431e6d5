"""How people stay: stickiness, active days, who is new or gone, and how many of a week's newcomers come back."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from reports.errors import PeriodError
from reports.metrics.active import ACTIVITY_PRODUCTS, active_users
from reports.metrics.answers import About, Actives, Day, Ratio, Series
from reports.metrics.reading import Reading
from reports.periods import DAY, Period
from reports.windows import WEEK_DAYS, days_between

COHORTS = 12
"""How many weeks a table of retention has unless it is asked for more or fewer."""

MOST_COHORTS = 104
"""How many it can have: what it knows of a person's weeks fits into 128 bits, the older ones share a bit."""


class ActiveDays(Struct, frozen=True, kw_only=True):
    """How many people were active on exactly one, two, ... all days of the window, in this order; None: unknown."""

    about: About
    people: tuple[int, ...] | None


class Lifecycle(Struct, frozen=True, kw_only=True):
    """People of a window beside those of as many days before it; all None when unknown.

    `new`: never active before. `returning`: active in both. `resurrected`: active before, but not in the window
    before. `dormant`: active in the window before and not in this one.
    """

    about: About
    new: int | None
    returning: int | None
    resurrected: int | None
    dormant: int | None


class Cohort(Struct, frozen=True, kw_only=True):
    """The people who were first active in the week from `first` to `last`.

    `active` says how many of them were active in that week (all of them), in the next one, and so on.
    """

    first: date
    last: date
    active: tuple[int, ...]

    @property
    def retention(self) -> tuple[Ratio, ...]:
        """Of the cohort, how many were active in each week."""
        return tuple(Ratio(numerator=people, denominator=self.active[0]) for people in self.active)


class Retention(Struct, frozen=True, kw_only=True):
    """Cohorts of newcomers, the oldest first, one for each week of the window; None: unknown."""

    about: About
    cohorts: tuple[Cohort, ...] | None


def stickiness(reading: Reading, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> Series[Ratio]:
    """DAU / MAU for each day of the window."""
    active = active_users(reading, window, products)
    return Series(about=active.about, days=tuple(map(_sticking, active.days)))


def active_days(reading: Reading, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> ActiveDays:
    """On how many days of the window people were active in any of the products."""
    about = reading.about(window)
    if not reading.knows(window.last):
        return ActiveDays(about=about, people=None)
    found = {int(days): int(count) for days, count in _rows(reading, "active_days", window, products)}
    return ActiveDays(about=about, people=tuple(found.get(days, 0) for days in range(1, window.days + 1)))


def lifecycle(reading: Reading, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> Lifecycle:
    """How many people are new, returning, resurrected and dormant, by the window before of the same length."""
    about = reading.about(window)
    if not reading.knows(window.last):
        return Lifecycle(about=about, new=None, returning=None, resurrected=None, dormant=None)
    [(new, returning, resurrected, dormant)] = _rows(reading, "lifecycle", window, products)
    return Lifecycle(about=about, new=new, returning=returning, resurrected=resurrected, dormant=dormant)


def retention(
    reading: Reading, last: date, weeks: int = COHORTS, products: Sequence[str] = ACTIVITY_PRODUCTS
) -> Retention:
    """For each of so many weeks of 7 days, the last of which ends with `last`, its newcomers and who of them stays.

    Raises PeriodError unless there are 1 to MOST_COHORTS weeks.
    """
    if not 1 <= weeks <= MOST_COHORTS:
        raise PeriodError(f"{weeks} weeks is out of range", f"Ask for 1 to {MOST_COHORTS} weeks.")
    window = days_between(last - (weeks * WEEK_DAYS - 1) * DAY, last)
    about = reading.about(window)
    if not reading.knows(last):
        return Retention(about=about, cohorts=None)
    found = {(joined, week): people for joined, week, people in _rows(reading, "retention", window, products)}
    cohorts = (
        Cohort(
            first=last - ((joined + 1) * WEEK_DAYS - 1) * DAY,
            last=last - joined * WEEK_DAYS * DAY,
            active=tuple(found.get((joined, week), 0) for week in range(joined, -1, -1)),
        )
        for joined in range(weeks - 1, -1, -1)
    )
    return Retention(about=about, cohorts=tuple(cohorts))


def _sticking(day: Day[Actives]) -> Day[Ratio]:
    if day.value is None:
        return Day(day=day.day, value=None, complete=day.complete)
    value = Ratio(numerator=day.value.daily, denominator=day.value.monthly)
    return Day(day=day.day, value=value, complete=day.complete)


def _rows(reading: Reading, metric: str, window: Period, products: Sequence[str]) -> Sequence[Sequence[int]]:
    return reading.rows_of_days(metric, window, products=list(products))
