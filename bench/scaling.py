"""How a worker's cost grows with what it holds: `python -m bench.scaling [--events N ...]`.

From one middle case, one thing at a time is changed: how many workers read the topic, how many cells are open, how many
organizations they belong to. In each case every cell is opened first, by one event; then what `--events` more on these
same cells cost is measured, until all are stored. With several workers the time begins when each has its partitions, so
it is of fewer events. All cells lie in one hour, so none of them is idle, and each flush writes all that were touched:
more than a worker that holds so many meets. `open_cells` has the live counters by the minute as well, so that the most
are just below the million past which a worker lets go of every page that was idle for one flush; the bytes of one are
the growth of a worker's memory since its start, with its batches and its horizon.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.result_files import facts, keep, parser, table
from bench.token_events import Load, lines
from bench.worker_probe import Tokens, Watched, fresh
from tests.support.pipeline import Pipeline, pipeline

Case = dict[str, Any]


def main() -> int:
    """Run all cases, print their table, keep the numbers; status 1 when the cells are not what was asked for."""
    options = _options()
    rows = []
    for load, crews in cases(options):
        with tempfile.TemporaryDirectory() as folder, pipeline(Path(folder)) as running:
            running.emit(lines(load))
            rows += [measure(running, load, workers) for workers in crews]
        print(table(rows[-len(crews) :]), flush=True)
    keep(options.results, "scaling", {**facts(), "events": options.events, **ratios(rows), "cases": rows})
    print(f"\n{table(rows)}\n{ratios(rows)}")
    return int(not all(row["right"] for row in rows))


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--events", type=int, default=1_000_000, help="on cells that are open (1000000)")
    made.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    made.add_argument("--cells", type=int, nargs="+", default=[100_000, 10_000, 980_000], help="the middle first")
    made.add_argument(
        "--organizations", type=int, nargs="+", default=[1_000, 10, 10_000], help="the middle first; 6 cells each"
    )
    return made.parse_args()


def cases(options: argparse.Namespace) -> Iterator[tuple[Load, list[int]]]:
    """Each topic, and how many workers read it, one crew after the other."""
    (cells, *other_cells), (organizations, *other_organizations) = options.cells, options.organizations
    yield _load(options.events, cells, organizations), options.workers
    for each in other_cells:
        yield _load(options.events, each, organizations), [1]
    for each in other_organizations:
        yield _load(options.events, cells, each), [1]


def _load(events: int, cells: int, organizations: int) -> Load:
    return Load(events=cells + events, cells=cells, organizations=organizations)


def measure(running: Pipeline, load: Load, workers: int) -> Case:
    """A crew of fresh workers over an empty database, which reads the topic to its end."""
    database = f"scaling_{len(running.workers)}"
    changed = fresh(running, database)
    tokens = Tokens(running, database)
    crew = [Watched(running, **changed) for _ in range(workers)]
    for worker in crew:
        worker.wait_until_reading()
    took = _took(crew, tokens, load)
    for worker in crew:
        worker.end()
    counted = tokens.counted()
    wanted = {"requests": load.events, "cells": load.cells, "organizations": load.organizations}
    found = {"cells": counted["cells"], "organizations": counted["organizations"]}
    return {"workers": workers, **found, **took, "right": counted == wanted}


def _took(crew: list[Watched], tokens: Tokens, load: Load) -> Case:
    """What the events cost that are left when every cell is open."""
    folded = _when_open(crew, load.cells, len(tokens.sources))
    began, cpu_began, left = time.perf_counter(), _cpu(crew), load.events - folded
    open_cells = sum(worker.open_cells for worker in crew)
    crew[0].until(lambda: sum(tokens.stored()) >= load.events)
    seconds, cpu = time.perf_counter() - began, _cpu(crew) - cpu_began
    grown = sum(worker.peak_mb - worker.started_with_mb for worker in crew)
    return {
        "open_cells": open_cells,
        "events_measured": left,
        "events_per_second": round(left / seconds) if left else None,
        "cpu_us_per_event": round(1e6 * cpu / left, 2) if left else None,
        "peak_rss_mb": round(max(worker.peak_mb for worker in crew)),
        "bytes_per_open_cell": round(grown * (1 << 20) / open_cells) if open_cells else None,
    }


def _when_open(crew: list[Watched], cells: int, partitions: int) -> int:
    """How much is folded when each has its share of the partitions, and every cell is open: told by one look, since a
    worker may say nothing at the next one."""
    looks: list[int] = []

    def is_open() -> bool:
        owned = [worker.folded for worker in crew]
        shares = [len(each) for each in owned]
        looks.append(sum(sum(each.values()) for each in owned))
        return min(shares) > 0 and sum(shares) == partitions and looks[-1] >= cells

    crew[0].until(is_open)
    return looks[-1]


def _cpu(crew: list[Watched]) -> float:
    return sum(worker.cpu for worker in crew)


def ratios(rows: list[Case]) -> dict[str, float | None]:
    """What the goals are about: two workers against one, and an event's cost with the most cells against the fewest."""
    middle = rows[0]
    two = next((row for row in rows if row["workers"] == 2), None)
    series = sorted((row for row in rows if row["workers"] == 1), key=lambda row: int(row["cells"]))
    return {
        "ratio_two_workers": _over(two["events_per_second"] if two else None, middle["events_per_second"]),
        "ratio_most_cells": _over(series[-1]["cpu_us_per_event"], series[0]["cpu_us_per_event"]),
    }


def _over(value: float | None, other: float | None) -> float | None:
    return round(value / other, 2) if value and other else None


if __name__ == "__main__":
    sys.exit(main())
