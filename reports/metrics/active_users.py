"""Active people: daily, weekly and monthly active users, and the people behind a number."""

from collections.abc import Sequence
from datetime import date

from reports.metric_windows import ACTIVE_DAYS, MONTH_DAYS, days_of
from reports.metrics.query_context import QueryContext
from reports.metrics.result_types import Actives, PeopleCount, Series
from reports.periods import DAY, Period
from reports.presence.activity_kinds import ACTIVITY_PRODUCTS, WITH_TOKENS
from reports.presence.bitsets import count, counts, trailing, union


def active_users(reading: QueryContext, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> Series[Actives]:
    """Return DAU, WAU and MAU for each day of the window: distinct people active in any of the products.

    The trailing windows end with the day and include it. A day is `complete` if all of its 30 days are.
    """
    found: dict[date, Actives] = {}
    if reading.overlaps(window):
        before = MONTH_DAYS - 1
        rows = reading.present(window.first - before * DAY, window.last).rows(products)
        active = (counts(trailing(rows, width))[before:] for width in ACTIVE_DAYS.values())
        for day, *people in zip(days_of(window), *active, strict=True):
            found[day] = Actives(**dict(zip(ACTIVE_DAYS, people, strict=True)))
    nobody = Actives(daily=0, weekly=0, monthly=0)
    return Series(about=reading.about(window), days=reading.by_day(window, found, nobody, MONTH_DAYS))


def active_people(
    reading: QueryContext, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS, listed: bool = False
) -> PeopleCount:
    """Return the distinct people active in any of the products in the window; `listed`: with their account ids."""
    return count_people(reading, products, window, listed)


def token_users(reading: QueryContext, window: Period, listed: bool = False) -> PeopleCount:
    """Return the distinct people whose requests used tokens, in any product; `listed`: with their account ids."""
    return count_people(reading, (WITH_TOKENS,), window, listed)


def count_people(reading: QueryContext, kinds: Sequence[str], window: Period, listed: bool) -> PeopleCount:
    """Return the distinct people active in any of these kinds (reports/presence/activity_kinds.py)."""
    about = reading.about(window)
    if not reading.covers(window.last):
        return PeopleCount(about=about, people=None, account_ids=None)
    present = reading.present(window.first, window.last)
    people = union(present.rows(kinds))
    account_ids = tuple(present.accounts(people)) if listed else None
    return PeopleCount(about=about, people=count(people), account_ids=account_ids)
