"""Duplicates: events that a producer sends twice, with the same bytes a little later."""

import heapq
from collections.abc import Iterator

from intake.ndjson import ProducerRecord
from simulation.plan import Plan
from simulation.rng import Rng
from tally_client.events import PROFILES

FARTHEST = 3000
"""The maximum distance in records between an event and its repeat, far below the duplicate horizon."""


def inject_duplicates(plan: Plan, lines: Iterator[ProducerRecord]) -> Iterator[ProducerRecord]:
    """Yield the records, and a share `plan.duplicates` of them a second time.

    Profiles are not repeated: their topic keeps the last value, so a repeat could undo a later change.
    """
    dice = Rng(plan.seed, "duplicates")
    due: list[tuple[int, ProducerRecord]] = []
    for position, line in enumerate(lines):
        yield line
        if line.topic != PROFILES and dice.random() < plan.duplicates:
            heapq.heappush(due, (position + dice.between(1, FARTHEST), line))
        while due and due[0][0] <= position:
            yield heapq.heappop(due)[1]
    while due:
        yield heapq.heappop(due)[1]
