"""Bad days at the command line: one clear line, an exit code that means something, nothing half done."""

import resource
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.embedded.ports import free_port
from deploy.embedded.stack import read_stack
from deploy.errors import ExitCode
from deploy.settings import Settings
from simulation import Plan, simulate
from tests.support.incidents import eventually, query, start_up, tally
from tests.support.pipeline import pipeline
from tests.support.stack import start_clickhouse

pytestmark = pytest.mark.slow

PLAN = Plan(until=datetime.now(UTC).date(), seed=3, organizations=2, users=8, days=3)

A_DAY = 24 * 60
"""Minutes after which a day is complete for the stack: it leaves yesterday's reports to a test."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A `tally up` over a Kafka and a ClickHouse from outside, with a little history that is folded."""
    with pipeline(tmp_path_factory.mktemp("commands"), completeness_grace_minutes=A_DAY) as running:
        running.emit(simulate(PLAN))
        up = start_up(running.settings)
        running.wait()
        yield running.settings
        up.terminate()
        assert up.wait(timeout=120) == 0


def one_line(answer: "subprocess.CompletedProcess[str]", code: ExitCode, *said: str) -> None:
    """The command ended so, and said that in one line on stderr."""
    assert (answer.returncode, answer.stdout) == (code, ""), answer
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert [each for each in said if each not in answer.stderr] == [], answer.stderr


def test_a_second_tally_up_in_the_folder_says_so_and_changes_nothing(stack: Settings) -> None:
    eventually(lambda: read_stack(stack.data_dir).get("api", {}).get("healthy"))  # the last to start
    known = (stack.data_dir / "stack.json").read_text()
    one_line(tally(stack, "up"), ExitCode.BUSY, "already running in", str(stack.data_dir))
    assert (stack.data_dir / "stack.json").read_text() == known


def test_tally_up_runs_the_api_as_one_more_process(stack: Settings) -> None:
    def url_of_api() -> str:
        child = read_stack(stack.data_dir).get("api", {})
        return str(child["url"]) if child.get("healthy") else ""

    url = eventually(url_of_api)
    assert httpx.get(f"{url}/alive").text == "ok"
    eventually(lambda: httpx.get(f"{url}/health").json().get("data_refreshed_at"))
    made = tally(stack, "keys", "create", "--organization", organization_of(stack), "--name", "test")
    asked = {"starting_date": str(datetime.now(UTC).date() - timedelta(days=3))}
    path = f"{url}/v1/organizations/analytics/summaries"
    answer = httpx.get(path, params=asked, headers={"x-api-key": made.stdout.strip()})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"][0]["monthly_active_user_count"] > 0


def organization_of(stack: Settings) -> str:
    return str(query(stack, "SELECT toString(any(organization_id)) FROM chat_cells")[0][0])


def test_a_wrong_password_ends_worker_and_commands_at_once(stack: Settings, tmp_path: Path) -> None:
    server = start_clickhouse(tmp_path / "clickhouse", password="right")
    wrong = stack.model_copy(update={"clickhouse_url": server.child.url, "data_dir": tmp_path})
    try:
        for command in (("positions", "list"), ("top", "--once"), ("migrate",), ("exporter", "--once")):
            answer = tally(wrong, *command, env={"TALLY_CLICKHOUSE_PASSWORD": "wrong"})
            one_line(answer, ExitCode.DENIED, "Check clickhouse_user and clickhouse_password")
        worker = tally(wrong, "worker", env={"TALLY_CLICKHOUSE_PASSWORD": "wrong"})
        assert worker.returncode == ExitCode.DENIED
        assert "Check clickhouse_user and clickhouse_password" in worker.stderr.splitlines()[-1]
        assert "Traceback" not in worker.stderr
    finally:
        server.stop()


def test_a_worker_whose_port_is_taken_ends_with_one_line(stack: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        worker = tally(stack.model_copy(update={"metrics_port": port}), "worker")
    assert worker.returncode == ExitCode.BUSY
    last = worker.stderr.splitlines()[-1]
    assert last.startswith("tally: A port is taken: ")
    assert str(port) in last
    assert "Traceback" not in worker.stderr


def test_an_unknown_setting_is_named_with_the_nearest(stack: Settings) -> None:
    answer = tally(stack, "worker", env={"TALLY_DEAD_LETTER_LIMTI": "1"})
    one_line(answer, ExitCode.USAGE, "TALLY_DEAD_LETTER_LIMTI", "TALLY_DEAD_LETTER_LIMIT")


@pytest.mark.parametrize("name", ["kafka_bootstrap", "clickhouse_url"])
def test_a_server_that_is_away_is_named(stack: Settings, tmp_path: Path, name: str) -> None:
    port = free_port()
    away = {"kafka_bootstrap": f"127.0.0.1:{port}", "clickhouse_url": f"http://127.0.0.1:{port}"}[name]
    settings = stack.model_copy(update={name: away, "data_dir": tmp_path})
    for command in (("positions", "list"), ("top", "--once"), ("epoch", "tally.chat", "--mode", "replace", "--yes")):
        one_line(tally(settings, *command), ExitCode.UNREACHABLE, f"127.0.0.1:{port}", name)


def test_a_full_disk_leaves_no_half_written_report(stack: Settings, tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk's end: writing fails in the middle in the same way."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    (organization,) = query(stack, "SELECT toString(organization_id) FROM spend WHERE reported LIMIT 1")[0]
    report = tmp_path / "report.csv"
    arguments = ("--organization", organization, "--period", "last-90-days", "--provisional", "--out", str(report))
    one_line(tally(stack, "export", *arguments, preexec_fn=limit), ExitCode.FILE, str(tmp_path), "file too large")
    issuing = stack.model_copy(update={"reports_dir": tmp_path, "completeness_grace_minutes": 0})
    exporter = tally(issuing, "exporter", "--once", preexec_fn=limit)
    assert exporter.returncode == ExitCode.FILE, exporter.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size] == []
    assert tally(stack, "export", *arguments).returncode == 0
