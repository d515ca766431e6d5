"""One process of the embedded stack: how to start it, when it answers, how to end it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.embedded.ports import HOST, is_free

_BOUND = str(Path(__file__).with_name("die_with_parent.py"))


class ChildFailed(RuntimeError):
    """A child ended, or did not answer in time, while it was being started."""


class PortLost(ChildFailed):
    """Another program listens where a child should: what answers there is not ours."""

    def __init__(self, child: str, port: int) -> None:
        super().__init__(f"{child} cannot listen on {HOST}:{port}, since another program does")


@dataclass(frozen=True)
class Child:
    """What to run and how to know that it runs.

    `ready` is asked again and again after the start and says whether the child answers; it must return
    within a second or so. `before_start` is called once, before the first start. Times are seconds.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool] = lambda: True
    env: Mapping[str, str] = field(default_factory=dict)
    before_start: Callable[[], None] | None = None
    start_timeout: float = 60
    stop_timeout: float = 15
    url: str = ""

    @property
    def port(self) -> int | None:
        """The port that it is to listen on, if its address names one."""
        port = self.url.rpartition(":")[2]
        return int(port) if port.isdigit() else None

    def check_port(self) -> None:
        """Raise PortLost if somebody listens on its port; for when it does not run."""
        if self.port is not None and not is_free(self.port):
            raise PortLost(self.name, self.port)


def bound(command: Sequence[str]) -> list[str]:
    """The command as one that ends when this process ends, however that is, or the thread that starts it."""
    return [sys.executable, "-I", "-S", _BOUND, str(os.getpid()), *command]


class RunningChild:
    """A started `Child`. It dies with this process, and with the thread that started it."""

    def __init__(self, child: Child, on_line: Callable[[str], None]) -> None:
        """Start the process; `on_line` gets each line it prints, from a thread of its own."""
        self.child = child
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            bound(child.command),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **child.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends children in order
        )
        self._reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, -N if signal N ended it, None while it runs."""
        return self._process.poll()

    def wait_until_ready(self) -> None:
        """Return when the child answers. Raises ChildFailed if it ends first or takes too long, and PortLost if that is
        because another program listens on its port."""
        deadline = self.started_at + self.child.start_timeout
        while not self.answers():
            if self.exit_code is not None:
                self.child.check_port()
                raise ChildFailed(f"{self.child.name} ended with {self.exit_code} while starting")
            if time.monotonic() > deadline:
                if not self.listens():
                    self.child.check_port()
                raise ChildFailed(f"{self.child.name} did not answer in {self.child.start_timeout:g} s")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether this very process listens and is ready. Nothing is sent to a port that another one listens on."""
        return self.exit_code is None and self.listens() and self.child.ready()

    def listens(self) -> bool:
        """Whether the process, or one that it started, listens on the child's port; true of a child without one.

        The kernel is asked, since whoever else listens there could say what he likes.
        """
        if self.child.port is None:
            return True
        try:
            own = psutil.Process(self.pid)
            return any(self._listens(each) for each in (own, *own.children(recursive=True)))
        except psutil.Error:
            return False

    def _listens(self, process: psutil.Process) -> bool:
        found = process.net_connections("tcp")
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == self.child.port for one in found)

    def ask_to_stop(self) -> None:
        """Send SIGTERM, without waiting."""
        self._signal(signal.SIGTERM)

    def stop(self) -> int:
        """End the process: SIGTERM, then SIGKILL to its whole group after `stop_timeout`. Its exit code."""
        self.ask_to_stop()
        try:
            self._process.wait(self.child.stop_timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._reap()

    def kill(self) -> None:
        """Send SIGKILL to the process and everything it started."""
        self._signal(signal.SIGKILL)
        self._reap()

    def _reap(self) -> int:
        code = self._process.wait()
        self._reader.join(timeout=1)
        return code

    def _signal(self, number: signal.Signals) -> None:
        # A group outlives its leader while others are in it, so a dead leader is signalled as well.
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def _read(self, on_line: Callable[[str], None]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                on_line(line.rstrip("\n"))


def start(child: Child, log: Path) -> RunningChild:
    """Start one child by itself, append what it prints to the file `log`, and wait until it answers."""
    log.parent.mkdir(parents=True, exist_ok=True)

    def append(line: str) -> None:
        with log.open("a") as file:
            file.write(line + "\n")

    if child.before_start is not None:
        child.before_start()
    running = RunningChild(child, append)
    try:
        running.wait_until_ready()
    except BaseException:
        running.kill()
        raise
    return running
