"""Metrics of a worker, each named here once with its unit in its name, and its health.

Both are read from the sources when they are requested, so they cost folding nothing.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from sinks.positions import NO_WATERMARK
from streams.log import held_back
from streams.record_batch import Partition
from worker.assignment import Assignments
from worker.health import Health
from worker.partition_state import PartitionState
from worker.store_calls import StoreCalls

Name = Literal[
    "tally_source_next_offset",  # next offset to fold
    "tally_source_confirmed_offset",  # next offset of the stored position
    "tally_source_watermark_age_seconds",  # age of the moment until which the source's tables are whole
    "tally_source_duplicates_total",  # repeats of an event_id that were not counted
    "tally_source_stopped",  # 1 for a source that needs an operator
    "tally_source_held_back",  # 1 for a source whose log's end an open transaction hides
    "tally_worker_open_cells",  # cells in memory
    "tally_worker_unflushed_rows",  # rows that wait for a flush
    "tally_worker_retrying",  # 1 while a call to ClickHouse is being retried
    "tally_worker_waiting",  # 1 while the worker waits at its start
    "tally_exporter_last_run_timestamp_seconds",  # when a run last succeeded
    "tally_exporter_complete_until_timestamp_seconds",  # end of the newest complete day that a run saw
    "tally_exporter_failing",  # 1 while the latest run failed
]

HELD_SECONDS = 15.0
"""An open transaction that hides a log's end for longer makes the worker unhealthy; most last less than a second."""

JOINING_SECONDS = 60.0
"""Time for a worker to get partitions. A worker without any after that is a spare one, and healthy."""

STALE_SECONDS = 60.0
"""A watermark older than this, on a source that is owned, makes the worker unhealthy."""


class Waiting:
    """Report of a worker that still waits at its start; `problem` names what for."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def health(self) -> Health:
        """Return the problem: the worker is not healthy yet."""
        return Health([self.problem], {"partitions": 0})

    def collect(self) -> Iterator[Metric]:
        """Yield the metric of a waiting worker."""
        yield single("tally_worker_waiting", 1)


class WorkerReporter:
    """Metrics and health of a running worker, by source where there is one."""

    def __init__(self, assignments: Assignments, call: StoreCalls, clock: Callable[[], datetime]) -> None:
        self._assignments = assignments
        self._call = call
        self._clock = clock
        self._is_joining = True
        self._until = time.monotonic() + JOINING_SECONDS

    def health(self) -> Health:
        """Return the current health; a worker without partitions for JOINING_SECONDS is a spare one, and healthy."""
        self._is_joining = self._is_joining and not self._assignments.owned and not self._assignments.stopped
        if self._is_joining and time.monotonic() < self._until:
            return Waiting("the worker joins its group and has no partitions yet").health()
        return health_of(self._assignments, self._call.retrying, self._clock())

    def collect(self) -> Iterator[Metric]:
        """All metrics, as they are now."""
        owned, now = list(self._assignments.owned.values()), self._clock()
        yield _gauge("tally_source_next_offset", owned, lambda one: one.source.next_offset)
        yield _gauge("tally_source_confirmed_offset", owned, lambda one: one.stored_offset)
        yield _gauge("tally_source_watermark_age_seconds", owned, lambda one: (now - one.watermark).total_seconds())
        yield _gauge("tally_source_held_back", [one for one in owned if is_held(one, now)], lambda _: 1)
        duplicates = CounterMetricFamily("tally_source_duplicates_total", "repeats not counted", labels=["source"])
        for one in owned:
            duplicates.add_metric([one.source.name], one.source.duplicates)
        yield duplicates
        stopped = GaugeMetricFamily("tally_source_stopped", "a source that needs a person", labels=["source"])
        for each in self._assignments.stopped.values():
            stopped.add_metric([each.source], 1)
        yield stopped
        yield single("tally_worker_open_cells", self._assignments.open_cells)
        yield single("tally_worker_unflushed_rows", self._assignments.unflushed)
        yield single("tally_worker_retrying", 1 if self._call.retrying else 0)
        yield single("tally_worker_waiting", 0)


def _gauge(name: Name, owned: list[PartitionState], value: Callable[[PartitionState], float]) -> Metric:
    family = GaugeMetricFamily(name, name.replace("_", " "), labels=["source"])
    for one in owned:
        family.add_metric([one.source.name], value(one))
    return family


def single(name: Name, value: float) -> Metric:
    """A metric without a label."""
    return GaugeMetricFamily(name, name.replace("_", " "), value=value)


def health_of(assignments: Assignments, retrying: str, now: datetime) -> Health:
    """Health rests on stored positions and their watermarks, not on a timer that a stranded worker may not run."""
    problems = [stopped.problem for stopped in assignments.stopped.values()]
    if retrying:
        problems.append(retrying)
    problems += [problem for partition, one in assignments.owned.items() if (problem := _behind(partition, one, now))]
    return Health(problems, {"partitions": len(assignments.owned)})


def is_held(one: PartitionState, now: datetime) -> bool:
    """True if an open transaction has kept the source from its log's end for unusually long."""
    return one.held_since is not None and (now - one.held_since).total_seconds() > HELD_SECONDS


def _behind(partition: Partition, one: PartitionState, now: datetime) -> str:
    """Return the reason why a source's tables are not whole until about now, or nothing."""
    if is_held(one, now):
        return held_back(*partition, one.readable)
    if one.watermark <= NO_WATERMARK:
        return f"{one.source.name} has not been read to the end of its log yet, so how far its tables reach is unknown"
    if (now - one.watermark).total_seconds() <= STALE_SECONDS:
        return ""
    return f"{one.source.name} is behind: its tables are whole only until {one.watermark}"
