"""`tally export` and the export worker over a real Kafka and ClickHouse: settings in, files out, errors as one line."""

import asyncio
import os
import shutil
import threading
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from access.audit_log import read_entries
from deploy.connections import report_client
from deploy.database import prepare_database
from deploy.errors import ExitCode, UserError, explain
from deploy.export import export, export_once, run_exporter
from deploy.settings import Settings
from files.errors import FileError
from queries.errors import RefusedError
from reports.exports.formats import focus_form, spend_format
from reports.exports.spend_columns import CLAUDE_2026_10
from streams.source_names import expected_sources
from streams.topics import TopicsMissing, ensure_topics, topic_specs
from tally_client.events import EVENTS_BY_TOPIC
from tests.support.table_rows import Cell, Change, insert_cells, insert_changes, insert_position

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 5, 6, tzinfo=UTC)
DAY_1 = datetime(2026, 11, 2, tzinfo=UTC)
ORGANIZATION = "aaaaaaaa-0000-4000-8000-00000000000b"
PERSON = "bbbbbbbb-0000-4000-8000-00000000000b"


@pytest.fixture
def settings(clickhouse: str, own_kafka: str, tmp_path: Path) -> Settings:
    """An installation whose workers have read the log to its end at NOW."""
    asyncio.run(ensure_topics(own_kafka, topic_specs(2)))
    settings = Settings(
        kafka_bootstrap=own_kafka,
        clickhouse_url=clickhouse,
        clickhouse_database=f"t_{uuid4().hex}",
        reports_dir=tmp_path / "reports",
        now=NOW,
    )
    prepare_database(settings)
    client = report_client(settings)
    insert_changes(client, [Change(ORGANIZATION, "plan.changed", DAY_1, {"plan": "enterprise_usage_based"}, 1)])
    insert_cells(client, [Cell(ORGANIZATION, DAY_1 + timedelta(hours=5), PERSON, output_tokens=1000)])
    insert_cells(client, [Cell(ORGANIZATION, NOW.replace(hour=5), PERSON, output_tokens=2000)])
    for source in asyncio.run(expected_sources(own_kafka, {})):
        insert_position(client, source, 10, NOW)
    client.close()
    return settings


def test_expected_sources_are_all_partitions_in_their_epochs(own_kafka: str) -> None:
    asyncio.run(ensure_topics(own_kafka, topic_specs(2)))
    sources = asyncio.run(expected_sources(own_kafka, {}, {"tally.token": 3}))
    assert len(sources) == 2 * len(EVENTS_BY_TOPIC)
    assert {"tally.token/0@3", "tally.token/1@3", "tally.chat/1@0"} <= sources
    with pytest.raises(TopicsMissing, match=r"no topic tally\.nothing"):
        asyncio.run(expected_sources(own_kafka, {}, topics=("tally.nothing", "tally.chat")))


def test_export_writes_a_file_and_its_manifest(settings: Settings, tmp_path: Path) -> None:
    heard: list[int] = []
    done = export(settings, ORGANIZATION.upper(), "mtd", out=tmp_path / "a.csv", progress=heard.append)
    assert (done.path, done.period.last) == (tmp_path / "a.csv", date(2026, 11, 4))
    assert done.path.read_bytes().count(b"\r\n") == 2
    assert done.manifest_path is not None
    assert done.manifest_path.name == "a.csv.manifest.json"
    assert (done.manifest["rows"], done.manifest["provisional"], done.unpriced_models) == (1, False, [])
    again = export(settings, ORGANIZATION, "mtd", out=tmp_path / "b.csv")
    assert again.path.read_bytes() == done.path.read_bytes()


def test_an_export_in_other_columns_says_which(settings: Settings, tmp_path: Path) -> None:
    done = export(settings, ORGANIZATION, "mtd", out=tmp_path / "a.csv", form=spend_format(CLAUDE_2026_10))
    header, row, _ = done.path.read_text().split("\n")
    assert done.manifest["columns"] == header.strip().split(",") == list(CLAUDE_2026_10.columns)
    assert (done.manifest["format"], done.manifest["totals"]["total_completion_tokens"]) == ("claude-2026-10", 1000)
    assert row.startswith(f",{PERSON},Chat,claude-opus-4-8,1,0,1000,")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_charges_in_focus_have_a_manifest_like_any_export(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = export(settings, ORGANIZATION, "mtd", form=focus_form(suffix))
    assert done.path.name == f"focus-1.2-{ORGANIZATION}-2026-11-01-2026-11-04{suffix}"
    assert done.manifest["sha256"] == sha256(done.path.read_bytes()).hexdigest()
    assert (done.manifest["format"], done.manifest["rows"], done.unpriced_models) == ("focus-1.2", 1, [])
    assert done.manifest["columns"][0] == "BilledCost"
    spend = export(settings, ORGANIZATION, "mtd", out=tmp_path / "a.csv")
    assert done.manifest["totals"].items() <= spend.manifest["totals"].items()


def test_charges_without_a_price_are_refused_and_leave_no_file(settings: Settings, tmp_path: Path) -> None:
    client = report_client(settings)
    insert_cells(client, [Cell(ORGANIZATION, DAY_1, PERSON, model="claude-unheard-of", output_tokens=1)])
    with pytest.raises(RefusedError, match="claude-unheard-of") as told:
        export(settings, ORGANIZATION, "mtd", out=tmp_path / "a.csv", form=focus_form(".csv"))
    line = explain(told.value)
    assert line is not None
    assert line.exit_code == ExitCode.REFUSED
    assert not list(tmp_path.glob("*.csv"))


def test_a_provisional_export_goes_to_now_and_says_so_in_its_name(settings: Settings, tmp_path: Path) -> None:
    done = export(settings, ORGANIZATION, "mtd", provisional=True, out=tmp_path / "a.csv")
    assert done.path == tmp_path / "a.provisional.csv"
    assert (done.manifest["rows"], done.manifest["provisional"]) == (2, True)


def test_every_export_has_a_name_of_its_own(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    day: dict[str, Any] = {"period": "custom", "start": DAY_1.date(), "end": DAY_1.date()}
    asked: list[dict[str, Any]] = [
        {"period": "mtd"},
        {"period": "mtd", "provisional": True},
        day,
        day | {"form": spend_format(CLAUDE_2026_10)},
        day | {"form": focus_form(".csv")},
        day | {"form": focus_form(".parquet")},
    ]
    done = [export(settings, ORGANIZATION, **each) for each in asked]
    assert [each.path.name.replace(ORGANIZATION, "ID") for each in done] == [
        "spend-daily-ID-2026-11-01-2026-11-04.csv",
        "spend-daily-ID-2026-11-01-2026-11-05.provisional.csv",
        "spend-daily-ID-2026-11-02-2026-11-02.csv",
        "spend-claude-2026-10-ID-2026-11-02-2026-11-02.csv",
        "focus-1.2-ID-2026-11-02-2026-11-02.csv",
        "focus-1.2-ID-2026-11-02-2026-11-02.parquet",
    ]
    for each in done:
        assert each.manifest_path
        assert orjson.loads(each.manifest_path.read_bytes()) == each.manifest
        assert each.manifest["file"] == each.path.name
        assert sha256(each.path.read_bytes()).hexdigest() == each.manifest["sha256"]
    assert len(list(tmp_path.glob("[sf]*"))) == 2 * len(asked)
    for again in asked:
        export(settings, ORGANIZATION, **again)  # the very same ones may be made again
    assert len(list(tmp_path.glob("[sf]*"))) == 2 * len(asked)


def test_no_export_replaces_anything_but_itself(settings: Settings, tmp_path: Path) -> None:
    day: dict[str, Any] = {"period": "custom", "start": DAY_1.date(), "end": DAY_1.date(), "out": tmp_path / "a.csv"}
    done = export(settings, ORGANIZATION, **day)
    others: list[dict[str, Any]] = [
        {"end": date(2026, 11, 3)},
        {"form": spend_format(CLAUDE_2026_10)},
        {"form": focus_form(".csv")},
    ]
    before = {path: path.read_bytes() for path in tmp_path.glob("a*")}
    for other in others:
        with pytest.raises(FileError, match="already exists") as told:
            export(settings, ORGANIZATION, **(day | other))
        assert "--replace" in told.value.hint
    assert {path: path.read_bytes() for path in tmp_path.glob("a*")} == before
    edited = done.path.read_bytes() + b"a note"
    done.path.write_bytes(edited)
    with pytest.raises(FileError, match="already exists"):
        export(settings, ORGANIZATION, **day)
    assert done.path.read_bytes() == edited
    assert export(settings, ORGANIZATION, **day, replace=True).path.read_bytes() + b"a note" == edited
    done.path.rename(tmp_path / "kept.csv")
    with pytest.raises(FileError, match="the manifest of another file"):
        export(settings, ORGANIZATION, **(day | others[0]))
    os.mkfifo(tmp_path / "f.csv.manifest.json")
    with pytest.raises(FileError, match="the manifest of another file"):
        export(settings, ORGANIZATION, **(day | {"out": tmp_path / "f.csv"}))
    (tmp_path / "b.csv").write_bytes(b"somebody's")
    with pytest.raises(FileError, match="already exists"):
        export(settings, ORGANIZATION, **(day | {"out": tmp_path / "b.csv"}))
    (tmp_path / "c.csv").touch(0o640)
    done = export(settings, ORGANIZATION, **(day | {"out": tmp_path / "c.csv"}))
    assert done.path.stat().st_mode & 0o777 == 0o640


def test_no_export_touches_an_issued_report(settings: Settings, tmp_path: Path) -> None:
    export_once(settings)
    issued = settings.reports_dir / ORGANIZATION / f"{DAY_1:%Y-%m-%d}.r1.csv"
    day: dict[str, Any] = {"period": "custom", "start": DAY_1.date(), "end": DAY_1.date(), "replace": True}
    before = {path: path.read_bytes() for path in settings.reports_dir.rglob("*.csv*")}
    assert issued in before
    (tmp_path / "link.csv").symlink_to(issued)
    for out in (
        issued,
        issued.with_name(f"{DAY_1:%Y-%m-%d}.r2.csv"),
        settings.reports_dir / "a.csv",
        tmp_path / "link.csv",
    ):
        with pytest.raises(FileError, match="the folder of issued reports"):
            export(settings, ORGANIZATION, **(day | {"out": out}))
    assert {path: path.read_bytes() for path in settings.reports_dir.rglob("*.csv*")} == before
    shutil.copytree(settings.reports_dir, tmp_path / "copied")
    copied = tmp_path / "copied" / ORGANIZATION / issued.name
    with pytest.raises(FileError, match="already exists"):
        export(settings, ORGANIZATION, **(day | {"out": copied, "replace": False}))


def test_an_export_into_a_stream_is_whole_and_leaves_nothing_beside_it(settings: Settings, tmp_path: Path) -> None:
    fifo, found = tmp_path / "p.csv", list[bytes]()
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: found.append(fifo.read_bytes()))
    reader.start()
    done = export(settings, ORGANIZATION, "mtd", provisional=True, out=fifo)
    reader.join(30)
    assert (done.path, done.manifest_path, fifo.is_fifo()) == (fifo, None, True)
    assert sha256(found[0]).hexdigest() == done.manifest["sha256"]
    assert [path for path in tmp_path.glob("*.csv*") if path != fifo] == []
    [entry] = read_entries(report_client(settings), ORGANIZATION, NOW - timedelta(days=1), 9)
    assert entry.sha256 == done.manifest["sha256"]


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"organization": "nobody"}, ExitCode.USAGE, "not a UUID"),
        ({"organization": "aaaaaaaa-0000-4000-8000-00000000dead"}, ExitCode.REFUSED, "does not exist in the directory"),
        ({"period": "fortnight"}, ExitCode.REFUSED, "Unknown period"),
        ({"period": "custom", "start": date(2026, 11, 4), "end": date(2026, 11, 5)}, ExitCode.REFUSED, "not complete"),
        ({"period": "custom", "start": date(2026, 6, 1)}, ExitCode.REFUSED, "more than 90 days"),
        ({"out": Path("/proc/nothing/a.csv")}, ExitCode.FILE, "Cannot write"),
        ({"out": Path("/tmp")}, ExitCode.FILE, "it is a folder"),
    ],
)
def test_a_wrong_export_is_one_clear_line(
    settings: Settings, tmp_path: Path, change: dict[str, Any], code: ExitCode, says: str
) -> None:
    asked: dict[str, Any] = {"organization": ORGANIZATION, "period": "mtd", "out": tmp_path / "a.csv", **change}
    with pytest.raises((RefusedError, FileError, UserError), match=says) as told:
        export(settings, **asked)
    line = explain(told.value)
    assert line is not None
    assert line.exit_code == code
    assert line.hint.endswith(".")
    assert not list(tmp_path.glob("*.csv"))


def test_an_export_is_refused_while_a_partition_was_never_read(settings: Settings, tmp_path: Path) -> None:
    client = report_client(settings)
    client.command("TRUNCATE TABLE source_positions")
    with pytest.raises(RefusedError, match="No day is complete"):
        export(settings, ORGANIZATION, "mtd", out=tmp_path / "a.csv")


def test_the_export_worker_runs_until_it_is_stopped(settings: Settings) -> None:
    stop = threading.Event()
    worker = threading.Thread(target=run_exporter, args=(settings, 0.1, stop))
    worker.start()
    folder = settings.reports_dir / ORGANIZATION
    deadline = datetime.now(UTC) + timedelta(seconds=120)
    while len(list(folder.glob("*.r1.csv"))) < 3 and datetime.now(UTC) < deadline:
        stop.wait(0.1)
    with pytest.raises(FileError, match="Another export worker"):
        export_once(settings)
    stop.set()
    worker.join(120)
    assert len(list(folder.glob("*.csv"))) == 3
    assert export_once(settings).issued == []
