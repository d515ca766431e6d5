"""Many histories, on all cores."""

import multiprocessing
from collections.abc import Iterator
from contextlib import nullcontext

from tests.simulation.faults import planted
from tests.simulation.history import Outcome, run

CHUNK = 50
"""Seeds a task."""


Forms = tuple[bool, ...]
"""Pure, compiled or both, as `compiled` of a source."""
Task = tuple[int, int, str, Forms]


def live_through(task: Task) -> list[Outcome]:
    """The outcomes of the seeds from..to under a fault (or none, when it is empty), with the forms taking turns."""
    first, end, fault, forms = task
    with planted(fault) if fault else nullcontext():
        return [run(seed, forms[seed % len(forms)]) for seed in range(first, end)]


def outcomes(first: int, seeds: int, jobs: int, fault: str, forms: Forms) -> Iterator[list[Outcome]]:
    """Chunks of outcomes, in order of the seeds."""
    starts = range(first, first + seeds, CHUNK)
    tasks: list[Task] = [(start, min(start + CHUNK, first + seeds), fault, forms) for start in starts]
    if jobs == 1 or len(tasks) == 1:
        yield from map(live_through, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(live_through, tasks)
