"""How soon a worker is back: `python -m bench.recovery [--kills 10 --cells 990000 --rate EVENTS_A_SECOND]`.

*Killed*: at half of the full rate (a worker's from a backlog, measured first unless it is given) the only worker gets
`kill -9`, and another of its name is started at once (`--name ""`: without a name). It has caught up with the first
answer of ClickHouse by which the new worker has stored something and no more than two seconds of load are emitted and
not yet stored. The load never stops.

*Cold*: a worker opens so many cells and ends; events on all of their pages follow; then a new worker starts, over an
empty memory: seconds from its start until it reads, until the first new position is stored, and until all is.
"""

import argparse
import random
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from bench.full_rate import add_options, worker_at_full_rate
from bench.result_files import facts, keep, parser, spread, table
from bench.steady_load import Steady, steady
from bench.token_events import Load, lines
from bench.worker_probe import Tokens, Watched
from tests.support.pipeline import Pipeline, pipeline

CAUGHT_UP_SECONDS = 2.0
"""Load that may be on its way: the freshness that is promised at half of the full rate."""


def main() -> int:
    """Run both, print their tables, keep the numbers; status 1 when an event is missing or counted twice."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, pipeline(Path(folder)) as running:
        worker, full = worker_at_full_rate(running, options)
        killed = kills(running, worker, full / 2, options.kills, options.name or None)
    with tempfile.TemporaryDirectory() as folder, pipeline(Path(folder)) as running:
        load = Load(events=options.cells + options.tail, cells=options.cells, organizations=options.organizations)
        cold = cold_start(running, load)
    result = {**facts(), "full_events_per_second": full, "killed": killed, "cold": cold}
    keep(options.results, "recovery", result)
    print(table([{"after kill -9": name, **killed[name]} for name in ("reading", "caught_up")]))
    print(f"\n{table([cold])}")
    return int(not killed["exact"] or not cold["exact"])


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    add_options(made)
    made.add_argument("--kills", type=int, default=10)
    made.add_argument("--name", default="worker-1", help="of the workers that are killed (worker-1)")
    made.add_argument("--cells", type=int, default=990_000, help="open cells of the cold start (990000)")
    made.add_argument("--tail", type=int, default=50_000, help="events that the cold start finds (50000)")
    made.add_argument("--organizations", type=int, default=20, help="of the cold start (20)")
    return made.parse_args()


def kills(running: Pipeline, worker: Watched, rate: float, times: int, name: str | None) -> dict[str, Any]:
    """So many kills under load; seconds from each until the next worker reads, and until it has caught up."""
    tokens, dice = Tokens(running), random.Random(5)
    worker.end()
    worker = Watched(running, worker_name=name)
    reading, caught_up = [], []
    with steady(running, rate) as load:
        for _ in range(times):
            worker.until(lambda: _lag(load, tokens) <= CAUGHT_UP_SECONDS * rate)
            time.sleep(dice.uniform(1.0, 4.0))
            worker.kill()
            worker = Watched(running, worker_name=name)
            worker.wait_until_reading()
            reading.append(worker.reading)
            _wait_until_caught_up(worker, load, tokens)
            caught_up.append(time.monotonic() - worker.started_at)
        load.end()
        worker.until(lambda: sum(tokens.stored()) == load.latest().total)
        exact = tokens.counted()["requests"] == load.latest().total
    return {
        "name": name,
        "events_per_second": round(rate),
        "reading": spread(reading),
        "caught_up": spread(caught_up),
        "seconds": caught_up,
        "exact": exact,
    }


def _wait_until_caught_up(worker: Watched, load: Steady, tokens: Tokens) -> None:
    """The worker before it is dead, so what is stored beyond this is the new one's."""
    before = tokens.stored()
    worker.until(lambda: tokens.stored() != before and _lag(load, tokens) <= CAUGHT_UP_SECONDS * load.rate)


def _lag(load: Steady, tokens: Tokens) -> int:
    """Events that are emitted and not yet stored."""
    load.refuse_ended()
    emitted = load.latest().total
    return emitted - sum(tokens.stored())


def cold_start(running: Pipeline, load: Load) -> dict[str, Any]:
    """Open all cells of the load, end the worker, emit the rest, and see how long another takes to go on."""
    tokens, coming = Tokens(running), lines(load)
    running.emit(islice(coming, load.cells))
    first = Watched(running)
    first.until(lambda: sum(tokens.stored()) >= load.cells)
    first.end()
    running.emit(coming)
    before = sum(tokens.stored())
    worker = Watched(running)
    worker.wait_until_reading()
    worker.until(lambda: sum(tokens.stored()) > before)
    first_position = time.monotonic() - worker.started_at
    worker.until(lambda: sum(tokens.stored()) >= load.events)
    stored = time.monotonic() - worker.started_at
    counted = tokens.counted()
    return {
        "cells": counted["cells"],
        "open_cells": worker.open_cells,
        "reading": round(worker.reading, 2),
        "first_position": round(first_position, 2),
        "all_stored": round(stored, 2),
        "peak_rss_mb": round(worker.peak_mb),
        "exact": counted["requests"] == load.events,
    }


if __name__ == "__main__":
    sys.exit(main())
