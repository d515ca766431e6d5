"""The export worker is killed at random instants: every file is whole, none changes, and the ledger agrees."""

import hashlib
import multiprocessing
import random
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from files.atomic_files import clear_partials
from pricing.price_table import load_prices
from reports.exports.export_worker import run_once
from sinks.client import connect
from tests.support.table_rows import Cell, database, insert_cells, insert_position

pytestmark = pytest.mark.slow

ORGANIZATION = "aaaaaaaa-0000-4000-8000-0000000000cc"
PERSON = "bbbbbbbb-0000-4000-8000-0000000000cc"
TOKEN = "tally.token/0@0"
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
FIRST = datetime(2026, 10, 3, tzinfo=UTC)


def work(url: str, name: str, folder: Path) -> None:
    """Export for ever, while late events arrive."""
    client = connect(url, database=name)
    clear_partials(folder)
    offset = 10_000 + time.monotonic_ns() % 10**15
    while True:
        run_once(client, folder, NOW, {TOKEN}, timedelta(hours=2))
        offset += 1
        hour = FIRST + timedelta(hours=random.randrange(40 * 24))
        insert_cells(client, [Cell(ORGANIZATION, hour, PERSON, log_offset=offset, output_tokens=1)])
        insert_position(client, TOKEN, offset + 1, NOW)


def test_killed_at_random_instants(clickhouse: str, tmp_path: Path) -> None:
    client = database(clickhouse)
    load_prices(client)
    cells = [
        Cell(ORGANIZATION, FIRST + timedelta(days=day), PERSON, log_offset=day, output_tokens=1) for day in range(50)
    ]
    insert_cells(client, cells)
    insert_position(client, TOKEN, 100, NOW)
    folder = tmp_path / "reports"
    folder.mkdir()
    seen: dict[Path, str] = {}
    spawn = multiprocessing.get_context("spawn")
    for _ in range(5):
        process = spawn.Process(target=work, args=(clickhouse, client.database, folder))
        process.start()
        time.sleep(random.uniform(1.0, 3.0))
        process.kill()
        process.join()
        for path in folder.rglob("*.csv"):
            assert seen.setdefault(path, sha256(path)) == sha256(path), f"{path.name} changed"
    clear_partials(folder)
    run_once(client, folder, NOW, {TOKEN}, timedelta(hours=2))
    assert run_once(client, folder, NOW, {TOKEN}, timedelta(hours=2)).checked == 0
    files = {str(path.relative_to(folder)): sha256(path) for path in folder.rglob("*.csv")}
    for name, found in files.items():
        manifest = orjson.loads((folder / f"{name}.manifest.json").read_bytes())
        assert manifest["sha256"] == found
    ledger = client.query("SELECT file_name, sha256, day FROM issued_reports FINAL").result_rows
    assert {row[0]: row[1] for row in ledger} == files
    assert {row[2] for row in ledger} == {date(2026, 10, 3) + timedelta(days=day) for day in range(50)}
    assert not list(folder.rglob("*.partial"))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
