"""A seeded generator of believable life in an AI workspace, as records for the log.

`simulate(plan)` gives the lines in the order of their arrival; `intake.ndjson` keeps them in a file.
"""

from collections.abc import Iterator

from intake.ndjson import ProducerRecord
from simulation.daily_activity import live
from simulation.inject_duplicates import inject_duplicates
from simulation.inject_poison import inject_poison
from simulation.plan import Plan
from simulation.poison_kinds import POISONS


def simulate(plan: Plan) -> Iterator[ProducerRecord]:
    """All lines of the plan's history; the same plan gives the same bytes.

    Duplicates and poison only add lines: the valid events are the same whatever these rates are.
    """
    return inject_poison(plan, inject_duplicates(plan, live(plan)))


__all__ = ["POISONS", "Plan", "simulate"]
