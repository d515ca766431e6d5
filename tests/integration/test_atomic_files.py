"""Files are whole or not there, whatever ends their writer."""

from datetime import timedelta
from pathlib import Path

import pytest
from urllib3.exceptions import HTTPError

from bench.export_memory import FIRST, fill
from bench.export_memory import ORGANIZATION as BIG
from deploy.errors import explain
from files.atomic_files import atomic_write, clear_partials, staged_file
from files.errors import FileError
from files.locks import exclusive_lock
from queries.errors import RefusedError
from reports.exports.spend_report import write_spend_report
from reports.periods import Period
from tests.support.stack import start_clickhouse
from tests.support.table_rows import database


def test_a_draft_is_seen_when_it_is_published(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.csv"
    with staged_file(path) as file:
        file.sink.write(b"whole")
        assert not path.exists()
        file.publish()
        assert path.read_bytes() == b"whole"
    with staged_file(path) as file:
        file.sink.write(b"let go")
    assert [one.name for one in path.parent.iterdir()] == ["a.csv"]
    with atomic_write(path) as sink:
        sink.write(b"newer")
    assert path.read_bytes() == b"newer"


def test_an_error_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")

    def write() -> None:
        with atomic_write(path) as sink:
            sink.write(b"half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write()
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.csv", b"old")]


def test_what_a_killed_writer_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "org").mkdir()
    left = tmp_path / "org" / ".2026-11-02.r1.csv.4711.partial"
    left.write_bytes(b"half")
    clear_partials(tmp_path)
    assert not left.exists()


def test_one_writer_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    with exclusive_lock(folder), pytest.raises(FileError, match="Another export worker"), exclusive_lock(folder):
        raise AssertionError("two writers")
    with exclusive_lock(folder):
        pass


def test_a_database_that_dies_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    server = start_clickhouse(tmp_path / "clickhouse")
    client = database(server.child.url)
    fill(client, 200_000)
    path = tmp_path / "report.csv"
    quarter = Period("custom", FIRST, FIRST + timedelta(days=89))
    heard: list[int] = []

    def kill_at_first(rows: int) -> None:
        heard.append(rows)
        server.kill()

    def export() -> None:
        with staged_file(path) as file:
            write_spend_report(client, BIG, quarter, file.sink, kill_at_first)
            file.publish()

    with pytest.raises((RefusedError, HTTPError)) as told:
        export()
    assert isinstance(told.value, RefusedError) or explain(told.value) is not None
    assert heard
    assert list(tmp_path.glob("*report*")) == []
