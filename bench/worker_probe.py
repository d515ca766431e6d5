"""One worker over a pipeline, watched from outside: CPU, memory, open files, and how far it has folded and stored."""

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

from deploy.connections import open_store
from deploy.embedded.ports import free_port
from deploy.up import prepare
from sinks.store import Store
from streams.source_names import source_name
from tally_client.events import TOKEN
from tests.support.pipeline import Pipeline

POLL_SECONDS = 0.1
PATIENCE = 600.0
"""Seconds after which a bench no longer waits for a worker."""


class Watched:
    """A worker that runs until `end`, or until `kill`; `changed` are its settings that differ from the pipeline's.

    `reading` is how many seconds it took until it read, when `wait_until_reading` has returned.
    """

    def __init__(self, running: Pipeline, **changed: object) -> None:
        self._port = free_port()
        self._log = running.folder / f"worker-{len(running.workers)}.log"
        self.started_at = time.monotonic()
        self._child = running.start_worker(**changed, metrics_port=self._port)
        self._process = psutil.Process(self._child.pid)
        self.started_with_mb = 0.0
        self.reading = 0.0

    def wait_until_reading(self) -> None:
        """Until it has its partitions."""
        self.until(lambda: b"reading" in self._log.read_bytes())
        self.reading = time.monotonic() - self.started_at
        self.started_with_mb = self.rss_mb

    def until(self, is_so: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Ask again and again. Raises RuntimeError when the worker has ended, or after so many seconds."""
        deadline = time.monotonic() + patience
        while not is_so():
            if self._child.poll() is not None:
                raise RuntimeError(f"the worker ended: {self._log.read_text()[-2000:]}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"the worker did not get there in {patience:.0f} s: {self._log.read_text()[-2000:]}")
            time.sleep(POLL_SECONDS)

    @property
    def cpu(self) -> float:
        """Seconds of CPU time since it started."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    @property
    def rss_mb(self) -> float:
        """Memory that it holds now."""
        return float(self._process.memory_info().rss) / (1 << 20)

    @property
    def peak_mb(self) -> float:
        """The most memory that it ever held."""
        status = Path(f"/proc/{self._child.pid}/status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024

    @property
    def open_files(self) -> int:
        """File descriptors that are open: files, connections, pipes."""
        return int(self._process.num_fds())

    def metrics(self) -> dict[str, dict[str, float]]:
        """What it says of itself: metric to source ("" for the whole worker) to value; empty while it says nothing."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                families = list(text_string_to_metric_families(answer.read().decode()))
        except OSError:  # refused, broken off or too late
            return {}
        samples = [sample for family in families for sample in family.samples]
        return {
            name: {sample.labels.get("source", ""): sample.value for sample in samples if sample.name == name}
            for name in {sample.name for sample in samples}
        }

    @property
    def folded(self) -> dict[str, int]:
        """Source to the next offset that it will fold, of the token sources that it owns now."""
        places = self.metrics().get("tally_source_next_offset", {})
        return {source: int(place) for source, place in places.items() if source.startswith(f"{TOKEN}/")}

    @property
    def open_cells(self) -> int:
        """Cells in its memory."""
        told: dict[str, float] = {}

        def is_told() -> bool:
            told.update(self.metrics().get("tally_worker_open_cells", {}))
            return "" in told

        self.until(is_told)
        return int(told[""])

    def kill(self) -> None:
        """`kill -9`."""
        self._child.kill()
        self._child.wait()

    def end(self) -> None:
        """SIGTERM, as a supervisor ends it."""
        self._child.terminate()
        self._child.wait(timeout=60)


class Tokens:
    """The token sources of a database: how far they are stored, and what their cells add up to."""

    def __init__(self, running: Pipeline, database: str = "") -> None:
        settings = running.settings.model_copy(update={"clickhouse_database": database} if database else {})
        self._store: Store = open_store(settings)
        self.sources = [source_name(TOKEN, partition, {}) for partition in range(settings.partitions)]

    def stored(self) -> list[int]:
        """The stored next offset of each partition."""
        found = self._store.positions(self.sources)
        return [found[source].next_offset if source in found else 0 for source in self.sources]

    def counted(self) -> dict[str, int]:
        """Requests, cells and organizations, as everybody reads them."""
        query = "SELECT sum(requests), count(), uniqExact(organization_id) FROM spend_cells FINAL"
        requests, cells, organizations = self._store.client.query(query).result_rows[0]
        return {"requests": requests, "cells": cells, "organizations": organizations}


def fresh(running: Pipeline, name: str) -> dict[str, object]:
    """Settings of workers that begin with an empty database of their own, which is made here."""
    changed: dict[str, object] = {"clickhouse_database": name, "consumer_group": name}
    prepare(running.settings.model_copy(update=changed))
    return changed
