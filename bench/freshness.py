"""How soon an event is seen in ClickHouse: `python -m bench.freshness [--rate EVENTS_A_SECOND]`.

An emitter in a process of its own emits at 10, 50 and 90 % of the full rate, which is a worker's from a backlog and is
measured first unless it is given. An event's time runs from the call of `emit_raw` that takes it until the first answer
of ClickHouse that has a position beyond its offset: cells are stored before positions, so by then everybody's query
counts it. The reader asks every 50 ms, and that much may be its own. Each percentile is over all events but those of
the first seconds. At the end the cells must count every event that was emitted.
"""

import argparse
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from bench.full_rate import add_options, worker_at_full_rate
from bench.result_files import facts, keep, parser, table
from bench.steady_load import Mark, Steady, steady
from bench.worker_probe import Tokens, Watched
from tests.support.pipeline import Pipeline, pipeline

SHARES = (0.1, 0.5, 0.9)
POLL_SECONDS = 0.05
SETTLE_SECONDS = 5.0
GOAL_SECONDS = 2.0
"""For p99 at half of the full rate."""

Latency = tuple[float, int]
"""Seconds, and how many events took them."""


def main() -> int:
    """Run it, print the table, keep the numbers; status 1 when an event is missing or counted twice."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, pipeline(Path(folder)) as running:
        worker, rate = worker_at_full_rate(running, options)
        rows = [
            {"share": share, **measure(running, worker, rate * share, options.seconds, options.settle)}
            for share in options.shares
        ]
    result = {**facts(), "full_events_per_second": rate, "seconds": options.seconds, "goal_p99_at_half": GOAL_SECONDS}
    keep(options.results, "freshness", {**result, "shares": rows})
    print(table(rows))
    return int(any(row["emitted"] != row["counted"] for row in rows))


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    add_options(made)
    made.add_argument("--seconds", type=float, default=60.0, help="of load at each share (60)")
    made.add_argument("--settle", type=float, default=SETTLE_SECONDS, help="seconds whose events are left out (5)")
    made.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of the full rate (0.1 0.5 0.9)")
    return made.parse_args()


def measure(running: Pipeline, worker: Watched, rate: float, seconds: float, settle: float) -> dict[str, Any]:
    """Latencies under a steady load of so many events a second; `worker` reads all the while."""
    tokens = Tokens(running)
    before = tokens.counted()["requests"]
    with steady(running, rate) as load:
        seen = watch(worker, tokens, load, seconds)
        marks = load.marks()
    emitted = marks[-1].total - marks[0].total
    found = latencies([mark for mark in marks if mark.at >= marks[0].at + settle], seen)
    return {
        "events_per_second": round(emitted / (marks[-1].at - marks[0].at)),
        "asked_per_second": round(rate),
        "emitted": emitted,
        "counted": tokens.counted()["requests"] - before,
        "p50": round(percentile(found, 0.5), 3),
        "p99": round(percentile(found, 0.99), 3),
        "max": round(max(found)[0], 3),
    }


def watch(worker: Watched, tokens: Tokens, load: Steady, seconds: float) -> list[Mark]:
    """What ClickHouse answered, and when: for so long, and then until it has all that was emitted."""
    seen: list[Mark] = []

    def look() -> None:
        stored = tuple(tokens.stored())
        if not seen or stored != seen[-1].offsets:
            seen.append(Mark(time.monotonic(), stored))

    def all_seen() -> bool:
        look()
        return seen[-1].offsets == load.latest().offsets

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        look()
        time.sleep(POLL_SECONDS)
    load.end()
    worker.until(all_seen)
    return seen


def latencies(marks: Sequence[Mark], seen: Sequence[Mark]) -> list[Latency]:
    """For each tick and partition after the first mark: from its emission until the first answer that has all of it."""
    found = []
    for partition in range(len(marks[0].offsets)):
        stored = [answer.offsets[partition] for answer in seen]
        for before, mark in pairwise(marks):
            events = mark.offsets[partition] - before.offsets[partition]
            if events:
                found.append((seen[bisect_left(stored, mark.offsets[partition])].at - mark.at, events))
    return found


def percentile(found: Iterable[Latency], share: float) -> float:
    """The time within which that share of the events was seen."""
    ordered = sorted(found)
    reached = accumulate(events for _, events in ordered)
    wanted = share * sum(events for _, events in ordered)
    return next(seconds for (seconds, _), so_far in zip(ordered, reached, strict=True) if so_far >= wanted)


if __name__ == "__main__":
    sys.exit(main())
