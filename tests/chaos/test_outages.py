"""Kafka and ClickHouse go away and come back, ClickHouse as it was yesterday, workers come and go: all ends exact.

One stack for all tests; each goes on with the same history, and ends with an independent recount of the whole log.
"""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from deploy.embedded.ports import free_port
from deploy.verify import verify
from intake.ndjson import ProducerRecord
from simulation import Plan, simulate
from tests.chaos.proxy import Proxy
from tests.chaos.testbed import HORIZON
from tests.support.incidents import eventually, health, query
from tests.support.pipeline import Pipeline, found_by, pipeline
from tests.support.stack import start_clickhouse, start_kafka

pytestmark = pytest.mark.timeout(900)

PLAN = Plan(until=datetime.now(UTC).date(), seed=7, users=60, days=35, duplicates=0.03, late=0.02, poison=0.01)


class Stack:
    """The pipeline, its history, and its one worker if `start` was called."""

    def __init__(self, running: Pipeline, history: Iterator[ProducerRecord]) -> None:
        self.pipeline = running
        self.history = history
        self.workers: list[subprocess.Popen[bytes]] = []

    def emit(self, number: int) -> None:
        assert self.pipeline.emit(islice(self.history, number)) == number, "the history is too short"

    def emitting(self, number: int, pause: float = 0.4) -> threading.Thread:
        """Emit in the background: 200 and a pause, again and again."""
        some = list(islice(self.history, number))
        assert len(some) == number, "the history is too short"
        thread = threading.Thread(target=self.pipeline.emit, args=(some, pause, 200), daemon=True)
        thread.start()
        return thread

    def start(self, **changed: object) -> "subprocess.Popen[bytes]":
        self.workers.append(self.pipeline.start_worker(**changed))
        return self.workers[-1]

    def health(self) -> tuple[int, str]:
        assert self.pipeline.settings.metrics_port
        return health(self.pipeline.settings.metrics_port)

    @property
    def path(self) -> Path:
        """The log of the worker that was started last."""
        return self.pipeline.folder / f"worker-{len(self.pipeline.workers) - 1}.log"

    def log(self) -> str:
        """What the worker that was started last has written."""
        return self.path.read_text()

    def stop_kafka(self) -> None:
        self.pipeline.kafka.stop()

    def start_kafka(self) -> None:
        port = int(self.pipeline.settings.kafka_bootstrap.rpartition(":")[2])
        self.pipeline.kafka = start_kafka(self.pipeline.folder / "kafka", port)

    def stop_clickhouse(self) -> None:
        self.pipeline.clickhouse.stop()

    def start_clickhouse(self) -> None:
        port = int(self.pipeline.settings.clickhouse_url.rpartition(":")[2])
        self.pipeline.clickhouse = start_clickhouse(self.pipeline.folder / "clickhouse", port)

    def assert_exact(self) -> None:
        verdict = verify(self.pipeline.settings, wait_seconds=240)
        assert verdict.equal, found_by(verdict)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipeline, Iterator[ProducerRecord]]]:
    with pipeline(tmp_path_factory.mktemp("outages"), metrics_port=free_port(), **HORIZON) as started:
        yield started, simulate(PLAN)


@pytest.fixture
def stack(running: tuple[Pipeline, Iterator[ProducerRecord]]) -> Iterator[Stack]:
    """The stack without a worker; the test's workers are ended."""
    found = Stack(*running)
    yield found
    for worker in found.workers:
        worker.kill()
        worker.wait()


def test_a_worker_waits_for_clickhouse_and_kafka_at_its_start(stack: Stack) -> None:
    stack.emit(2_000)
    stack.stop_clickhouse()
    stack.stop_kafka()
    worker = stack.start()
    eventually(lambda: "Kafka at" in stack.log() and "is unavailable, retrying" in stack.log())
    stack.start_kafka()
    eventually(lambda: "ClickHouse at" in stack.log())
    assert worker.poll() is None
    stack.start_clickhouse()
    stack.assert_exact()
    assert worker.poll() is None
    assert "Traceback" not in stack.log()


def test_kafka_goes_away_and_comes_back(stack: Stack) -> None:
    worker = stack.start()
    stack.emit(1_000)
    stack.pipeline.wait()
    stack.stop_kafka()
    time.sleep(4)
    stack.start_kafka()
    stack.emit(1_000)
    stack.pipeline.wait()
    assert worker.poll() is None, "Kafka being away is no reason for a worker to end"
    assert stack.log().count("ERROR") < 60, "its log is flooded while Kafka is away"
    stack.assert_exact()


def test_clickhouse_goes_away_for_twenty_seconds_under_load(stack: Stack) -> None:
    worker = stack.start()
    load = stack.emitting(10_000)
    stack.pipeline.wait_until_reading(worker)
    stack.stop_clickhouse()
    eventually(lambda: "ClickHouse refuses requests" in stack.health()[1], told=stack.health)
    assert stack.health()[0] == 503
    time.sleep(15)
    stack.start_clickhouse()
    load.join()
    stack.pipeline.wait()
    assert worker.poll() is None
    eventually(lambda: stack.health()[0] == 200, told=stack.health)
    stack.assert_exact()


def test_clickhouse_is_put_back_as_it_was(stack: Stack) -> None:
    """A copy of its folder, positions older than cells, is put back: UUIDs are the same, and the past is another."""
    worker = stack.start()
    folder, backup = stack.pipeline.folder / "clickhouse", stack.pipeline.folder / "backup"
    stack.emit(1_000)
    stack.pipeline.wait()
    stack.stop_clickhouse()
    shutil.copytree(folder, backup / "positions", symlinks=True)
    stack.start_clickhouse()
    stack.emit(1_000)
    stack.pipeline.wait()
    stack.stop_clickhouse()
    shutil.copytree(folder, backup / "cells", symlinks=True)
    stack.start_clickhouse()
    load = stack.emitting(4_000, pause=0.3)
    time.sleep(3)
    [(where,)] = query(stack.pipeline.settings, POSITIONS_FOLDER)
    stack.stop_clickhouse()
    put_back(folder, backup, Path(where))
    stack.start_clickhouse()
    load.join()
    stack.assert_exact()
    assert worker.poll() is None
    assert "reassigning all partitions" in stack.log()


POSITIONS_FOLDER = """
SELECT data_paths[1] FROM system.tables WHERE database = currentDatabase() AND name = 'source_positions'
"""


def put_back(folder: Path, backup: Path, positions: Path) -> None:
    """The folder with the cells of the later copy and the positions of the earlier one."""
    shutil.rmtree(folder)
    shutil.copytree(backup / "cells", folder, symlinks=True)
    shutil.rmtree(positions)
    shutil.copytree(backup / "positions" / positions.relative_to(folder), positions, symlinks=True)


def test_a_worker_that_is_told_to_end_while_it_is_placed_ends_well(stack: Stack) -> None:
    """Another joins, and ClickHouse answers so slowly that the new places come when the consumer's thread has ended."""
    proxy = Proxy(int(stack.pipeline.settings.clickhouse_url.rpartition(":")[2]))
    stack.pipeline.settings = stack.pipeline.settings.model_copy(update={"metrics_port": None})
    worker, log = stack.start(clickhouse_url=f"http://127.0.0.1:{proxy.port}"), stack.path
    eventually(lambda: "reading 16 partitions" in log.read_text())
    proxy.turn("delay")
    stack.start()
    eventually(lambda: log.read_text().count("Executing _on_partitions_assigned") == 2)
    worker.terminate()
    eventually(lambda: "BatchThread]: Stopping" in log.read_text())
    proxy.turn("pass")
    assert worker.wait(timeout=120) == 0, log.read_text()


def test_workers_are_restarted_one_after_another(stack: Stack) -> None:
    stack.pipeline.settings = stack.pipeline.settings.model_copy(update={"metrics_port": None})
    old = [stack.start(), stack.start()]
    stack.pipeline.wait_until_reading(*old)
    load = stack.emitting(6_000)
    time.sleep(2)
    for worker in old:
        worker.terminate()
        assert worker.wait(timeout=120) == 0, "it had something unwritten when its 10 s had passed"
        stack.start()
        time.sleep(4)
    load.join()
    stack.assert_exact()
