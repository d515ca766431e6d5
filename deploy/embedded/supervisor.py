"""Starts the processes of the embedded stack, keeps them running, and stops them in order.

    with hold_stack(data) as ports:
        children = [kafka_child(data / "kafka", ports.choose("kafka", 9092)), ...]
        exit_code = Supervisor(data, children, Console()).run()

Must run in the main thread: it handles the signals, and the children die with the thread that starts them.
"""

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from deploy.embedded.child import Child, ChildFailed, PortLost, RunningChild
from deploy.embedded.log_stream import LogStream
from deploy.embedded.stack import write_stack

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Backoff:
    """Seconds before a dead child is restarted: `first`, doubled each time, at most `longest`.

    After `stable` seconds of running, the delay of a child is `first` again.
    """

    first: float = 0.1
    longest: float = 30
    stable: float = 30

    def delay(self, failures: int) -> float:
        """Return the delay after this many failures in a row, 1 or more."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 30))


@dataclass
class _Kept:
    """A child to be kept running, and its history."""

    child: Child
    running: RunningChild | None = None
    failures: int = 0
    restarts: int = 0
    start_at: float = 0
    healthy: bool = False
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=5))

    def public(self) -> dict[str, object]:
        """Return the public facts, for `stack.json`."""
        return {
            "pid": self.running.pid if self.running else None,
            "url": self.child.url,
            "healthy": self.healthy,
            "restarts": self.restarts,
        }


class Supervisor:
    """Runs children, in the order given, until it is stopped."""

    def __init__(
        self,
        data: Path,
        children: Sequence[Child],
        console: Console | None = None,
        backoff: Backoff = Backoff(),
    ) -> None:
        """`data` is the folder of `stack.log` and `stack.json`; with `console` None nothing is printed."""
        self._data = data
        self._kept = [_Kept(child) for child in children]
        self._backoff = backoff
        self._log = LogStream(data / "stack.log", console)
        self._publishing = threading.Lock()
        self._ended = threading.Event()
        self._health = threading.Thread(target=self._watch_health, daemon=True)

    def run(self, until: Callable[[], int] | None = None) -> int:
        """Start all children, keep them running, stop them; return 0, or the result of `until`.

        Ends at SIGINT, SIGTERM or SIGHUP, or when `until`, which runs in a thread once all children are ready, has
        returned. An exception of `until` is raised here, after the stop. Raises ChildFailed if a child does not start
        the first time, and PortLost whenever another program listens on a child's port, because the other children
        would connect to it. A second signal kills whatever has not ended yet.
        """
        outcome = _Outcome(until)
        with _signals_interrupt():
            try:
                for kept in self._kept:
                    self._start_first(kept)
                self._health.start()
                outcome.start()
                while not outcome.done.wait(0.1):
                    for kept in self._kept:
                        self._keep(kept)
            except KeyboardInterrupt:
                self._say("stopping")
            finally:
                self._ended.set()
                self._stop_all()
                self._log.close()
        return outcome.result()

    def _start_first(self, kept: _Kept) -> None:
        if kept.child.before_start is not None:
            kept.child.before_start()
        began = time.monotonic()
        running = self._start(kept)
        try:
            running.wait_until_ready()
        except PortLost:
            raise
        except ChildFailed as error:
            raise ChildFailed("; ".join([str(error), *kept.last_lines])) from None
        kept.healthy = True
        self._publish()
        url = f" at {kept.child.url}" if kept.child.url else ""
        self._say(f"{kept.child.name} is up{url} ({time.monotonic() - began:.1f} s)")

    def _start(self, kept: _Kept) -> RunningChild:
        def on_line(line: str) -> None:
            kept.last_lines.append(line)
            self._log.write(kept.child.name, line)

        kept.running = RunningChild(kept.child, on_line)
        self._publish()
        return kept.running

    def _keep(self, kept: _Kept) -> None:
        now = time.monotonic()
        if kept.running is None:
            kept.child.check_port()
            if now >= kept.start_at:
                kept.restarts += 1
                self._start(kept)
        elif kept.running.exit_code is not None:
            self._bury(kept, now)
        elif kept.failures and now - kept.running.started_at > self._backoff.stable:
            kept.failures = 0

    def _bury(self, kept: _Kept, now: float) -> None:
        assert kept.running is not None
        code = kept.running.stop()  # whatever the dead process started must not run next to its successor
        kept.running, kept.healthy = None, False
        kept.failures += 1
        delay = self._backoff.delay(kept.failures)
        kept.start_at = now + delay
        self._say(f"{kept.child.name} exited with {code}, restarting it in {delay:g} s")
        self._publish()

    def _watch_health(self) -> None:
        """Report children that stop responding, and when they respond again.

        A child is restarted only when it has died, because a busy one would be killed too.
        """
        while not self._ended.wait(1):
            for kept in self._kept:
                healthy = kept.running is not None and self._answers(kept, kept.running)
                if healthy != kept.healthy and kept.running is not None and not self._ended.is_set():
                    kept.healthy = healthy
                    self._say(f"{kept.child.name} " + ("responds again" if healthy else "does not respond"))
                    self._publish()

    @staticmethod
    def _answers(kept: _Kept, running: RunningChild) -> bool:
        # A child that has listened once continues to listen: the kernel is queried once per start.
        return running.exit_code is None and kept.child.ready() if kept.healthy else running.answers()

    def _stop_all(self) -> None:
        try:
            for kept in reversed(self._kept):
                if kept.running is not None:
                    killed = kept.running.stop() == -signal.SIGKILL
                    self._say(f"{kept.child.name} " + ("had to be killed" if killed else "stopped"))
        except KeyboardInterrupt:
            self._say("killing what is still running")
        finally:
            for kept in self._kept:
                if kept.running is not None:
                    kept.running.kill()

    def _publish(self) -> None:
        with self._publishing:
            write_stack(self._data, {kept.child.name: kept.public() for kept in self._kept})

    def _say(self, text: str) -> None:
        self._log.write("tally", text)


class _Outcome:
    """The work for which the stack was started, in a thread of its own; `done` is set when it has ended."""

    def __init__(self, work: Callable[[], int] | None) -> None:
        self.done = threading.Event()
        self._work = work
        self._code = 0
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begin the work; without any, `done` is never set."""
        if self._work is not None:
            threading.Thread(target=self._run, args=(self._work,), daemon=True).start()

    def result(self) -> int:
        """Return the result of the work, 0 if it did not finish. Raises its exception."""
        if self._error is not None:
            raise self._error
        return self._code

    def _run(self, work: Callable[[], int]) -> None:
        try:
            self._code = work()
        except BaseException as error:  # raised again in the main thread
            self._error = error
        finally:
            self.done.set()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Within the block, the signals that request a stop raise KeyboardInterrupt in the main thread."""

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    # Ignored signals stay ignored: nohup relies on it.
    heeded = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
