"""The spend report: a row for each person, product and model, by UTC day or by channel, in one consistent query,
streamed."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from reports.exports.spend_columns import DAILY, SELECTED, Layout, whole_rows
from reports.exports.spend_csv import Facts, SpendCsv, Totals, safe_rows
from reports.exports.streaming import stream_columns
from reports.periods import Period
from reports.product_labels import PRODUCT_LABELS
from sinks.datetimes import clickhouse_timestamp

QUERY = Path(__file__).with_name("spend_report.sql")


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
    there are. Raises RefusedError when ClickHouse breaks off in the middle.
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
    """The report's rows in columns of ROW, some thousand at a time, before any escaping.

    Raises RefusedError on a cut stream. Whoever stops early closes it.
    """
    asked = scope(organization_id, period) | {"by_day": layout.by_day, "by_channel": layout.by_channel}
    with closing(stream_columns(client, QUERY, asked, SELECTED)) as pieces:
        for rows in pieces:
            yield whole_rows(rows) if layout.by_user_id else rows


def scope(organization_id: str, period: Period) -> dict[str, Any]:
    """The parameters of a query over an organization's period that shows products as people call them."""
    return {
        "organization_id": organization_id,
        "begins": clickhouse_timestamp(period.begins),
        "ends": clickhouse_timestamp(period.ends),
        "products": list(PRODUCT_LABELS),
        "labels": list(PRODUCT_LABELS.values()),
    }
