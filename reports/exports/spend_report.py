"""The spend report: one row per person, product and model, by UTC day or by channel, streamed from one consistent
query."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from reports.exports.spend_columns import DAILY, ROW, SELECTED, Layout
from reports.exports.spend_csv import Facts, SpendCsv, Totals, safe_rows
from reports.exports.streaming import stream_columns
from reports.exports.text_columns import each_text
from reports.periods import Period
from reports.product_labels import PRODUCT_LABELS
from reports.tagged_ids import USER, tagged
from sinks.datetimes import clickhouse_timestamp

QUERY = Path(__file__).with_name("spend_report.sql")


@dataclass(frozen=True)
class Report:
    """A finished report: the hash of its bytes, its totals, facts and columns."""

    sha256: str
    totals: Totals
    facts: Facts
    layout: Layout

    @property
    def format(self) -> str:
        """The name of the layout."""
        return self.layout.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return self.layout.columns

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.totals.rows

    @property
    def totals_json(self) -> dict[str, Any]:
        """The totals, as JSON values."""
        return self.totals.as_json()

    @property
    def unpriced_models(self) -> list[str]:
        """The models without a price, sorted."""
        return sorted(self.totals.unpriced_models)


def write_spend_report(
    client: Client,
    organization_id: str,
    period: Period,
    sink: BinaryIO,
    on_rows: Callable[[int], None] | None = None,
    layout: Layout = DAILY,
) -> Report:
    """Write the organization's report for `period` to `sink` with the columns of `layout`, and return its totals.

    Memory grows by 16 bytes per row (the facts). `on_rows` is called with the number of rows from time to time. Raises
    RefusedError if ClickHouse breaks off the stream.
    """
    out = SpendCsv(sink, layout)
    with closing(report_rows(client, organization_id, period, layout)) as pieces:
        for rows in pieces:
            out.write(safe_rows(rows))
            if on_rows:
                on_rows(out.totals.rows)
    sha256 = out.close()
    return Report(sha256, out.totals, out.facts, layout)


def report_rows(
    client: Client, organization_id: str, period: Period, layout: Layout = DAILY
) -> Generator[pa.RecordBatch]:
    """Yield the report's rows with the columns of ROW, some thousand at a time, before any escaping.

    Raises RefusedError if the stream breaks off. A caller that stops early must close the generator.
    """
    asked = scope(organization_id, period) | {"by_day": layout.by_day, "by_channel": layout.by_channel}
    with closing(stream_columns(client, QUERY, asked, SELECTED)) as pieces:
        for rows in pieces:
            yield _whole_rows(rows) if layout.by_user_id else rows


def scope(organization_id: str, period: Period) -> dict[str, Any]:
    """Return the parameters of a query over an organization's period that shows products by their labels."""
    return {
        "organization_id": organization_id,
        "begins": clickhouse_timestamp(period.begins),
        "ends": clickhouse_timestamp(period.ends),
        "products": list(PRODUCT_LABELS),
        "labels": list(PRODUCT_LABELS.values()),
    }


def _whole_rows(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows of ROW from rows of spend_report.sql. Teams channels have no data source."""
    user_ids = each_text(rows["account_uuid"], lambda account: tagged(USER, account) if account else "")
    return pa.record_batch([*rows.columns, user_ids, pa.repeat("", len(rows))], names=list(ROW))
