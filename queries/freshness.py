"""Freshness: how far into the log the tables reach, as positions, watermark and newest complete day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from clickhouse_connect.driver.client import Client

from sinks.positions import NO_WATERMARK
from sinks.store import Store

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Freshness:
    """Positions read before any cell: every number read after them includes at least the log up to there.

    `data_refreshed_at`: everything that the log had received by then is in the tables. It is None when unknown: an
    expected source has no position yet, or no source is expected because the log's sources are not known. `behind`: the
    expected sources that it waits for, those without a watermark or else with the oldest. `is_fresh`: no expected
    source has a watermark yet.
    """

    next_offsets: Mapping[str, int]
    data_refreshed_at: datetime | None
    behind: frozenset[str] = frozenset()
    is_fresh: bool = False

    def newest_complete_day(self, grace: timedelta) -> date | None:
        """Return the last UTC day D whose end (D+1 00:00) plus `grace` the watermark has reached; None if unknown."""
        if self.data_refreshed_at is None:
            return None
        return (self.data_refreshed_at - grace).astimezone(UTC).date() - DAY


def read_freshness(client: Client, expected_sources: Collection[str]) -> Freshness:
    """Read the position of every source. `expected_sources`: all sources in the log now (`topic/partition@epoch`)."""
    positions = Store(client).positions()
    stored = {source: position.watermark for source, position in positions.items()}
    watermarks = {source: stored.get(source, NO_WATERMARK) for source in expected_sources}
    oldest = min(watermarks.values(), default=NO_WATERMARK)
    return Freshness(
        {source: position.next_offset for source, position in positions.items()},
        oldest if oldest > NO_WATERMARK else None,
        frozenset(source for source, moment in watermarks.items() if moment == oldest),
        all(moment == NO_WATERMARK for moment in watermarks.values()),
    )
