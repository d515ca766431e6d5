"""Many histories, on all cores."""

import multiprocessing
from collections.abc import Iterator
from contextlib import nullcontext

from tests.simulation.faults import planted
from tests.simulation.history import Outcome, run

CHUNK = 50
"""Seeds a task."""


def live_through(task: tuple[int, int, str]) -> list[Outcome]:
    """The outcomes of the seeds from..to under a fault (or none, when it is empty)."""
    first, end, fault = task
    with planted(fault) if fault else nullcontext():
        return [run(seed) for seed in range(first, end)]


def outcomes(first: int, seeds: int, jobs: int, fault: str) -> Iterator[list[Outcome]]:
    """Chunks of outcomes, in order of the seeds."""
    starts = range(first, first + seeds, CHUNK)
    tasks = [(start, min(start + CHUNK, first + seeds), fault) for start in starts]
    if jobs == 1 or len(tasks) == 1:
        yield from map(live_through, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(live_through, tasks)
