"""How fast answers are at 100,000 people: `python -m tests.bench.api_load [--people N --days N --rounds N ...]`.

Clients ask at once, each its next question when it has the answer to the last: every list and report of the API over
HTTP, from a server in a process of its own, and every metric through its function. `first` is the time of an answer to
a question that nobody asked before, `again` that of the same question later. Kept as JSON under bench/results/.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from api.context import TIMEOUT_EXCEEDED
from reports.metrics import look
from reports.presence.ahead import read_ahead
from sinks.clickhouse import connect
from tests.api.server import HEADERS, PREFIX, context_of, serve
from tests.api.world import World
from tests.bench.big_world import BIG, DATABASE, SOURCES, Size, cells_of, make
from tests.bench.questions import GRACE, Asked, Metric, lists, measures, reports_of_usage
from tests.embedded import start_clickhouse

RESULTS = Path("bench/results")
GOAL_MS = 300
PATIENCE = 300
"""Seconds that a client waits for an answer, so that whatever it takes is measured."""

TOO_SLOW = 503
"""An answer that passed its deadline counts with the time after which it was given up."""

Question = tuple[str, Callable[[], object]]


def main() -> None:
    """Run the bench, print its table, keep its numbers."""
    options = _options()
    size = Size(options.people, options.days)
    with tempfile.TemporaryDirectory() as temporary:
        server = start_clickhouse(Path(options.folder or temporary))
        try:
            url = server.child.url
            key = make(url, size)
            with served(url) as base_url:
                client = connect(url, database=DATABASE, timeout=PATIENCE)
                read_ahead(client)
                asked = [list(_questions(client, base_url, key, shift)) for shift in range(options.rounds)]
                times = {"first": _run(asked, options.clients), "again": _run(asked, options.clients)}
            cells = cells_of(connect(url, database=DATABASE, timeout=600))
        finally:
            server.stop()
    result = _result(options, cells, times)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / options.out).write_text(json.dumps(result, indent=2) + "\n")
    print(_table(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default="", help="where ClickHouse keeps its data, to be used again")
    parser.add_argument("--out", default="api.json")
    return parser.parse_args()


@contextmanager
def served(url: str) -> Iterator[str]:
    """The address of an API over the big organization, in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(url, there))
    process.start()
    there.close()
    yield here.recv()
    here.send("done")
    process.join()


def _serve(url: str, parent: Any) -> None:
    context = context_of(World(url, DATABASE, [], {}, set(SOURCES)))
    context.warm()
    with serve(context) as running:
        parent.send(running.base_url)
        parent.recv()


def _questions(client: Client, base_url: str, key: str, shift: int) -> Iterator[Question]:
    headers = {"x-api-key": key, **HEADERS}
    for prefix, named in ((PREFIX, lists(shift)), (PREFIX.removesuffix("/analytics"), reports_of_usage(shift))):
        http = httpx.Client(base_url=f"{base_url}{prefix}/", headers=headers, timeout=PATIENCE)
        for name, asked in named:
            yield name, partial(_get, http, asked)
    for name, metric in measures(shift):
        yield name, partial(_measure, client, metric)


def _get(http: httpx.Client, asked: Asked) -> None:
    path, parameters = asked
    found = http.get(path, params=dict(parameters))
    if found.status_code != TOO_SLOW:
        found.raise_for_status()


def _measure(client: Any, metric: Metric) -> None:
    try:
        metric(look(client, BIG, SOURCES, GRACE))
    except ClickHouseError as error:
        if getattr(error, "code", None) != TIMEOUT_EXCEEDED:
            raise


def _run(rounds: Iterable[Sequence[Question]], clients: int) -> dict[str, list[float]]:
    """Milliseconds of each question's answers, as many questions at once as there are clients."""
    questions = [question for asked in rounds for question in asked]
    random.Random(1).shuffle(questions)
    times: dict[str, list[float]] = defaultdict(list)
    with ThreadPoolExecutor(clients) as pool:
        for name, milliseconds in pool.map(_timed, questions):
            times[name].append(milliseconds)
    return dict(sorted(times.items()))


def _timed(question: Question) -> tuple[str, float]:
    name, ask = question
    began = time.perf_counter()
    ask()
    return name, (time.perf_counter() - began) * 1000


def _result(options: argparse.Namespace, cells: int, times: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "versions": {name: version(name) for name in ("chdb", "clickhouse-connect", "litestar", "uvicorn")},
        "people": options.people,
        "days": options.days,
        "cells": cells,
        "clients": options.clients,
        "goal_ms": GOAL_MS,
        "milliseconds": {when: {name: _spread(found) for name, found in by.items()} for when, by in times.items()},
    }


def _spread(found: list[float]) -> dict[str, int]:
    p95 = statistics.quantiles(found, n=20, method="inclusive")[-1] if len(found) > 1 else found[0]
    return {"p50": round(statistics.median(found)), "p95": round(p95), "max": round(max(found))}


def _table(result: dict[str, Any]) -> str:
    first, again = (result["milliseconds"][when] for when in ("first", "again"))
    rows = [f"{result['cells']:,} cells, {result['clients']} clients; p50/p95/max in ms: first, again"]
    for name in first:
        shown = ("/".join(map(str, spread[name].values())) for spread in (first, again))
        rows.append(f"{name:45} {'  '.join(f'{text:>18}' for text in shown)}")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
