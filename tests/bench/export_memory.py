"""How much memory and time an export of many rows takes: `python -m tests.bench.export_memory [--rows 1000000]`.

Two cells a row are made inside ClickHouse; the export itself runs in a process of its own, so that its peak is its own.
Ends with status 1 when the peak is past the limit.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from reports.periods import Period
from reports.prices import load_prices
from reports.spend_report import write_spend_report
from sinks.clickhouse import connect
from tests.embedded import start_clickhouse
from tests.integration.reporting import Change, database, insert_changes

LIMIT_MB = 250
ORGANIZATION = "aaaaaaaa-0000-4000-8000-0000000000ff"
FIRST = date(2026, 8, 20)
DAYS = 90

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
    FROM numbers({cells:UInt64})
)
"""
PEOPLE = """
INSERT INTO profiles
SELECT reinterpretAsUUID(sipHash128(number)), concat('person', toString(number), '@example.com'), 'Somebody', 0,
    'tally.profiles/0@0', number
FROM numbers({people:UInt64})
"""


def fill(client: Client, rows: int) -> None:
    """Cells and people for a report of `rows` rows: product and model vary with the person, the day with the slot."""
    load_prices(client)
    start = datetime.combine(FIRST, datetime.min.time(), UTC)
    insert_changes(
        client, [Change(ORGANIZATION, "discount.changed", start + timedelta(days=40), {"discount": "0.15"}, 1)]
    )
    parameters = {"organization": ORGANIZATION, "first": FIRST, "days": DAYS, "cells": rows * 2}
    client.command(CELLS, parameters=parameters)
    client.command(PEOPLE, parameters={"people": rows // (DAYS * 2) + 1})


def peak_mb() -> int:
    """The most memory this process ever held; ru_maxrss would count its parent's from before the exec."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def measure(url: str, name: str, path: Path, answers: Any) -> None:
    """Export in this process and answer with what it took."""
    before = peak_mb()
    client = connect(url, database=name, timeout=600)
    began = time.perf_counter()
    with path.open("wb") as sink:
        report = write_spend_report(
            client, ORGANIZATION, Period("custom", FIRST, FIRST + timedelta(days=DAYS - 1)), sink
        )
    answers.put(
        {
            "rows": report.totals.rows,
            "seconds": round(time.perf_counter() - began, 1),
            "cpu_seconds": round(time.process_time(), 1),
            "file_mb": round(path.stat().st_size / 1e6, 1),
            "started_with_mb": before,
            "peak_mb": peak_mb(),
            "gross_usd": str(report.totals.gross_spend_usd),
        }
    )


def main() -> int:
    """Run it and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        server = start_clickhouse(Path(folder) / "clickhouse")
        try:
            client = database(server.child.url)
            fill(client, rows)
            spawn = multiprocessing.get_context("spawn")
            answers = spawn.Queue()
            process = spawn.Process(
                target=measure, args=(server.child.url, client.database, Path(folder) / "report.csv", answers)
            )
            process.start()
            found = answers.get(timeout=900)
            process.join()
        finally:
            server.stop()
    print(json.dumps({**found, "limit_mb": LIMIT_MB, "cores": os.cpu_count()}))
    return int(found["peak_mb"] > LIMIT_MB or found["rows"] != rows)


if __name__ == "__main__":
    sys.exit(main())
