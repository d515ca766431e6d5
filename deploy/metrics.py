"""What a worker tells of itself: Prometheus metrics and health, over HTTP on 127.0.0.1 or the setting's port.

Every metric is named once, here, with its unit in its name. They are read from the sources when they are asked for,
so folding pays nothing for them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from deploy.own_machine import refuse_pages
from deploy.standings import held_back
from sinks.owned import Owned, Partition
from sinks.sources import Sources

Name = Literal[
    "tally_source_place_offset",  # next offset to fold
    "tally_source_confirmed_offset",  # next offset of the stored position
    "tally_source_watermark_age_seconds",  # how far behind now the source's tables are known to be whole
    "tally_source_duplicates_total",  # repeats of an event_id that were not counted
    "tally_source_stopped",  # 1 for a partition that needs a person
    "tally_worker_open_cells",  # cells in memory
    "tally_worker_unflushed_rows",  # rows that wait for a flush
    "tally_worker_retrying",  # 1 while ClickHouse does not take what it is given
]

HELD_SECONDS = 15.0
"""An open transaction that hides a log's end for longer makes the worker unhealthy; most last less than a second."""

STALE_SECONDS = 60.0
"""A watermark older than this, on a source that is owned, makes the worker unhealthy."""


@dataclass
class Health:
    """Whether the worker does its work, and what a person should know when it does not."""

    healthy: bool
    problems: list[str]
    partitions: int


class WorkerCollector:
    """Reads the metrics of a worker's sources, by source where there is one."""

    def __init__(self, sources: Sources, clock: Callable[[], datetime]) -> None:
        self._sources = sources
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """All metrics, as they are now."""
        owned = list(self._sources.owned.values())
        now = self._clock()
        yield _gauge("tally_source_place_offset", owned, lambda one: one.source.place)
        yield _gauge("tally_source_confirmed_offset", owned, lambda one: one.confirmed)
        yield _gauge("tally_source_watermark_age_seconds", owned, lambda one: (now - one.watermark).total_seconds())
        duplicates = CounterMetricFamily("tally_source_duplicates_total", "repeats not counted", labels=["source"])
        for one in owned:
            duplicates.add_metric([one.source.name], one.source.duplicates)
        yield duplicates
        stopped = GaugeMetricFamily("tally_source_stopped", "a partition that needs a person", labels=["source"])
        for topic, partition in self._sources.stopped:
            stopped.add_metric([f"{topic}/{partition}"], 1)
        yield stopped
        yield _single("tally_worker_open_cells", self._sources.open_cells)
        yield _single("tally_worker_unflushed_rows", self._sources.unflushed)
        yield _single("tally_worker_retrying", 1 if self._sources.retrying else 0)


def _gauge(name: Name, owned: list[Owned], value: Callable[[Owned], float]) -> Metric:
    family = GaugeMetricFamily(name, name.replace("_", " "), labels=["source"])
    for one in owned:
        family.add_metric([one.source.name], value(one))
    return family


def _single(name: Name, value: float) -> Metric:
    return GaugeMetricFamily(name, name.replace("_", " "), value=value)


def health_of(sources: Sources, now: datetime) -> Health:
    """Health rests on stored positions and their watermarks, not on a timer that a stranded worker may not run."""
    problems = list(sources.stopped.values())
    if sources.retrying:
        problems.append(sources.retrying)
    problems += [problem for partition, one in sources.owned.items() if (problem := _behind(partition, one, now))]
    return Health(not problems, problems, len(sources.owned))


def _behind(partition: Partition, one: Owned, now: datetime) -> str:
    """Why a source's tables are not whole until about now, or nothing."""
    held_since = one.held_since
    if held_since is not None and (now - held_since).total_seconds() > HELD_SECONDS:
        return held_back(*partition, one.readable)
    if (now - one.watermark).total_seconds() <= STALE_SECONDS:
        return ""
    return f"{one.source.name} is behind: its tables are whole only until {one.watermark}"


def make_health_app(sources: Sources, clock: Callable[[], datetime]) -> web.Application:
    """`/metrics` (Prometheus text), `/health` (200 or 503, with the problems) and `/alive` (200 while it runs)."""
    registry = CollectorRegistry()
    registry.register(WorkerCollector(sources, clock))

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), content_type="text/plain")

    async def health(_: web.Request) -> web.Response:
        found = health_of(sources, clock())
        body: dict[str, Any] = {"healthy": found.healthy, "problems": found.problems, "partitions": found.partitions}
        return web.Response(
            body=orjson.dumps(body), status=200 if found.healthy else 503, content_type="application/json"
        )

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application(middlewares=[refuse_pages])
    app.add_routes([web.get("/metrics", metrics), web.get("/health", health), web.get("/alive", alive)])
    return app
