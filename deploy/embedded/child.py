"""A process of the embedded stack: how to start it, check that it is ready, and stop it."""

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
    """A child ended, or did not respond in time, while it was starting."""


class PortLost(ChildFailed):
    """Another program listens on a child's port, so the responses there are not the child's."""

    def __init__(self, child: str, port: int) -> None:
        super().__init__(f"{child} cannot listen on {HOST}:{port}, because another program does")


@dataclass(frozen=True)
class Child:
    """The command of a child process, and how to know that it is ready.

    `ready` is called repeatedly after the start and returns whether the child responds; it must return within about a
    second. `before_start` is called once, before the first start. Times are seconds.
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
        """The port on which it will listen, if its address has one."""
        port = self.url.rpartition(":")[2]
        return int(port) if port.isdigit() else None

    def check_port(self) -> None:
        """Raise PortLost if a program listens on its port; call it only while the child does not run."""
        if self.port is not None and not is_free(self.port):
            raise PortLost(self.name, self.port)


def bound(command: Sequence[str]) -> list[str]:
    """Return a command that ends when this process, or the thread that starts it, ends in any way."""
    return [sys.executable, "-I", "-S", _BOUND, str(os.getpid()), *command]


class RunningChild:
    """A started `Child`. It dies with this process, and with the thread that started it."""

    def __init__(self, child: Child, on_line: Callable[[str], None]) -> None:
        """Start the process; `on_line` is called with each line that it prints, from a thread of its own."""
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
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops the children in order
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
        """Wait until the child is ready. Raises ChildFailed if it ends first or takes too long, and PortLost if another
        program listens on its port."""
        deadline = self.started_at + self.child.start_timeout
        while not self.answers():
            if self.exit_code is not None:
                self.child.check_port()
                raise ChildFailed(f"{self.child.name} exited with {self.exit_code} while starting")
            if time.monotonic() > deadline:
                if not self.listens():
                    self.child.check_port()
                raise ChildFailed(f"{self.child.name} was not ready within {self.child.start_timeout:g} s")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Return True if this process listens and is ready. Nothing is sent to another process on the port."""
        return self.exit_code is None and self.listens() and self.child.ready()

    def listens(self) -> bool:
        """Return True if the process, or one that it started, listens on the child's port, or if the child has no port.

        The kernel is queried, because another program on that port could answer anything.
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
        """Stop the process: SIGTERM, then SIGKILL to its whole group after `stop_timeout`. Returns the exit code."""
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
        # A group outlives its leader while it has other members, so the group of a dead leader is signalled too.
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
    """Start a single child, append its output to the file `log`, and wait until it is ready."""
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
