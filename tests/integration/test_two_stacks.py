"""`tally up` beside other programs: two started at once are two stacks, and a stranger is not taken for a part."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.main import run
from deploy.embedded.ports import free_port
from deploy.embedded.stack import read_settings, read_stack
from deploy.errors import ExitCode
from sinks.client import connect
from tests.support.processes import start as start_process

PARTS = ("kafka", "clickhouse", "worker-1", "exporter", "api")
Up = Callable[[Path], "subprocess.Popen[str]"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def up() -> Iterator[Up]:
    """Starts `tally up` in a folder; what still runs at the end is ended."""
    started: list[subprocess.Popen[str]] = []

    def begin(folder: Path) -> "subprocess.Popen[str]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
        process = start_process(
            [sys.executable, "-m", "cli", "up"],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in started:
        process.communicate(timeout=60)


def folder_with_ports(parent: Path, name: str, ports: dict[str, int]) -> Path:
    folder = parent / name
    (folder / ".tally").mkdir(parents=True)
    (folder / ".tally" / "ports.json").write_text(json.dumps(ports))
    return folder


def wait_for(condition: Callable[[], object], process: "subprocess.Popen[str]", seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None and process.stderr is not None:
            pytest.fail(f"it ended with {process.returncode}: {process.stderr.read()}")
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.05)


def is_up(folder: Path) -> bool:
    children = read_stack(folder / ".tally")
    return all(children.get(part, {}).get("healthy") for part in PARTS)


def test_two_stacks_that_start_at_once_are_two_stacks(tmp_path: Path, up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {part: free_port() for part in PARTS}
    folders = [folder_with_ports(tmp_path, name, wanted) for name in ("one", "two")]
    processes = [up(folder) for folder in folders]
    for folder, process in zip(folders, processes, strict=True):
        wait_for(lambda folder=folder: is_up(folder), process)  # type: ignore[misc]
    urls = [child["url"] for folder in folders for child in read_stack(folder / ".tally").values() if child["url"]]
    assert len(urls) == len({*urls}) == 2 * len(PARTS)

    own, other = (read_settings(folder / ".tally") or {} for folder in folders)
    assert (own["kafka_sasl_password"], own["clickhouse_password"]) != (
        other["kafka_sasl_password"],
        other["clickhouse_password"],
    )
    with closing(connect(str(own["clickhouse_url"]), password=str(own["clickhouse_password"]))) as client:
        assert client.command("SELECT count() FROM source_positions") is not None
    with pytest.raises(ClickHouseError, match="Authentication failed"):
        connect(str(other["clickhouse_url"]), password=str(own["clickhouse_password"]))

    for variable in [name for name in os.environ if name.startswith("TALLY_")]:
        monkeypatch.delenv(variable)
    for folder in folders:  # each is found, password and all, by a command in its folder
        monkeypatch.chdir(folder)
        assert run(["topics", "create"]) == ExitCode.OK
        assert run(["positions", "list"]) == ExitCode.OK
    private = [path for folder in folders for path in (folder / ".tally").rglob("*") if not path.is_symlink()]
    assert not [path for path in private if path.stat().st_mode & 0o077 and path.name != "ports.json"]


@pytest.mark.parametrize("part", ["clickhouse", "api"])
def test_a_stranger_that_takes_a_chosen_port_ends_the_start(tmp_path: Path, up: Up, part: str) -> None:
    """A web server that says 200 to everything, on a port that was free when it was chosen."""
    port = free_port()
    folder = folder_with_ports(tmp_path, "stack", {**{each: free_port() for each in PARTS}, part: port})
    asked: list[str] = []

    class Yes(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"Ok.\n")

        do_GET = do_POST

    process = up(folder)
    wait_for(lambda: (folder / ".tally" / "settings.json").exists(), process)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Yes) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        _, message = process.communicate(timeout=180)
        stranger.shutdown()
    assert process.returncode == ExitCode.BUSY
    assert message.startswith(f"tally: {part} cannot listen on 127.0.0.1:{port}, because another program does.")
    assert not asked


def test_a_port_that_was_lost_ends_the_stack(tmp_path: Path, up: Up) -> None:
    folder = folder_with_ports(tmp_path, "stack", {part: free_port() for part in PARTS})
    process = up(folder)
    wait_for(lambda: is_up(folder), process)
    children = read_stack(folder / ".tally")
    port = int(children["clickhouse"]["url"].rpartition(":")[2])
    process.send_signal(signal.SIGSTOP)  # it must find the port taken, however slow we are
    os.kill(children["clickhouse"]["pid"], signal.SIGKILL)
    while free_port(port) != port:
        time.sleep(0.05)
    with socket.create_server(("127.0.0.1", port)):
        process.send_signal(signal.SIGCONT)
        _, message = process.communicate(timeout=180)
    assert process.returncode == ExitCode.BUSY
    assert f"clickhouse cannot listen on 127.0.0.1:{port}, because another program does" in message
