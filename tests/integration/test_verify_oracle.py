"""Spend reports and active users equal what a script recounts from the simulated file, byte for byte.

The script (tests/reference/recount_ndjson.py) knows nothing of Tally but its price list.
"""

import csv
import io
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client

from aggregators.deduplication import Horizon
from aggregators.source import Source
from intake.ndjson import ProducerRecord, read_ndjson, write_ndjson
from pricing.price_table import load_prices
from reports.exports.spend_report import write_spend_report
from reports.periods import Period
from simulation import Plan, simulate
from sinks.client import connect, create_database
from sinks.migrations import migrate
from sinks.store import Store
from tests.support.fold_records import LogRecord
from verify import active_users
from verify.table_reader import TableReader

pytestmark = pytest.mark.slow

FIRST, UNTIL = date(2026, 9, 28), date(2026, 10, 12)
LOG_MS = 1_795_000_000_000
SCRIPT = Path(__file__).parents[1] / "reference" / "recount_ndjson.py"


def test_the_script_imports_nothing_but_the_price_list() -> None:
    lines = SCRIPT.read_text().splitlines()
    packages = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("from ", "import "))}
    assert packages - set(sys.stdlib_module_names) == {"pricing"}


def test_reports_and_active_users_equal_the_scripts(clickhouse: str, tmp_path: Path) -> None:
    plan = Plan(
        UNTIL, seed=11, organizations=6, users=60, days=(UNTIL - FIRST).days, duplicates=0.03, late=0.02, poison=0.02
    )
    path = tmp_path / "e.ndjson"
    write_ndjson(simulate(plan), path)
    active = recounted(path, tmp_path)
    client = folded(clickhouse, read_ndjson(path))
    period = Period("custom", FIRST, UNTIL)
    organizations = [
        row[0] for row in client.query("SELECT DISTINCT toString(organization_id) FROM directory").result_rows
    ]
    reports = {organization: report(client, organization, period) for organization in organizations}
    expected = {each.stem.removeprefix("spend-"): each.read_bytes() for each in tmp_path.glob("spend-*.csv")}
    assert reports.keys() == expected.keys()
    for organization, content in reports.items():
        assert content.split(b"\r\n") == expected[organization].split(b"\r\n")
    assert sum(content.count(b"\r\n") - 1 for content in reports.values()) > 500
    assert sum(content.count(b"\r\n") > 1 for content in reports.values()) >= 3
    rows = active_users.found_actives(TableReader(client).rows(active_users.QUERY))
    assert {key: counts for key, counts in rows if any(counts)} == {
        key: counts for key, counts in active.items() if any(counts)
    }
    assert len(active) > 30


def recounted(path: Path, folder: Path) -> dict[tuple[str, str], tuple[int, ...]]:
    """Run the script over the file: reports into the folder; (organization, day) to active users."""
    arguments = [sys.executable, "-m", "tests.reference.recount_ndjson", str(path), str(FIRST), str(UNTIL), str(folder)]
    answer = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    rows = csv.reader(io.StringIO(answer.stdout))
    return {(organization, day): tuple(map(int, counts)) for organization, day, *counts in rows}


def folded(url: str, lines: Iterable[ProducerRecord]) -> Client:
    """A database filled from the lines by the folds, as a log of two partitions."""
    name = f"oracle_{uuid4().hex}"
    create_database(url, "default", "", name)
    client = connect(url, database=name)
    migrate(client)
    load_prices(client)
    log: dict[tuple[str, int], list[LogRecord]] = {}
    for number, line in enumerate(lines):
        records = log.setdefault((line.topic, sum(line.key) % 2), [])
        records.append(LogRecord(len(records), LOG_MS + number, line.key, line.value))
    store = Store(client)
    for (topic, partition), records in log.items():
        source = Source(topic, f"{topic}/{partition}@0", 0, Horizon(65_536, 4))
        prepared = source.prepare(0, len(records), records)
        for declaration, pages in prepared.missing.items():
            source.load(declaration, pages, ())
        source.apply(prepared)
        for table, rows in source.snapshot().rows.items():
            store.write(table, rows)
    return client


def report(client: Client, organization: str, period: Period) -> bytes:
    content = io.BytesIO()
    write_spend_report(client, organization, period, content)
    return content.getvalue()
