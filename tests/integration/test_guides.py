"""The guide for finance: its script compares a month with the days that were issued, whatever their revisions."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from pricing.price_table import load_prices
from reports.exports.export_worker import Run, run_once
from reports.exports.spend_report import write_spend_report
from reports.periods import Period
from tests.support.code_blocks import code_blocks
from tests.support.table_rows import Cell, Change, database, insert_cells, insert_changes, insert_position

pytestmark = pytest.mark.slow

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "finance.md").read_text()
ORGANIZATION = "aaaaaaaa-0000-4000-8000-00000000000a"
PERSON = "bbbbbbbb-0000-4000-8000-00000000000a"
TOKEN = "tally.token/0@0"
NOVEMBER = Period("last-month", date(2026, 11, 1), date(2026, 11, 30))
NOW = datetime(2026, 12, 1, 6, tzinfo=UTC)


def use(client: Client, day: int, offset: int) -> None:
    """Usage of a day, at an amount that needs many digits."""
    hour = datetime(2026, 11, day, 9, tzinfo=UTC)
    insert_cells(client, [Cell(ORGANIZATION, hour, PERSON, log_offset=offset, output_tokens=999_999_999 + offset)])
    insert_position(client, TOKEN, offset + 1, NOW)


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    """Tables of a November in which an organization with a discount used something on every day."""
    with closing(database(clickhouse)) as client:
        load_prices(client)
        terms = [("plan.changed", {"plan": "enterprise_usage_based"}), ("discount.changed", {"discount": "0.1234567"})]
        began = NOVEMBER.begins
        insert_changes(
            client, [Change(ORGANIZATION, kind, began, detail, at) for at, (kind, detail) in enumerate(terms)]
        )
        for day in range(1, 31):
            use(client, day, offset=day)
        yield client


def issue(client: Client, folder: Path) -> Run:
    """One run of the export worker."""
    return run_once(client, folder, NOW, {TOKEN}, timedelta(hours=2))


def compared(client: Client, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What the guide's script prints after an export of the month."""
    monkeypatch.chdir(folder)
    report = write_spend_report(client, ORGANIZATION, NOVEMBER, io.BytesIO())
    (folder / "november.csv.manifest.json").write_text(json.dumps({"totals": report.totals_json}))
    (script,) = code_blocks(GUIDE, "python")
    exec(script, {"issued_reports": folder / ORGANIZATION})
    return capsys.readouterr().out


def test_issued_days_add_up_to_the_month(
    client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    issue(client, tmp_path)
    first = compared(client, tmp_path, capsys, monkeypatch)
    assert first.startswith("30 days: ")
    assert float(first.rpartition(" ")[2]) == 0

    use(client, 17, offset=100)  # a late event: the month has it, the issued day not yet
    assert float(compared(client, tmp_path, capsys, monkeypatch).rpartition(" ")[2]) != 0
    assert [path.name for path in issue(client, tmp_path).issued] == ["2026-11-17.r2.csv"]
    last = compared(client, tmp_path, capsys, monkeypatch)
    assert last.startswith("30 days: ")
    assert float(last.rpartition(" ")[2]) == 0
