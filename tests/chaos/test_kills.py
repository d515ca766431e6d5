"""Workers and ClickHouse die, freeze, join and leave under load; an independent recount of the log finds no fault."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from simulation import Plan, simulate
from tests.chaos.testbed import HORIZON
from tests.support.pipeline import Pipeline, assert_exact, pipeline

pytestmark = pytest.mark.timeout(1800)

PLAN = Plan(until=date(2026, 11, 20), seed=11, users=240, days=20, duplicates=0.03, late=0.02, poison=0.01)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline under a steady load of its own thread, which `load.join()` waits for."""
    with pipeline(tmp_path, **HORIZON) as started:
        yield started


def load(pipeline: Pipeline, lines: int, pause: float = 0.4) -> threading.Thread:
    """Emit that many lines of the plan in the background: 500 and a pause, again and again."""
    thread = threading.Thread(target=pipeline.emit, args=(islice(simulate(PLAN), lines), pause), daemon=True)
    thread.start()
    return thread


def test_kill_9_of_worker_and_clickhouse(
    running: Pipeline, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten kills of a worker with a name and three of ClickHouse at random instants; each time it is caught up again."""
    dice = random.Random(5)
    emitting = load(running, 60_000, pause=0.8)
    recoveries = []
    worker = running.start_worker(worker_name="one")
    running.wait()
    for number in range(10):
        time.sleep(dice.uniform(0.0, 2.0))
        worker.kill()
        killed_at = time.monotonic()
        worker.wait()
        if number in (2, 5, 8):
            running.restart_clickhouse()
        worker = running.start_worker(worker_name="one")
        time.sleep(1.5)  # so that there is something to catch up with
        running.wait()
        recoveries.append(time.monotonic() - killed_at)
    emitting.join()
    running.wait()
    record_property("recoveries", recoveries)
    with capsys.disabled():
        seconds = ", ".join(f"{each:.1f}" for each in sorted(recoveries))
        print(f"\nseconds from kill -9 to caught up again: {seconds}")
    assert_exact(running)


def test_two_workers_joining_leaving_and_frozen(running: Pipeline) -> None:
    """One worker stays; another joins and leaves four times: SIGTERM, kill -9, frozen past the session time-out."""
    emitting = load(running, 24_000)
    running.start_worker()
    for leave in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        other = running.start_worker()
        time.sleep(6)
        other.send_signal(leave)
        if leave == signal.SIGSTOP:
            time.sleep(10)
            other.send_signal(signal.SIGCONT)
            time.sleep(4)
            other.terminate()
        other.wait(timeout=120)
    emitting.join()
    running.wait()
    assert_exact(running)
