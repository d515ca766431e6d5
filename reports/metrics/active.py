"""Who is active: daily, weekly and monthly active users, and the people behind a number."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from reports.metrics.answers import Actives, PeopleCount, Series
from reports.metrics.reading import Reading
from reports.periods import Period
from reports.windows import MONTH_DAYS, WEEK_DAYS, parts_of

ACTIVITY_PRODUCTS = ("chat", "claude_code", "cowork")
"""What makes an active user (docs/metrics.md). Other products have active people of their own, if asked for."""

WIDTHS = (1, WEEK_DAYS, MONTH_DAYS)

DAYS_AT_ONCE = 128 - MONTH_DAYS
"""Of how many days one query can tell: it keeps a person's active days in 128 bits, those of the first window too."""


def active_users(reading: Reading, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS) -> Series[Actives]:
    """DAU, WAU and MAU for each day of the window: distinct people active in any of the products.

    Trailing windows that end with the day and include it. A day's `complete` is that of its 30 days.
    """
    found: dict[date, Actives] = {}
    for part in filter(reading.reaches, parts_of(window, DAYS_AT_ONCE)):
        rows = reading.rows_of_days("active_users", part, products=list(products), widths=list(WIDTHS))
        found |= actives_by_day(rows)
    nobody = Actives(daily=0, weekly=0, monthly=0)
    return Series(about=reading.about(window), days=reading.by_day(window, found, nobody, MONTH_DAYS))


def actives_by_day(rows: Iterable[Sequence[Any]]) -> dict[date, Actives]:
    """The rows (day, width, people), all widths of every day, as one value a day."""
    counts: dict[date, dict[int, int]] = {}
    for day, width, people in rows:
        counts.setdefault(day, {})[width] = people
    return {day: Actives(daily=of[1], weekly=of[WEEK_DAYS], monthly=of[MONTH_DAYS]) for day, of in counts.items()}


def active_people(
    reading: Reading, window: Period, products: Sequence[str] = ACTIVITY_PRODUCTS, listed: bool = False
) -> PeopleCount:
    """Distinct people active in any of the products in the window, of any length; `listed`: and who they are."""
    return count_people(reading, "active_people", window, listed, products=list(products))


def token_users(reading: Reading, window: Period, listed: bool = False) -> PeopleCount:
    """Distinct people whose requests used tokens in the window, in whatever product; `listed`: and who they are."""
    return count_people(reading, "people_with_tokens", window, listed)


def count_people(reading: Reading, metric: str, window: Period, listed: bool, **parameters: Any) -> PeopleCount:
    """The answer of a metric whose SQL gives one row: (how many people, their account ids)."""
    about = reading.about(window)
    if not reading.knows(window.last):
        return PeopleCount(about=about, people=None, account_ids=None)
    [(people, account_ids)] = reading.rows_of_days(metric, window, listed=int(listed), **parameters)
    return PeopleCount(about=about, people=people, account_ids=tuple(account_ids) if listed else None)
