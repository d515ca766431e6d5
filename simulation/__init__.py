"""A seeded generator of realistic activity in an AI workspace, as records for the log.

`simulate(plan)` yields the records in the order of their arrival; `intake.ndjson` writes them to a file.
"""

from collections.abc import Iterator

from intake.ndjson import ProducerRecord
from simulation.daily_activity import live
from simulation.inject_duplicates import inject_duplicates
from simulation.inject_poison import inject_poison
from simulation.plan import Plan
from simulation.poison_kinds import POISONS


def simulate(plan: Plan) -> Iterator[ProducerRecord]:
    """Yield all records of the plan's history; the same plan gives the same bytes.

    Duplicates and poison only add records: the valid events are the same at any of these rates.
    """
    return inject_poison(plan, inject_duplicates(plan, live(plan)))


__all__ = ["POISONS", "Plan", "simulate"]
