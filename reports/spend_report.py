"""The spend report: a row for each person, product and model, by UTC day or by channel, in one consistent query,
streamed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from clickhouse_connect.driver.client import Client

from reports.errors import ReportError
from reports.periods import Period
from reports.queries import statement
from reports.spend_columns import DAILY, ROW, Layout, whole_row
from reports.spend_csv import Facts, SpendCsv, Totals, safe_text
from reports.terms import sql_moment

PRODUCT_LABELS = {
    "chat": "Chat",
    "claude_code": "Claude Code",
    "cowork": "Cowork",
    "office_agent": "Office Agents",
    "claude_in_chrome": "Claude in Chrome",
    "claude_design": "Claude Design",
    "claude_tag": "Claude Tag",
    "science": "Science",
    "claude_console": "Claude Console",
    "managed_agents_api": "Managed Agents API",
    "message_batches_api": "Message Batches API",
    "messages_api": "Messages API",
    "other": "Other",
}
"""Products as people call them. A product that is not listed is shown as it is; none is shown as nothing."""

QUERY = Path(__file__).with_name("spend_report.sql")
SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    "join_use_nulls": 0,
    "output_format_decimal_trailing_zeros": 0,
    # The result is sorted last, so nothing is sent before all of it is known; a sort of a large organization's
    # quarter spills to disk rather than fail.
    "max_bytes_before_external_sort": 1 << 30,
    "max_bytes_before_external_group_by": 1 << 30,
}
TEXT_CELLS = tuple(map(ROW.index, ("user_email", "product", "model", "model_family", "slack_channel_id")))
CELLS = 18
"""Cells of a row of QUERY."""


@dataclass(frozen=True)
class Report:
    """A report that was written: the hash of its bytes, what it adds up to, what it says, and in which columns."""

    sha256: str
    totals: Totals
    facts: Facts
    layout: Layout

    @property
    def format(self) -> str:
        """The name of its columns."""
        return self.layout.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, in their order."""
        return self.layout.columns

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.totals.rows

    @property
    def totals_json(self) -> dict[str, Any]:
        """What it adds up to."""
        return self.totals.as_json()

    @property
    def unpriced_models(self) -> list[str]:
        """Models without a price, in order."""
        return sorted(self.totals.unpriced_models)


def write_spend_report(
    client: Client,
    organization_id: str,
    period: Period,
    sink: BinaryIO,
    on_rows: Callable[[int], None] | None = None,
    layout: Layout = DAILY,
) -> Report:
    """Write the organization's report of `period` to `sink` in the columns of `layout`, and say what it adds up to.

    Memory grows by 16 bytes a row (the facts) and no more. `on_rows` hears now and then how many rows
    there are. Raises ReportError when ClickHouse breaks off in the middle.
    """
    out = SpendCsv(sink, layout)
    for cells in stream_rows(client, organization_id, period, layout):
        for place in TEXT_CELLS:
            cells[place] = safe_text(cells[place])
        out.write(cells)
        if on_rows and out.totals.rows % 10_000 == 0:
            on_rows(out.totals.rows)
    sha256 = out.close()
    return Report(sha256, out.totals, out.facts, layout)


def stream_rows(client: Client, organization_id: str, period: Period, layout: Layout = DAILY) -> Iterator[list[str]]:
    """The report's rows as texts in the order of ROW, before any escaping. Raises ReportError on a cut stream."""
    if not period.days:
        return
    stream = client.raw_stream(
        statement(QUERY),
        parameters=_parameters(organization_id, period, layout),
        settings=SETTINGS,
        fmt="JSONCompactEachRow",
    )
    try:
        for line in _lines(stream):
            yield whole_row(_row(line)) if layout.by_user_id else _row(line)
    finally:
        stream.close()


def _parameters(organization_id: str, period: Period, layout: Layout) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "begins": sql_moment(period.begins),
        "ends": sql_moment(period.ends),
        "by_day": layout.by_day,
        "by_channel": layout.by_channel,
        "products": list(PRODUCT_LABELS),
        "labels": list(PRODUCT_LABELS.values()),
    }


def _lines(stream: Any) -> Iterator[bytes]:
    """The lines of a response body. A body that does not end with a line break was cut off."""
    rest = b""
    while chunk := stream.read(1 << 18):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        raise ReportError(f"ClickHouse broke off in the middle of a report: {rest[:200]!r}", "Try again.")


def _row(line: bytes) -> list[str]:
    """One row; an error that ClickHouse wrote into the body after its first rows is no row."""
    try:
        cells = orjson.loads(line)
    except orjson.JSONDecodeError:
        cells = None
    if not isinstance(cells, list) or len(cells) != CELLS:
        raise ReportError(f"ClickHouse broke off in the middle of a report: {line[:300]!r}", "Try again.")
    return cells
