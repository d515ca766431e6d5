"""A whole pipeline for tests: a real Kafka, a real ClickHouse and real workers, which may be killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.embedded.child import RunningChild
from deploy.settings import Settings
from deploy.up import environment_of, prepare
from deploy.verify import verify
from deploy.wait_for_tables import wait_until_folded
from intake.ndjson import ProducerRecord
from tally_client.emitter import Emitter
from tests.support.processes import start as start_process
from tests.support.stack import start_clickhouse, start_kafka
from verify import Verdict


class Pipeline:
    """Kafka, ClickHouse and the workers that were started; `settings` point at them.

    `command` is the module that a worker is started by: `tests.support.patient_worker` may take the place of `cli`.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.kafka: RunningChild = start_kafka(folder / "kafka")
        self.clickhouse: RunningChild = start_clickhouse(folder / "clickhouse")
        self.settings = Settings(
            kafka_bootstrap=self.kafka.child.url,
            clickhouse_url=self.clickhouse.child.url,
            data_dir=folder,
            reports_dir=folder / "reports",
            partitions=2,
            **settings,
        )
        self.workers: list[subprocess.Popen[bytes]] = []
        self.command = "cli"
        prepare(self.settings)

    def start_worker(self, **changed: object) -> subprocess.Popen[bytes]:
        """One more worker, with some settings changed; its log is `worker-N.log` in the folder."""
        log = (self.folder / f"worker-{len(self.workers)}.log").open("wb")
        worker = start_process(
            [sys.executable, "-m", self.command, "worker"],
            env={**os.environ, **environment_of(self.settings.model_copy(update=changed))},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self.workers.append(worker)
        return worker

    def wait_until_reading(self, *workers: subprocess.Popen[bytes]) -> None:
        """Until each has partitions; one that is told to end before it is there does not end as a worker does."""
        logs = [self.folder / f"worker-{self.workers.index(worker)}.log" for worker in workers]
        deadline = time.monotonic() + 240
        while not all("reading" in log.read_text(errors="replace") for log in logs):
            assert time.monotonic() < deadline, f"not within 240 s: all of {', '.join(map(str, logs))} have partitions"
            time.sleep(0.1)

    def restart_clickhouse(self) -> None:
        """kill -9 of ClickHouse, and a new one on the same data and port."""
        self.clickhouse.kill()
        port = int(self.clickhouse.child.url.rpartition(":")[2])
        self.clickhouse = start_clickhouse(self.folder / "clickhouse", port)

    def emit(self, lines: Iterable[ProducerRecord], pause: float = 0.0, every: int = 500) -> int:
        """Send lines as they are; `pause` seconds after `every` lines make a steady load. Gives their number."""
        return asyncio.run(self._emit(lines, pause, every))

    async def _emit(self, lines: Iterable[ProducerRecord], pause: float, every: int) -> int:
        sent = 0
        async with Emitter(self.settings.kafka_bootstrap, **self.settings.client_options()) as emitter:
            for sent, line in enumerate(lines, start=1):
                await emitter.emit_raw(line.topic, line.key, line.value)
                if pause and sent % every == 0:
                    await asyncio.sleep(pause)
        return sent

    def wait(self, timeout: float = 240.0) -> float:
        """Until everything that is in the log is folded; gives the seconds that it took."""
        began = time.monotonic()
        wait_until_folded(self.settings, timeout)
        return time.monotonic() - began

    def stop(self) -> None:
        """End everything that was started."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait()
        self.clickhouse.stop()
        self.kafka.stop()


def found_by(verdict: Verdict) -> str:
    """What a recount has found to be wrong, a line each."""
    differences = [f"{table.name}: {each}" for table in verdict.tables for each in table.differences]
    return "\n".join([f"{verdict.different} rows differ", *differences, *verdict.unfinished])


def assert_equal(running: Pipeline) -> Verdict:
    """The tables equal an independent recount of the log; gives what that found."""
    verdict = verify(running.settings, wait_seconds=240)
    assert verdict.equal, found_by(verdict)
    return verdict


def assert_exact(running: Pipeline) -> None:
    """The tables equal an independent recount of a log with duplicates."""
    verdict = assert_equal(running)
    assert sum(topic.duplicates for topic in verdict.topics) > 0, "the load had no duplicates, so nothing was tested"


@contextmanager
def pipeline(folder: Path, **settings: Any) -> Iterator[Pipeline]:
    """A pipeline that is stopped at the end, whatever happens."""
    running = Pipeline(folder, **settings)
    try:
        yield running
    finally:
        running.stop()
