"""How much memory and time an export of many rows takes: `python -m bench.export_memory [--rows N --compare]`.

Two cells a row are made inside ClickHouse; each export runs in a process of its own, so that its peak is its own.
`--compare` has the same query answered as ClickHouse's own `FORMAT CSV` as well, which a process copies into a file and
nothing else: no totals, no hash, no escaping, no facts for a revision. Ends with status 1 when the peak is past the
limit, or rows are missing.
"""

import argparse
import json
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from clickhouse_connect.driver.client import Client

from bench.result_files import facts, keep, parser, table
from pricing.price_table import load_prices
from queries.sql_files import load_sql
from queries.streaming import SETTINGS
from reports.exports.spend_columns import DAILY
from reports.exports.spend_report import QUERY, scope, write_spend_report
from reports.periods import Period
from sinks.client import connect
from tests.support.stack import start_clickhouse
from tests.support.table_rows import Change, database, insert_changes

LIMIT_MB = 250
ORGANIZATION = "aaaaaaaa-0000-4000-8000-0000000000ff"
FIRST = date(2026, 8, 20)
DAYS = 90
PERIOD = Period("custom", FIRST, FIRST + timedelta(days=DAYS - 1))
AT_ONCE = 500_000
"""Cells that one statement makes: it must end within a client's patience, however many rows are asked for."""
CHUNK = 1 << 18

Export = Callable[[Client, BinaryIO], None]

CELLS = """
INSERT INTO spend_cells (source, organization_id, hour, actor_type, actor_id, product, model, service_tier, funding,
    log_offset, requests, uncached_input_tokens, cache_read_input_tokens, output_tokens)
SELECT
    concat('tally.token/', toString(person % 4), '@0'), {organization:UUID},
    toDateTime({first:Date}, 'UTC') + INTERVAL (slot % {days:UInt32}) DAY + INTERVAL number % 2 * 5 HOUR,
    'user', reinterpretAsUUID(sipHash128(person)), ['chat', 'claude_code'][intDiv(slot, {days:UInt32}) + 1],
    ['claude-opus-4-8', 'claude-sonnet-5', 'claude-haiku-4-5-20251001'][person % 3 + 1], 'standard', 'usage_based',
    number, 3, cityHash64(number) % 100000, cityHash64(number, 1) % 1000000, cityHash64(number, 2) % 5000
FROM (
    SELECT number, intDiv(number, 2) AS row, row % ({days:UInt32} * 2) AS slot, intDiv(row, {days:UInt32} * 2) AS person
    FROM numbers({first_cell:UInt64}, {cells:UInt64})
)
"""
PEOPLE = """
INSERT INTO profiles (organization_id, account_id, email, name, forgotten, source, log_offset)
SELECT {organization:UUID}, reinterpretAsUUID(sipHash128(number)), concat('person', toString(number), '@example.com'),
    'Somebody', 0, 'tally.profiles/0@0', number
FROM numbers({people:UInt64})
"""


def fill(client: Client, rows: int) -> None:
    """Cells and people for a report of `rows` rows: product and model vary with the person, the day with the slot."""
    load_prices(client)
    start = datetime.combine(FIRST, datetime.min.time(), UTC)
    insert_changes(
        client, [Change(ORGANIZATION, "discount.changed", start + timedelta(days=40), {"discount": "0.15"}, 1)]
    )
    for first in range(0, rows * 2, AT_ONCE):
        span = {"first_cell": first, "cells": min(AT_ONCE, rows * 2 - first)}
        client.command(CELLS, parameters={"organization": ORGANIZATION, "first": FIRST, "days": DAYS, **span})
    client.command(PEOPLE, parameters={"organization": ORGANIZATION, "people": rows // (DAYS * 2) + 1})


def peak_mb() -> int:
    """The most memory this process ever held; ru_maxrss would count its parent's from before the exec."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def by_tally(client: Client, sink: BinaryIO) -> None:
    """The report."""
    write_spend_report(client, ORGANIZATION, PERIOD, sink)


def by_clickhouse(client: Client, sink: BinaryIO) -> None:
    """The same rows, as ClickHouse writes them itself."""
    asked = scope(ORGANIZATION, PERIOD) | {"by_day": DAILY.by_day, "by_channel": DAILY.by_channel}
    stream = client.raw_stream(load_sql(QUERY), parameters=asked, settings=SETTINGS, fmt="CSVWithNames")
    shutil.copyfileobj(stream, sink, CHUNK)


def measure(export: Export, url: str, name: str, path: Path, answer: Any) -> None:
    """Export in this process and answer with what it took."""
    before = peak_mb()
    client = connect(url, database=name, timeout=1800)
    began = time.perf_counter()
    with path.open("wb") as sink:
        export(client, sink)
    took = {"seconds": round(time.perf_counter() - began, 1), "cpu_seconds": round(time.process_time(), 1)}
    sizes = {"file_mb": round(path.stat().st_size / 1e6, 1), "started_with_mb": before, "peak_mb": peak_mb()}
    with path.open("rb") as file:
        rows = sum(1 for _ in file) - 1
    answer.send({"rows": rows, **took, **sizes})


def run(export: Export, client: Client, url: str, folder: Path) -> dict[str, Any]:
    """Export in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    arguments = (export, url, client.database, folder / "report.csv", there)
    process = spawn.Process(target=measure, args=arguments, daemon=True)
    process.start()
    there.close()  # so that a process that fails is an end of file here
    found: dict[str, Any] = here.recv()
    process.join()
    return found


def main() -> int:
    """Run it, print the table, keep the numbers."""
    options = _options()
    exports = {"tally": by_tally, **({"clickhouse": by_clickhouse} if options.compare else {})}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in exports}
    with tempfile.TemporaryDirectory() as folder:
        server = start_clickhouse(Path(folder) / "clickhouse")
        try:
            client = database(server.child.url)
            fill(client, options.rows)
            for _ in range(options.runs):
                for name, export in exports.items():
                    runs[name].append(run(export, client, server.child.url, Path(folder)))
        finally:
            server.stop()
    result = {**facts(("chdb", "clickhouse-connect")), "limit_mb": LIMIT_MB, **ratio(runs), "runs": runs}
    keep(options.results, "export" if options.compare else "export_memory", result)
    print(table([{"export": name, **each} for name, all_ in runs.items() for each in all_]))
    print(json.dumps(ratio(runs)))
    peak = max(each["peak_mb"] for each in runs["tally"])
    return int(peak > LIMIT_MB or any(each["rows"] != options.rows for all_ in runs.values() for each in all_))


def ratio(runs: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Tally's rate against ClickHouse's own, where both were measured."""
    seconds = {name: statistics.median(each["seconds"] for each in all_) for name, all_ in runs.items()}
    return {"ratio_clickhouse_csv": round(seconds["clickhouse"] / seconds["tally"], 3)} if len(seconds) > 1 else {}


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--rows", type=int, default=1_000_000)
    made.add_argument("--runs", type=int, default=1, help="of each, in turns; the rate is the median's (1)")
    made.add_argument("--compare", action="store_true", help="with ClickHouse's own FORMAT CSV of the same query")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
