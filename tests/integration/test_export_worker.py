"""Issued reports: every complete day once, a new revision only for new facts, and never half a file."""

import csv
import resource
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client

from deploy.doctor.reports import look_at_reports, report_findings
from deploy.settings import Settings
from files.errors import FileError
from pricing.price_table import DEFAULT_PRICE_LIST, load_prices
from queries.errors import IssuedReportsRest
from reports.exports.export_worker import Run, run_once
from reports.exports.ledger import newest_offsets
from reports.exports.manifest import manifest_path
from tests.support.table_rows import (
    Cell,
    Change,
    database,
    insert_cells,
    insert_changes,
    insert_people,
    insert_position,
)

pytestmark = pytest.mark.slow

ORGANIZATION = "aaaaaaaa-0000-4000-8000-00000000000a"
PERSON = "bbbbbbbb-0000-4000-8000-00000000000a"
TOKEN = "tally.token/0@0"
DIRECTORY = "tally.directory/0@0"
SOURCES = {TOKEN, DIRECTORY}
GRACE = timedelta(hours=2)
NOW = datetime(2026, 11, 5, 6, tzinfo=UTC)
DAY_1 = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = ["2026-11-02", "2026-11-03", "2026-11-04"]


class Desk:
    """An installation with one organization and its folder of reports."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.client: Client = database(url)
        self.folder = folder
        load_prices(self.client)
        insert_changes(
            self.client, [Change(ORGANIZATION, "plan.changed", DAY_1, {"plan": "enterprise_usage_based"}, 1)]
        )
        insert_people(self.client, [ORGANIZATION], {PERSON: "ada@example.com"})
        self.use(DAY_1 + timedelta(hours=9), 10)
        self.use(DAY_1 + timedelta(days=2, hours=9), 11)
        self.reach(12, NOW)

    def use(self, hour: datetime, offset: int, **values: Any) -> None:
        insert_cells(self.client, [Cell(ORGANIZATION, hour, PERSON, log_offset=offset, output_tokens=1000, **values)])

    def reach(self, next_offset: int, watermark: datetime) -> None:
        insert_position(self.client, TOKEN, next_offset, watermark)
        insert_position(self.client, DIRECTORY, 5, watermark)

    def run(self, now: datetime = NOW) -> Run:
        return run_once(self.client, self.folder, now, SOURCES, GRACE)

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder / ORGANIZATION)) for path in self.folder.rglob("*.csv"))

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.folder / ORGANIZATION / f"{name}.csv").open(newline="") as lines:
            return list(csv.DictReader(lines))

    def manifest(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads((self.folder / ORGANIZATION / f"{name}.csv.manifest.json").read_bytes())
        return found

    def ledger(self) -> list[tuple[Any, ...]]:
        query = "SELECT toString(day), revision, sha256, rows FROM issued_reports FINAL ORDER BY day, revision"
        return list(self.client.query(query).result_rows)


@pytest.fixture
def desk(clickhouse: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(clickhouse, tmp_path / "reports")
    yield desk
    desk.client.close()


def test_every_complete_day_is_issued_once(desk: Desk) -> None:
    run = desk.run()
    assert run.newest_complete == date(2026, 11, 4)
    assert desk.files() == [f"{day}.r1.csv" for day in DAYS]
    assert [len(desk.rows(f"{day}.r1")) for day in DAYS] == [1, 0, 1]
    assert [(row[0], row[1], row[3]) for row in desk.ledger()] == [(DAYS[0], 1, 1), (DAYS[1], 1, 0), (DAYS[2], 1, 1)]
    manifest = desk.manifest("2026-11-02.r1")
    assert manifest["sha256"] == desk.ledger()[0][2]
    assert manifest["next_offsets"] == {TOKEN: 12, DIRECTORY: 5}
    assert manifest["data_refreshed_at"] == "2026-11-05T06:00:00.000Z"
    assert manifest["totals"]["total_gross_spend_usd"] == "0.025"
    assert manifest["changes"] == {"reasons": ["first issue"]}
    again = desk.run()
    assert (again.issued, again.checked) == ([], 0)


@pytest.mark.parametrize(
    ("watermark", "newest"),
    [
        (datetime(2026, 11, 4, 2, tzinfo=UTC), "2026-11-03"),
        (datetime(2026, 11, 4, 1, 59, 59, tzinfo=UTC), "2026-11-02"),
    ],
)
def test_a_day_is_complete_when_the_log_was_read_past_its_grace(
    clickhouse: str, tmp_path: Path, watermark: datetime, newest: str
) -> None:
    desk = Desk(clickhouse, tmp_path)
    desk.client.command("TRUNCATE TABLE source_positions")
    assert desk.run().newest_complete is None
    assert desk.files() == []
    desk.reach(12, watermark)
    assert str(desk.run().newest_complete) == newest
    assert desk.files()[-1] == f"{newest}.r1.csv"


def test_a_late_event_makes_a_revision_and_leaves_the_old_file(desk: Desk) -> None:
    desk.run()
    first = (desk.folder / ORGANIZATION / "2026-11-02.r1.csv").read_bytes()
    insert_people(desk.client, [ORGANIZATION], {PERSON: "ada.new@example.com"}, log_offset=2)
    desk.use(DAY_1 + timedelta(hours=3), 12)
    desk.use(DAY_1 + timedelta(hours=3), 13, product="cowork")
    desk.reach(14, NOW)
    assert [path.name for path in desk.run().issued] == ["2026-11-02.r2.csv"]
    assert (desk.folder / ORGANIZATION / "2026-11-02.r1.csv").read_bytes() == first
    changes = desk.manifest("2026-11-02.r2")["changes"]
    assert changes["reasons"] == ["late events"]
    assert changes["rows"] == {"added": 1, "removed": 0, "changed": 1}
    assert (changes["totals_from"]["total_requests"], changes["totals_to"]["total_requests"]) == (1, 3)
    assert {row["user_email"] for row in desk.rows("2026-11-02.r2")} == {"ada.new@example.com"}
    assert desk.run().checked == 0


def test_a_cell_beyond_the_recorded_position_is_looked_at_again(desk: Desk) -> None:
    """A flush that was torn: the cell of offset 20 was there, that of offset 15 not yet, and the position was 12."""
    desk.use(DAY_1 + timedelta(hours=3), 20)
    desk.run()
    desk.use(DAY_1 + timedelta(hours=2), 15)
    desk.reach(21, NOW)
    assert [path.name for path in desk.run().issued] == ["2026-11-02.r2.csv"]
    assert desk.manifest("2026-11-02.r2")["totals"]["total_requests"] == 3
    assert desk.run().checked == 0


def test_a_new_name_alone_revises_nothing(desk: Desk) -> None:
    desk.run()
    insert_people(desk.client, [ORGANIZATION], {PERSON: "other@example.com"}, log_offset=2)
    insert_changes(desk.client, [Change(ORGANIZATION, "extra_usage.changed", DAY_1, {"enabled": True}, 9)])
    run = desk.run()
    assert (run.issued, run.checked) == ([], 3)
    assert desk.run().checked == 0


def test_a_discount_revises_the_days_it_changes(desk: Desk) -> None:
    desk.run()
    change = Change(ORGANIZATION, "discount.changed", DAY_1 + timedelta(days=1), {"discount": "0.2"}, 9)
    insert_changes(desk.client, [change])
    assert [path.name for path in desk.run().issued] == ["2026-11-04.r2.csv"]
    manifest = desk.manifest("2026-11-04.r2")
    assert manifest["changes"]["reasons"] == ["plan, discount or extra usage"]
    assert manifest["totals"]["total_net_spend_usd"] == "0.02"


def test_a_price_revises_the_days_it_changes(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    line = next(line for line in DEFAULT_PRICE_LIST.read_text().splitlines() if ",claude-opus-4-8," in line)
    dearer = line.replace("2026-05-28", "2026-11-04").replace(",5,25,", ",5,50,")
    prices = tmp_path / "prices.csv"
    prices.write_text(DEFAULT_PRICE_LIST.read_text() + dearer + "\n")
    with pytest.raises(IssuedReportsRest, match=r"issued reports are based on: 2026-11-04, of the organization"):
        load_prices(desk.client, prices)
    assert desk.run().issued == []
    assert load_prices(desk.client, prices, revise=True).changed
    assert [path.name for path in desk.run().issued] == ["2026-11-04.r2.csv"]
    assert desk.manifest("2026-11-04.r2")["totals"]["total_gross_spend_usd"] == "0.05"


def test_seats_have_reports_only_of_extra_usage(desk: Desk) -> None:
    changes = [
        Change(ORGANIZATION, "plan.changed", DAY_1, {"plan": "enterprise_seat_based"}, 20),
        Change(ORGANIZATION, "extra_usage.changed", DAY_1 + timedelta(days=2, hours=9), {"enabled": True}, 21),
    ]
    insert_changes(desk.client, changes)
    desk.use(DAY_1 + timedelta(days=2, hours=9), 12, funding="extra_usage", product="cowork")
    desk.run()
    assert desk.files() == ["2026-11-04.r1.csv"]
    assert [row["product"] for row in desk.rows("2026-11-04.r1")] == ["Cowork"]


def test_a_file_that_a_crash_left_out_of_the_ledger_stays_as_it_is(desk: Desk) -> None:
    desk.run()
    before = desk.ledger()
    desk.client.command("TRUNCATE TABLE issued_reports")
    desk.client.command("TRUNCATE TABLE report_checks")
    run = desk.run()
    assert (run.issued, run.checked) == ([], 3)
    assert desk.ledger() == before


@pytest.mark.parametrize("manifest", [None, "not JSON", "{}", '{"revision": 1, "sha256": "", "file": "x"}'])
def test_a_stranger_in_the_folder_is_left_alone_and_named_and_the_other_days_are_issued(
    desk: Desk, manifest: str | None
) -> None:
    (desk.folder / ORGANIZATION).mkdir(parents=True)
    stranger = desk.folder / ORGANIZATION / "2026-11-02.r1.csv"
    stranger.write_text("mine")
    if manifest is not None:
        manifest_path(stranger).write_text(manifest)
    run = desk.run()
    assert [path.name for path in run.issued] == ["2026-11-03.r1.csv", "2026-11-04.r1.csv"]
    [refused] = run.refused
    assert f"{stranger} is not in the ledger, and no manifest" in str(refused)
    assert stranger.read_text() == "mine"


def test_a_copy_under_the_name_of_the_next_revision_is_none(desk: Desk) -> None:
    desk.run()
    issued = desk.folder / ORGANIZATION / "2026-11-02.r1.csv"
    copy = issued.with_name("2026-11-02.r2.csv")
    copy.write_bytes(issued.read_bytes())
    manifest_path(copy).write_bytes(manifest_path(issued).read_bytes())
    before = desk.ledger()
    desk.use(DAY_1 + timedelta(hours=10), 12)
    desk.reach(13, NOW)
    run = desk.run()
    assert (run.issued, [str(copy) in str(each) for each in run.refused]) == ([], [True])
    assert desk.ledger() == before


def test_a_folder_that_cannot_be_written(desk: Desk) -> None:
    desk.folder.write_text("a file, not a folder")
    with pytest.raises(FileError, match="Cannot write"):
        desk.run()
    desk.folder.unlink()
    assert len(desk.run().issued) == 3


def test_a_full_disk_leaves_nothing_half_written(desk: Desk) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(FileError, match="Cannot write"):
            desk.run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in desk.folder.rglob("*") if path.is_file()] == []
    assert len(desk.run().issued) == 3


# -- however late ------------------------------------------------------------------------------------------------

YEAR_LATER = NOW + timedelta(days=400)


def test_a_late_event_revises_a_day_of_any_age(desk: Desk) -> None:
    desk.run()
    desk.use(DAY_1 + timedelta(hours=3), 12)
    desk.use(DAY_1 - timedelta(days=1), 13)
    desk.reach(14, NOW)
    [path] = desk.run(YEAR_LATER).issued
    assert path.name == "2026-11-02.r2.csv"
    assert desk.manifest("2026-11-02.r2")["changes"]["reasons"] == ["late events"]
    assert desk.manifest("2026-11-02.r2")["totals"]["total_requests"] == 2
    assert "2026-11-01.r1.csv" not in desk.files(), "a day so old is not issued for the first time"
    again = desk.run(YEAR_LATER)
    assert (again.issued, again.checked) == ([], 0)


def test_a_discount_revises_a_day_of_any_age(desk: Desk) -> None:
    desk.run()
    change = Change(ORGANIZATION, "discount.changed", DAY_1 + timedelta(days=1), {"discount": "0.2"}, 9)
    insert_changes(desk.client, [change])
    assert [path.name for path in desk.run(YEAR_LATER).issued] == ["2026-11-04.r2.csv"]
    assert desk.manifest("2026-11-04.r2")["totals"]["total_net_spend_usd"] == "0.02"
    assert desk.run(YEAR_LATER).checked == 0


def test_a_price_revises_a_day_of_any_age(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    line = next(line for line in DEFAULT_PRICE_LIST.read_text().splitlines() if ",claude-opus-4-8," in line)
    prices = tmp_path / "prices.csv"
    prices.write_text(
        DEFAULT_PRICE_LIST.read_text() + line.replace("2026-05-28", "2026-11-04").replace(",5,25,", ",5,50,") + "\n"
    )
    load_prices(desk.client, prices, revise=True)
    assert [path.name for path in desk.run(YEAR_LATER).issued] == ["2026-11-04.r2.csv"]
    assert desk.run(YEAR_LATER).checked == 0


def test_days_that_are_due_do_not_wait_for_old_ones(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.run()
    monkeypatch.setattr("reports.exports.export_worker.OLDER_A_RUN", 2)
    insert_changes(desk.client, [Change(ORGANIZATION, "discount.changed", DAY_1, {"discount": "0.3"}, 10)])
    runs = [desk.run(YEAR_LATER) for _ in range(3)]
    assert [run.behind for run in runs] == [1, 0, 0]
    assert [[path.name for path in run.issued] for run in runs] == [["2026-11-04.r2.csv"], ["2026-11-02.r2.csv"], []]


def test_how_far_days_reach_is_read_from_what_is_kept_of_each_day(desk: Desk) -> None:
    """A run that finds nothing new must cost little, however many years of cells there are."""
    asked: list[str] = []
    query = desk.client.query

    def noting(text: str, **options: Any) -> Any:
        asked.append(text)
        return query(text, **options)

    desk.client.query = noting
    assert newest_offsets(desk.client)
    plan = "\n".join(row[0] for row in query(f"EXPLAIN {asked[-1]}").result_rows)
    assert "states" in plan


# -- what was issued ---------------------------------------------------------------------------------------------


def test_a_file_that_was_changed_is_not_entered_and_the_others_are(desk: Desk) -> None:
    desk.run()
    desk.client.command("TRUNCATE TABLE issued_reports")
    desk.client.command("TRUNCATE TABLE report_checks")
    changed = desk.folder / ORGANIZATION / "2026-11-03.r1.csv"
    changed.write_bytes(changed.read_bytes() + b"a row of mine\r\n")
    run = desk.run()
    [refused] = run.refused
    assert "2026-11-03.r1.csv is not the file that was issued" in str(refused)
    assert [row[0] for row in desk.ledger()] == [DAYS[0], DAYS[2]]


def test_a_revision_does_not_compare_itself_with_a_file_that_was_changed(desk: Desk) -> None:
    desk.run()
    first = desk.folder / ORGANIZATION / "2026-11-02.r1.csv"
    first.write_bytes(first.read_bytes().replace(b"0.025", b"9.025"))
    desk.use(DAY_1 + timedelta(hours=3), 12)
    desk.reach(14, NOW)
    assert [path.name for path in desk.run().issued] == ["2026-11-02.r2.csv"]
    assert desk.manifest("2026-11-02.r2")["changes"] == {"reasons": ["late events"]}


def test_the_doctor_names_what_was_changed_and_what_is_behind(desk: Desk) -> None:
    settings = Settings(
        clickhouse_url=desk.url, clickhouse_database=desk.client.database, reports_dir=desk.folder, now=NOW
    )

    def found() -> list[tuple[str, str, str]]:
        return [(each.level, each.where, each.what) for each in report_findings(look_at_reports(settings))]

    assert found() == []
    desk.run()
    assert found() == [("ok", "issued reports", "all 3 are as issued, and compared with the tables")]
    desk.use(DAY_1 + timedelta(hours=3), 12)
    changed = desk.folder / ORGANIZATION / "2026-11-03.r1.csv"
    changed.write_bytes(b"mine")
    problem, warning = found()
    assert problem[:2] == ("problem", str(changed))
    assert warning[::2] == (
        "warning",
        "1 day with issued reports, from 2026-11-02 on, may have changed since: late events",
    )
    (desk.folder / ORGANIZATION / "2026-11-03.r1.csv").unlink()
    assert [each[0] for each in found()] == ["warning"], "a file that was moved away is not one that was changed"
