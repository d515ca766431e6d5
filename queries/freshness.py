"""How far the tables reach into the log: positions, watermark, and the newest complete day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from clickhouse_connect.driver.client import Client

DAY = timedelta(days=1)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The watermark of a source that was folded, but never seen at its end, and what one without a position counts as."""


@dataclass(frozen=True)
class Freshness:
    """Positions as read before any cell: what every number read after it contains at least.

    `data_refreshed_at`: all that the log had received by then is in the tables; None when it is unknown, because
    an expected source has no position yet (or none is expected: nobody knows the log). `behind` are those expected
    sources that it waits for, without a watermark or with the oldest one; `is_fresh`: none of them has one yet.
    """

    next_offsets: Mapping[str, int]
    data_refreshed_at: datetime | None
    behind: frozenset[str] = frozenset()
    is_fresh: bool = False

    def newest_complete_day(self, grace: timedelta) -> date | None:
        """The last UTC day D with the watermark at or past D+1 00:00 plus `grace`; None when unknown."""
        if self.data_refreshed_at is None:
            return None
        return (self.data_refreshed_at - grace).astimezone(UTC).date() - DAY


def read_freshness(client: Client, expected_sources: Collection[str]) -> Freshness:
    """Where every source stands; `expected_sources` are all that the log has now (`topic/partition@epoch`)."""
    rows = client.query(
        "SELECT source, max(next_offset), toUnixTimestamp64Milli(max(watermark)) FROM source_positions GROUP BY source"
    ).result_rows
    stored = {source: datetime.fromtimestamp(milliseconds / 1000, UTC) for source, _, milliseconds in rows}
    watermarks = {source: stored.get(source, NEVER) for source in expected_sources}
    oldest = min(watermarks.values(), default=NEVER)
    return Freshness(
        {source: offset for source, offset, _ in rows},
        oldest if oldest > NEVER else None,
        frozenset(source for source, moment in watermarks.items() if moment == oldest),
        all(moment == NEVER for moment in watermarks.values()),
    )
