"""`tally top`: current events, and how far the tables are behind the log.

A frame takes two queries over the last minutes of the live counters and one request for the log's ends, however many
events there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.connections import report_client
from deploy.partition_status import PartitionStatus, partition_statuses, watermark_of
from deploy.settings import Settings
from sinks.datetimes import rfc3339

LIVE = """
SELECT toString(organization_id), product, model, sum(events) AS n_events, sum(requests),
    sum(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
        + cache_creation_1h_input_tokens),
    sum(output_tokens)
FROM live WHERE minute >= {since:DateTime('UTC')}
GROUP BY organization_id, product, model ORDER BY n_events DESC, organization_id, product, model
"""

NAMES = """
SELECT toString(organization_id), name FROM organization_names WHERE organization_id IN {ids:Array(UUID)}
"""


@dataclass(frozen=True)
class Row:
    """Activity of one organization with one product and model in the minutes of a frame."""

    organization_id: str
    organization: str
    product: str
    model: str
    events: int
    requests: int
    prompt_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Frame:
    """One snapshot, `[since, at)`; rows by events, most first."""

    since: datetime
    at: datetime
    rows: Sequence[Row]
    standings: Sequence[PartitionStatus]

    @property
    def lag(self) -> int:
        """The number of offsets in all logs that are not in the tables yet."""
        return sum(standing.lag for standing in self.standings)

    @property
    def watermark(self) -> datetime | None:
        """Everything that the log had received by then is in the tables (data_refreshed_at); None while unknown."""
        return watermark_of(self.standings)

    @property
    def stuck(self) -> list[str]:
        """Sources whose position is outside their log, so that the operator has to act."""
        return [standing.source for standing in self.standings if standing.is_stuck]

    @property
    def held(self) -> list[str]:
        """Sources whose log's end is hidden by an open transaction."""
        return [standing.source for standing in self.standings if standing.is_held]

    def a_minute(self, count: int) -> float:
        """Return a count of this frame per minute."""
        return count / ((self.at - self.since).total_seconds() / 60)


def take_snapshot(settings: Settings, minutes: int) -> Frame:
    """Return a frame of the last whole `minutes` and the current one.

    Raises clickhouse-connect's and aiokafka's errors if one of them is unavailable.
    """
    at = datetime.now(UTC)
    since = at.replace(second=0, microsecond=0) - timedelta(minutes=minutes)
    client = report_client(settings)
    try:
        rows = _rows(client, since)
    finally:
        client.close()
    return Frame(since, at, rows, partition_statuses(settings))


def _rows(client: Client, since: datetime) -> list[Row]:
    found = client.query(LIVE, parameters={"since": since}).result_rows
    ids = sorted({row[0] for row in found})
    names = dict(client.query(NAMES, parameters={"ids": ids}).result_rows)
    return [Row(row[0], names.get(row[0], ""), row[1], row[2], *map(int, row[3:])) for row in found]


def as_json(frame: Frame) -> dict[str, Any]:
    """Return the frame as JSON-able values."""
    return {
        "since": rfc3339(frame.since),
        "at": rfc3339(frame.at),
        "lag": frame.lag,
        "data_refreshed_at": rfc3339(frame.watermark) if frame.watermark else None,
        "stuck": frame.stuck,
        "held_back": frame.held,
        "rows": [
            {
                "organization_id": row.organization_id,
                "organization": row.organization or None,
                "product": row.product or None,
                "model": row.model or None,
                "events": row.events,
                "events_per_minute": round(frame.a_minute(row.events), 1),
                "requests": row.requests,
                "prompt_tokens": row.prompt_tokens,
                "output_tokens": row.output_tokens,
            }
            for row in frame.rows
        ],
    }


def render(frame: Frame, lines: int) -> RenderableType:
    """Return the frame for a terminal, with at most `lines` rows."""
    table = Table("organization", "product", "model", box=None, pad_edge=False)
    for name in ("events/min", "requests", "prompt tokens", "output tokens"):
        table.add_column(name, justify="right")
    for row in frame.rows[: max(1, lines)]:
        counts = (f"{count:,}" for count in (row.requests, row.prompt_tokens, row.output_tokens))
        rate = f"{frame.a_minute(row.events):,.0f}"
        names = (row.organization or row.organization_id, row.product or "-", row.model or "-")
        table.add_row(*map(_plain, names), rate, *counts)
    hidden = len(frame.rows) - max(1, lines)
    rest = [Text(f"and {hidden:,} more rows")] if hidden > 0 else []
    return Group(_head(frame), table, *rest)


def _plain(name: str) -> Text:
    """Return a name as plain text, in which neither rich's markup nor a terminal's escape codes have a meaning."""
    return Text("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name))


def _head(frame: Frame) -> Text:
    events = sum(row.events for row in frame.rows)
    fresh = f"{frame.watermark:%H:%M:%S} UTC" if frame.watermark else "an unknown time"
    text = Text(
        f"{frame.a_minute(events):,.0f} events/min since {frame.since:%H:%M} UTC · lag {frame.lag:,} · tables are "
        f"complete until {fresh}"
    )
    if frame.stuck:
        text.append(f"\nstopped: {', '.join(frame.stuck)} (`tally positions list`)", style="bold red")
    if frame.held:
        text.append(f"\nheld back by an open transaction: {', '.join(frame.held)}", style="bold yellow")
    return text
