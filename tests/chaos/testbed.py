"""The field of a chaos run: a real Kafka and ClickHouse, two workers behind a proxy, a load and a reader."""

import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from signal import Signals

from deploy.verify import verify
from tally_client.events import DEAD_LETTERS, EVENTS_BY_TOPIC
from tests.chaos.crowd import Crowd
from tests.chaos.load import Load
from tests.chaos.proxy import Proxy
from tests.chaos.reader import Reader
from tests.support.incidents import add_partitions, query
from tests.support.pipeline import Pipeline, pipeline
from tests.support.stack import start_clickhouse, start_kafka
from verify import Verdict

WORKERS = 2
HORIZON = {"dedup_block_size": 4096, "dedup_blocks": 2}
"""Small blocks, so that the log has several and a crash lands on their edges, and above the simulation's distance
between the copies of an event."""


class Field:
    """What faults act upon. Workers reach ClickHouse through `proxy`; the reader and the recount do not."""

    def __init__(self, running: Pipeline, rate: int) -> None:
        self.pipeline = running
        self.proxy = Proxy(_port(running.settings.clickhouse_url))
        self.changed: dict[str, object] = {"clickhouse_url": f"http://127.0.0.1:{self.proxy.port}"}
        self._names = deque(f"worker-{number}" for number in range(1, WORKERS + 1))
        self.workers = [self.start(worker_name=name) for name in self._names]
        self.partitions = running.settings.partitions
        self.crowds: list[Crowd] = []
        self.load = Load(running.settings.kafka_bootstrap, rate)
        self.reader = Reader(running.settings, self.load.finals)

    def start(self, **changed: object) -> "subprocess.Popen[bytes]":
        """One more worker."""
        return self.pipeline.start_worker(**self.changed, **changed)

    def replace(self, signal: Signals) -> None:
        """End the oldest worker so, and start another under its name, as a supervisor does."""
        worker = self.workers.pop(0)
        if signal != Signals.SIGKILL:
            self.pipeline.wait_until_reading(worker)
        worker.send_signal(signal)
        code = worker.wait(timeout=120)
        assert signal == Signals.SIGKILL or code == 0, f"a worker that was told to end gave {code}"
        self.workers.append(self.start(worker_name=self._names[0]))
        self._names.rotate(-1)

    def visit(self, **changed: object) -> None:
        """One more worker joins, reads for a while, and leaves under SIGTERM."""
        worker = self.start(**changed)
        self.pipeline.wait_until_reading(worker)
        time.sleep(3)
        worker.terminate()
        assert worker.wait(timeout=120) == 0

    def grow(self) -> None:
        """Every topic gets more partitions, and keys move: those of the load with each producer that starts since, and
        those of people of whom much is said before and after."""
        more = self.partitions + 2
        crowd = Crowd(self.partitions, more)
        self.pipeline.emit(crowd.before())
        for topic in (*EVENTS_BY_TOPIC, DEAD_LETTERS):
            add_partitions(self.pipeline.settings, topic, more)
        self.pipeline.emit(crowd.after())
        self.partitions = more
        self.crowds.append(crowd)

    def misnamed(self) -> list[str]:
        """Who is called, counted as a member, seated or charged otherwise than was said; all must be folded."""
        asked = partial(query, self.pipeline.settings)
        return [wrong for crowd in self.crowds for wrong in crowd.wrongs(asked)]

    def restart_kafka(self, away: float) -> None:
        """Kafka ends, is away so long, and comes back on its port."""
        self.pipeline.kafka.stop()
        time.sleep(away)
        port = int(self.pipeline.settings.kafka_bootstrap.rpartition(":")[2])
        self.pipeline.kafka = start_kafka(self.pipeline.folder / "kafka", port)

    def restart_clickhouse(self, away: float) -> None:
        """`kill -9` of ClickHouse, which comes back on its port after so many seconds."""
        self.pipeline.clickhouse.kill()
        time.sleep(away)
        port = _port(self.pipeline.settings.clickhouse_url)
        self.pipeline.clickhouse = start_clickhouse(self.pipeline.folder / "clickhouse", port)

    def said(self, words: str) -> bool:
        """Whether a worker that was started has said so in its log."""
        return any(words in log.read_text(errors="replace") for log in self.pipeline.folder.glob("worker-*.log"))

    def recovery(self) -> float:
        """Seconds until all that the log holds now is in ClickHouse."""
        return self.pipeline.wait()

    def end(self) -> Verdict:
        """Stop the load, wait until all is folded, and recount everything. The reader has looked a last time."""
        self.load.end()
        self.recovery()
        self.reader.end()
        ended = [worker.returncode for worker in self.workers if worker.poll() is not None]
        assert not ended, f"workers ended by themselves: {ended}"
        return verify(self.pipeline.settings, wait_seconds=240)


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


@contextmanager
def field(folder: Path, rate: int) -> Iterator[Field]:
    """A field under load, that is cleared at the end whatever happens."""
    with pipeline(folder, **HORIZON) as running:
        found = Field(running, rate)
        try:
            yield found
        finally:
            found.load.abandon()
