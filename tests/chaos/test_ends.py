"""Every process ends within its bound when it is told to, whatever is away or hangs, and says what was not written."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.embedded.child import RunningChild
from deploy.embedded.ports import free_port
from deploy.errors import ExitCode
from deploy.settings import Settings
from deploy.up import environment_of
from tally_client.events import TOKEN
from tests.support.incidents import counted, eventually, health, lines
from tests.support.pipeline import Pipeline, pipeline
from tests.support.processes import start as start_process
from tests.support.stack import start_clickhouse, start_kafka

pytestmark = pytest.mark.timeout(240)

BOUND = 14.0
"""Seconds: what is promised is 10, and a machine that runs tests is busy."""
Process = subprocess.Popen[bytes]


@contextmanager
def nowhere(kind: str) -> Iterator[int]:
    """A port that refuses, or one that accepts and never answers."""
    if kind == "refusing":
        yield free_port()
        return
    with socket.create_server(("127.0.0.1", 0), backlog=512) as silent:
        yield silent.getsockname()[1]


def process_of(settings: Settings, command: str) -> Process:
    return start_process([sys.executable, "-m", "cli", command], env={**os.environ, **environment_of(settings)})


def ended(process: Process, *signals: signal.Signals) -> tuple[int, float]:
    """Its exit code, and the seconds since the last of these signals, which come a second apart."""
    for count, number in enumerate(signals):
        time.sleep(min(count, 1))
        process.send_signal(number)
    began = time.monotonic()
    return process.wait(60), time.monotonic() - began


@pytest.mark.parametrize("kind", ["refusing", "silent"])
@pytest.mark.parametrize("command", ["worker", "exporter", "api"])
def test_a_process_that_waits_at_its_start_says_for_what_and_ends(command: str, kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        kafka, clickhouse = (stack.enter_context(nowhere(kind)) for _ in range(2))
        port = free_port()
        settings = Settings(
            kafka_bootstrap=f"127.0.0.1:{kafka}",
            clickhouse_url=f"http://127.0.0.1:{clickhouse}",
            data_dir=tmp_path,
            api_port=port if command == "api" else 8080,
            metrics_port=None if command == "api" else port,
        )
        process = process_of(settings, command)
        stack.callback(process.kill)
        found = eventually(lambda: (told := health(port, 15))[0] and told, 60)
        assert found[0] == 503
        assert any(word in found[1] for word in ("Kafka", "ClickHouse", "no run has finished")), found
        code, seconds = ended(process, signal.SIGTERM)
        assert seconds < BOUND
        assert code in (ExitCode.OK, ExitCode.UNREACHABLE)


class Stack:
    """A pipeline with one worker of each test's own."""

    def __init__(self, running: Pipeline) -> None:
        self.running = running
        self.organization = str(uuid4())
        self.sent = 0
        self.start()

    def start(self) -> None:
        self.port = free_port()
        self.worker = self.running.start_worker(metrics_port=self.port)

    def emit(self) -> None:
        self.sent += self.running.emit(lines(TOKEN, self.organization, 30))

    def is_counted(self) -> bool:
        return counted(self.running.settings, TOKEN, self.organization) == self.sent

    def is_confirmed(self) -> bool:
        """The worker knows that ClickHouse has all that it folded: cells are seen before their position is stored."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as response:
            families = text_string_to_metric_families(response.read().decode())
            offsets = {
                family.name: {sample.labels["source"]: sample.value for sample in family.samples}
                for family in families
                if family.name in ("tally_source_next_offset", "tally_source_confirmed_offset")
            }
        return offsets["tally_source_next_offset"] == offsets["tally_source_confirmed_offset"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with pipeline(tmp_path_factory.mktemp("ends")) as running:
        yield running


@pytest.fixture
def stack(running: Pipeline) -> Iterator[Stack]:
    """All that was sent is counted, and the worker has nothing left to write."""
    found = Stack(running)
    found.emit()
    eventually(found.is_counted, 90)
    eventually(lambda: health(found.port)[0] == 200, 60, lambda: health(found.port))
    eventually(found.is_confirmed, 60)
    yield found
    found.worker.kill()
    found.worker.wait()


@contextmanager
def frozen(*children: RunningChild) -> Iterator[None]:
    """They accept and never answer."""
    for child in children:
        os.killpg(child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for child in children:
            os.killpg(child.pid, signal.SIGCONT)


def test_a_worker_ends_though_kafka_hangs_and_has_written_all(stack: Stack) -> None:
    with frozen(stack.running.kafka):
        time.sleep(2)
        code, seconds = ended(stack.worker, signal.SIGTERM)
    assert (code, seconds < BOUND) == (ExitCode.OK, True), seconds


def test_a_worker_that_cannot_write_what_it_has_says_so_and_another_counts_it(stack: Stack) -> None:
    with frozen(stack.running.clickhouse):
        stack.emit()
        time.sleep(3)
        code, seconds = ended(stack.worker, signal.SIGTERM)
    assert (code, seconds < BOUND) == (ExitCode.UNREACHABLE, True), seconds
    stack.start()
    eventually(stack.is_counted, 90)


def test_a_worker_ends_at_a_second_signal_at_once(stack: Stack) -> None:
    with frozen(stack.running.clickhouse, stack.running.kafka):
        time.sleep(1)
        code, seconds = ended(stack.worker, signal.SIGINT, signal.SIGINT)
    assert code == ExitCode.INTERRUPTED
    assert seconds < BOUND / 3


def test_a_worker_ends_though_kafka_and_clickhouse_are_gone_for_good(stack: Stack) -> None:
    running = stack.running
    running.kafka.kill()
    running.clickhouse.kill()
    try:
        time.sleep(3)
        code, seconds = ended(stack.worker, signal.SIGTERM)
    finally:
        ports = [
            int(url.rpartition(":")[2]) for url in (running.settings.kafka_bootstrap, running.settings.clickhouse_url)
        ]
        running.kafka = start_kafka(running.folder / "kafka", ports[0])
        running.clickhouse = start_clickhouse(running.folder / "clickhouse", ports[1])
    assert (code, seconds < BOUND) == (ExitCode.OK, True), seconds


@pytest.mark.parametrize(("command", "setting"), [("api", "api_port"), ("exporter", "metrics_port")])
def test_api_and_exporter_end_though_all_hangs(stack: Stack, command: str, setting: str) -> None:
    port = free_port()
    settings = stack.running.settings.model_copy(update={"metrics_port": None, setting: port})
    process = process_of(settings, command)
    try:
        eventually(lambda: health(port)[0] == 200, 60, lambda: health(port))
        with frozen(stack.running.clickhouse, stack.running.kafka):
            asked = start_process(["curl", "-s", "-m", "30", f"http://127.0.0.1:{port}/health"])
            time.sleep(2)
            code, seconds = ended(process, signal.SIGTERM)
            asked.kill()
        assert (code in (ExitCode.OK, ExitCode.UNREACHABLE), seconds < BOUND) == (True, True), (code, seconds)
    finally:
        process.kill()
        process.wait()
