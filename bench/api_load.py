"""How fast answers are at 100,000 people: `python -m bench.api_load [--people N --days N --rounds N ...]`.

Clients ask at once, each its next question when it has the answer to the last: every list and report of the API and
every figure of the dashboard over HTTP, by locust (peer_scripts/http_load.py) from a server in a process of its own,
and then every metric through its function. `first` is the time of an answer to a question that nobody asked before,
`again` that of the same question later. Kept as JSON under bench/results/.
"""

import argparse
import json
import multiprocessing
import random
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from access.roles import largest_owner
from api.context import TIMEOUT_EXCEEDED
from bench.big_world import BIG, DATABASE, SOURCES, Size, cells_of, make
from bench.peer_environments import command_of
from bench.query_mix import GRACE, Metric, figures, lists, measures, reports_of_usage
from bench.result_files import facts, keep, table
from bench.result_files import parser as parser_of
from reports.metrics import open_context
from reports.presence.prefetch import read_ahead
from sinks.client import connect
from tests.support.api_server import HEADERS, PREFIX, context_of, serve
from tests.support.simulated_world import World
from tests.support.stack import start_clickhouse

GOAL_MS = 300
PATIENCE = 300
"""Seconds that a client waits for an answer, so that whatever it takes is measured."""

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
                owner = largest_owner(client)
                assert owner, "the big organization has no owner"
                times = {
                    when: _ask_http(base_url, key, owner[1], options) | _ask_metrics(client, options)
                    for when in ("first", "again")
                }
            cells = cells_of(connect(url, database=DATABASE, timeout=600))
        finally:
            server.stop()
    result = _result(options, cells, times)
    keep(options.results, "api", result)
    print(_table(result))


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default="", help="where ClickHouse keeps its data, to be used again")
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


def _ask_http(base_url: str, key: str, account: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """Milliseconds of the answers of each list, report and figure."""
    questions = [
        (name, f"{prefix}{path}", list(parameters.items()))
        for shift in range(options.rounds)
        for prefix, named in (
            (f"{PREFIX}/", lists(shift)),
            (PREFIX.removesuffix("analytics"), reports_of_usage(shift)),
            ("", figures(shift, account)),
        )
        for name, (path, parameters) in named
    ]
    random.Random(1).shuffle(questions)
    asked = {
        "base_url": base_url,
        "headers": HEADERS | {"x-api-key": key},
        "clients": options.clients,
        "seconds": PATIENCE,
        "questions": questions,
    }
    done = subprocess.run(command_of("http_load"), input=json.dumps(asked), capture_output=True, text=True, check=True)
    times: dict[str, list[float]] = json.loads(done.stdout)
    return dict(sorted(times.items()))


def _ask_metrics(client: Client, options: argparse.Namespace) -> dict[str, list[float]]:
    """Milliseconds of each metric's answers."""
    questions: list[Question] = [
        (name, partial(_measure, client, metric)) for shift in range(options.rounds) for name, metric in measures(shift)
    ]
    random.Random(1).shuffle(questions)
    times: dict[str, list[float]] = defaultdict(list)
    with ThreadPoolExecutor(options.clients) as pool:
        for name, milliseconds in pool.map(_timed, questions):
            times[name].append(milliseconds)
    return dict(sorted(times.items()))


def _measure(client: Client, metric: Metric) -> None:
    try:
        metric(open_context(client, BIG, SOURCES, GRACE))
    except ClickHouseError as error:
        if getattr(error, "code", None) != TIMEOUT_EXCEEDED:
            raise


def _timed(question: Question) -> tuple[str, float]:
    name, ask = question
    began = time.perf_counter()
    ask()
    return name, (time.perf_counter() - began) * 1000


def _result(options: argparse.Namespace, cells: int, times: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    return {
        **facts(("chdb", "clickhouse-connect", "litestar", "uvicorn")),
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
    times = result["milliseconds"]
    return table(
        [
            {"ms, p50/p95/max": name, **{when: "/".join(map(str, by[name].values())) for when, by in times.items()}}
            for name in times["first"]
        ]
    )


if __name__ == "__main__":
    main()
