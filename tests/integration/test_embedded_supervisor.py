"""The supervisor with real processes: restarts, order of stop, one at a time, no orphans."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.embedded.ports import free_port
from tests.support.processes import start as start_process

SCRIPT = """
import signal, sys, pathlib
# As in a terminal's foreground: whoever runs these tests in the background of a shell ignores SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
from rich.console import Console
from deploy.embedded.child import Child
from deploy.embedded.stack import StackRunning, hold_stack
from deploy.embedded.supervisor import Backoff, Supervisor

data = pathlib.Path(sys.argv[1])
LISTENS = "import socket, os; s = socket.create_server(('127.0.0.1', int(os.environ['PORT']))); import time"
def listener(name, port, code=LISTENS, limit=60):
    up = data / (name + ".up")
    command = (sys.executable, "-c", code + f"; open({str(up)!r}, 'w').close(); time.sleep(600)")
    env = {"PORT": str(port)}
    return Child(name, command, up.exists, env, stop_timeout=1, url=f"http://127.0.0.1:{port}", start_timeout=limit)
def python(name, code):
    up = data / (name + ".up")
    command = (sys.executable, "-c", code + f"; open({str(up)!r}, 'w').close(); time.sleep(600)")
    return Child(name, command, up.exists, stop_timeout=1, url="http://" + name)
SLEEPS = "import time; print('hello', flush=True)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
CHILDREN = {
    "sleepers": [python("first", SLEEPS), python("second", SLEEPS)],
    "stubborn": [python("first", STUBBORN), python("second", PARENT)],
    "listening": [listener("first", sys.argv[3]), python("second", SLEEPS)] if len(sys.argv) > 3 else [],
    "deaf": [listener("first", sys.argv[3], SLEEPS, limit=3)] if len(sys.argv) > 3 else [],
    "failing": [python("first", SLEEPS), python("second", "raise SystemExit('no such thing')")],
}
def until():
    return {"work": lambda: 7, "error": lambda: 1 / 0}[sys.argv[3]]()
try:
    with hold_stack(data) as ports:
        print("port", ports.choose("http", 0), flush=True)
        children = CHILDREN[sys.argv[2]]
        work = until if len(sys.argv) > 3 and not sys.argv[3].isdigit() else None
        code = Supervisor(data, children, Console(), Backoff(first=0.05, longest=0.4)).run(work)
except StackRunning as error:
    sys.exit(str(error))
sys.exit(code)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts supervisors over `tmp_path`; what is left of them at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> "subprocess.Popen[str]":
        process = start_process(
            [sys.executable, "-c", SCRIPT, str(tmp_path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def stack(data: Path) -> dict[str, dict[str, object]]:
    try:
        children: dict[str, dict[str, object]] = json.loads((data / "stack.json").read_text())["children"]
    except FileNotFoundError:
        return {}
    return children


def until_true(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def all_up(data: Path, names: tuple[str, ...] = ("first", "second")) -> bool:
    children = stack(data)
    return all(name in children and children[name]["healthy"] for name in names)


def pid_of(data: Path, name: str) -> int:
    return int(str(stack(data)[name]["pid"]))


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_ctrl_c_stops_all_in_reverse_order(start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    supervisor = start("sleepers")
    until_true(lambda: all_up(tmp_path))
    pids = [pid_of(tmp_path, name) for name in ("first", "second")]
    supervisor.send_signal(signal.SIGINT)
    output, _ = supervisor.communicate(timeout=120)
    assert supervisor.returncode == 0
    assert output.index("second stopped") < output.index("first stopped")
    assert all(gone(pid) for pid in pids)
    assert not (tmp_path / "stack.json").exists()
    log = (tmp_path / "stack.log").read_text()
    assert "first      | hello" in log
    assert "second     | hello" in log
    assert "\x1b" not in output  # not a terminal, so no colors


def test_a_dead_child_is_started_again_later_each_time(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    supervisor = start("sleepers")
    until_true(lambda: all_up(tmp_path))
    other = pid_of(tmp_path, "first")
    for restarts in (1, 2, 3):
        before = pid_of(tmp_path, "second")
        os.kill(before, signal.SIGKILL)
        until_true(lambda: stack(tmp_path)["second"]["restarts"] == restarts)  # noqa: B023
        until_true(lambda: all_up(tmp_path))
    assert pid_of(tmp_path, "first") == other
    supervisor.send_signal(signal.SIGTERM)
    output, _ = supervisor.communicate(timeout=120)
    delays = [line.rpartition(" in ")[2] for line in output.splitlines() if "restarting it" in line]
    assert delays == ["0.05 s", "0.1 s", "0.2 s"]
    assert "second exited with -9" in output


def test_a_killed_supervisor_leaves_no_orphans(start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    supervisor = start("stubborn")
    until_true(lambda: all_up(tmp_path))
    pids = [pid_of(tmp_path, name) for name in ("first", "second")]
    supervisor.kill()
    until_true(lambda: all(gone(pid) for pid in pids))
    (tmp_path / "first.up").unlink()
    successor = start("sleepers")  # the lock went with its holder
    until_true(lambda: (tmp_path / "first.up").exists() and all_up(tmp_path))
    successor.terminate()
    assert successor.wait(120) == 0


def test_children_that_ignore_sigterm_and_grandchildren_are_killed(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    supervisor = start("stubborn")
    until_true(lambda: all_up(tmp_path))
    until_true(lambda: len(psutil.Process(pid_of(tmp_path, "second")).children()) == 1)
    grandchild = psutil.Process(pid_of(tmp_path, "second")).children()[0].pid
    stubborn = pid_of(tmp_path, "first")
    supervisor.terminate()
    output, _ = supervisor.communicate(timeout=120)
    assert "first had to be killed" in output
    assert gone(grandchild)
    assert gone(stubborn)


def test_a_second_start_says_what_runs_and_changes_nothing(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    supervisor = start("sleepers")
    until_true(lambda: all_up(tmp_path))
    before = (tmp_path / "stack.json").read_text()
    _, message = start("sleepers").communicate(timeout=120)
    assert message.strip() == (
        f"already running in {tmp_path}, pid {supervisor.pid}: first http://first, second http://second"
    )
    assert (tmp_path / "stack.json").read_text() == before
    assert supervisor.poll() is None


@pytest.mark.parametrize(("work", "code", "error"), [("work", 7, ""), ("error", 1, "ZeroDivisionError")])
def test_work_that_ends_ends_the_stack(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, work: str, code: int, error: str
) -> None:
    supervisor = start("sleepers", work)
    output, message = supervisor.communicate(timeout=120)
    assert supervisor.returncode == code
    assert error in message
    assert "first stopped" in output


def test_a_child_that_does_not_start_ends_the_stack_and_says_why(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    supervisor = start("failing", "work")
    output, message = supervisor.communicate(timeout=120)
    assert supervisor.returncode == 1
    assert "first stopped" in output
    assert "second exited with 1 while starting; no such thing" in message


@pytest.mark.parametrize("children", ["listening", "deaf"])
def test_a_stranger_on_the_port_is_not_taken_for_the_child(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, children: str
) -> None:
    """Whether the child ends because it cannot listen, or says that all is well and does not."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        supervisor = start(children, str(port))
        _, message = supervisor.communicate(timeout=120)
        assert supervisor.returncode == 1
        assert f"PortLost: first cannot listen on 127.0.0.1:{port}, because another program does" in message
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.accept()  # nobody has even connected


def test_a_port_that_is_lost_while_running_ends_the_stack(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    port = free_port()
    supervisor = start("listening", str(port))
    until_true(lambda: all_up(tmp_path))
    supervisor.send_signal(signal.SIGSTOP)  # it must find the port taken, however slow we are
    os.kill(pid_of(tmp_path, "first"), signal.SIGKILL)
    until_true(lambda: free_port(port) == port)
    with socket.create_server(("127.0.0.1", port)):
        supervisor.send_signal(signal.SIGCONT)
        output, message = supervisor.communicate(timeout=120)
    assert supervisor.returncode == 1
    assert f"PortLost: first cannot listen on 127.0.0.1:{port}" in message
    assert "second stopped" in output


def test_ports_stay_the_same_over_starts(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    ports = set()
    for _ in range(2):
        output, _ = start("sleepers", "work").communicate(timeout=120)
        ports.add(output.splitlines()[0])
    assert len(ports) == 1
