"""All that a simulation holds while it runs."""

from dataclasses import dataclass, field

from simulation.clock import midnight
from simulation.entities import Organization
from simulation.outbox import Outbox
from simulation.plan import Plan
from simulation.rng import Rng


@dataclass
class World:
    """The plan, its dice, its outbox, and the organizations; `start` and `until` in milliseconds."""

    plan: Plan
    dice: Rng
    outbox: Outbox
    start: int
    until: int
    organizations: list[Organization] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan) -> "World":
        """An empty world."""
        return cls(plan, Rng(plan.seed, "world"), Outbox(plan), midnight(plan.start), midnight(plan.until))
