"""The context of a query: one organization's tables and how far they reach. Metrics read their SQL only through it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from queries.data_version import DataVersion, data_version
from queries.dependencies import tables_read
from queries.freshness import Freshness, read_freshness
from queries.result_cache import cache_for
from queries.sql_files import fetch_rows
from reports.metric_windows import days_of
from reports.metrics.result_types import Day, ResultMeta, Totals
from reports.periods import FIRST_KEPT_DAY, Period, midnight
from reports.presence.presence import PresenceRange, read_present

T = TypeVar("T")


SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True)
class QueryContext:
    """An organization's tables, and how far they reached before any number was read; every number includes that much.

    A day is known if the tables reach into it, and complete if they reach `grace` past its end. Create a context for
    each request: an old one understates what its numbers include.
    """

    client: Client
    organization_id: str
    freshness: Freshness
    grace: timedelta

    @property
    def data_refreshed_at(self) -> datetime | None:
        """The moment up to which all that the log had received is in the tables; None if unknown."""
        return self.freshness.data_refreshed_at

    @property
    def newest_complete_day(self) -> date | None:
        """The last complete day; None if there is none or it is unknown."""
        return self.freshness.newest_complete_day(self.grace)

    def covers(self, day: date) -> bool:
        """Return True if the tables reach into the day: what they do not contain has not happened, so far."""
        refreshed_at = self.data_refreshed_at
        return refreshed_at is not None and day >= FIRST_KEPT_DAY and midnight(day) < refreshed_at

    def overlaps(self, window: Period) -> bool:
        """Return True if any day of the window is known."""
        refreshed_at = self.data_refreshed_at
        return refreshed_at is not None and window.last >= FIRST_KEPT_DAY and window.begins < refreshed_at

    def is_complete(self, first: date, last: date) -> bool:
        """Return True if every day from `first` to `last` is complete, and none is older than the oldest day kept."""
        newest = self.newest_complete_day
        return newest is not None and first >= FIRST_KEPT_DAY and last <= newest

    def about(self, window: Period) -> ResultMeta:
        """Return the metadata of a result for this window."""
        complete = self.is_complete(window.first, window.last)
        shown = replace(window, provisional=not complete)
        return ResultMeta(window=shown, data_refreshed_at=self.data_refreshed_at, complete=complete)

    def by_day(self, window: Period, found: Mapping[date, T], nothing: T, width: int = 1) -> tuple[Day[T], ...]:
        """Return every day of the window with its value in `found`, else `nothing`; a day that is not known is a gap.

        `width`: the number of days that a day's number covers, which decides whether it is complete.
        """
        return tuple(
            Day(
                day=day,
                value=found.get(day, nothing) if self.covers(day) else None,
                complete=self.is_complete(day - timedelta(days=width - 1), day),
            )
            for day in days_of(window)
        )

    def rows(self, metric: str, **parameters: Any) -> Sequence[Sequence[Any]]:
        """Return the rows of `sql/<metric>.sql` for this organization. Raises ClickHouseError."""
        return fetch_rows(self.client, SQL / f"{metric}.sql", {"organization_id": self.organization_id, **parameters})

    def remembered(self, metric: str, window: Period, **parameters: Any) -> Sequence[Sequence[Any]]:
        """Return the rows of a metric that depends on no day after the window, cached until an earlier day changes."""
        digest = self.state.digest_until(window.last, tables_read(SQL / f"{metric}.sql"))
        return self._recall(metric, digest, parameters)

    def remembered_now(self, metric: str, **parameters: Any) -> Sequence[Sequence[Any]]:
        """Return the rows of a metric about the present state, cached until something that it reads changes."""
        kinds = tables_read(SQL / f"{metric}.sql")
        assert kinds is not None, f"{metric}.sql reads what queries/dependencies.py does not know"
        return self._recall(metric, self.state.digest_of(*sorted(kinds)), parameters)

    def _recall(self, metric: str, state: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        question = (metric, self.organization_id, repr(sorted(parameters.items())))
        return cache_for(self.client).get_or_compute(question, state, lambda: self.rows(metric, **parameters))

    def rows_of_days(self, metric: str, window: Period, **parameters: Any) -> Sequence[Sequence[Any]]:
        """Return the cached rows of a metric whose SQL takes the window as days."""
        return self.remembered(metric, window, first=window.first, last=window.last, **parameters)

    def present(self, first: date, last: date) -> PresenceRange:
        """Return who was active from `first` to `last`, and in which ways. Raises ClickHouseError."""
        return read_present(self.client, self.organization_id, self.state, first, last)

    def first_day(self, otherwise: date) -> date:
        """Return the oldest day with any activity, or `otherwise` if that is older."""
        return min([*self.state.days[:1], otherwise])

    def from_first_day(self, window: Period) -> Period:
        """Return the window without the days before any activity, so that windows differing only in those are equal."""
        return replace(window, first=max(window.first, self.first_day(window.last)))

    @cached_property
    def state(self) -> DataVersion:
        """The version of the data that results depend on, read before any of them."""
        return data_version(self.client, self.organization_id)


def open_context(
    client: Client, organization_id: str, expected_sources: Collection[str], grace: timedelta
) -> QueryContext:
    """Read how far the tables reach, before any number; `expected_sources` is as in `read_freshness`."""
    return QueryContext(client, organization_id, read_freshness(client, expected_sources), grace)


def totals(
    reading: QueryContext, metric: str, window: Period, value: Callable[[Sequence[Any]], T], nothing: T
) -> Totals[T]:
    """Return the result of a metric whose SQL gives rows (whole, day, ...): of the window if `whole`, else of a day.

    `value` builds a number from a row's other columns; `nothing` is the number of a day or window without a row.
    """
    total, found = nothing, dict[date, T]()
    if reading.overlaps(window):
        for whole, day, *columns in reading.rows_of_days(metric, reading.from_first_day(window)):
            if whole:
                total = value(columns)
            else:
                found[day] = value(columns)
    days = reading.by_day(window, found, nothing)
    return Totals(about=reading.about(window), total=total if reading.covers(window.last) else None, days=days)
