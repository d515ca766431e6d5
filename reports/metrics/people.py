"""Names of accounts, and rankings of people."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from reports.metrics.query_context import QueryContext
from reports.metrics.result_types import DELETED_USER, Leader, Leaders, Person
from reports.periods import Period

T = TypeVar("T")

DEFAULT_LIMIT = 10
"""The default length of a ranking; at least 1."""

NAMES_AT_ONCE = 200
"""Accounts per query: their ids are sent in the query's URL, whose length servers limit."""


def name_people(reading: QueryContext, account_ids: Iterable[str]) -> dict[str, Person]:
    """Return each account as it is known now."""
    asked = sorted(set(account_ids))
    known: dict[str, Person] = {}
    for start in range(0, len(asked), NAMES_AT_ONCE):
        some = asked[start : start + NAMES_AT_ONCE]
        for account, name, email, deleted in reading.remembered_now("people", accounts=some):
            known[account] = _person(account, name, email, bool(deleted))
    return known


def _person(account_id: str, name: str, email: str, deleted: bool) -> Person:
    if deleted:
        return Person(account_id=account_id, name=DELETED_USER, email=None, deleted=True)
    return Person(account_id=account_id, name=name or None, email=email or None, deleted=False)


def rank(
    reading: QueryContext, rows: Sequence[Sequence[Any]], value: Callable[[Sequence[Any]], T]
) -> tuple[Leader[T], ...]:
    """Return the rows (account, number ranked, ...), in the order of the SQL, as leaders with names.

    `value` builds a leader's value from the row's other columns.
    """
    people = name_people(reading, (row[0] for row in rows))
    return tuple(
        Leader(rank=place, person=people[row[0]], value=value(row[2:])) for place, row in enumerate(rows, start=1)
    )


def leaders(
    reading: QueryContext, metric: str, window: Period, value: Callable[[Sequence[Any]], T], **parameters: Any
) -> Leaders[T]:
    """Return the ranking of a metric whose SQL takes the window as days and gives rows as for `rank`."""
    about = reading.about(window)
    if not reading.covers(window.last):
        return Leaders(about=about, ranked=None, leaders=())
    rows = reading.rows_of_days(metric, window, **parameters)
    return Leaders(about=about, ranked=rows[0][1] if rows else 0, leaders=rank(reading, rows, value))
