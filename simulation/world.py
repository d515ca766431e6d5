"""The state of a running simulation."""

from dataclasses import dataclass, field

from simulation.clock import midnight
from simulation.entities import Organization
from simulation.outbox import Outbox
from simulation.plan import Plan
from simulation.rng import Rng


@dataclass
class World:
    """The plan, its random numbers, its outbox, and the organizations; `start` and `until` are in milliseconds."""

    plan: Plan
    dice: Rng
    outbox: Outbox
    start: int
    until: int
    organizations: list[Organization] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan) -> "World":
        """Return a world without organizations."""
        return cls(plan, Rng(plan.seed, "world"), Outbox(plan), midnight(plan.start), midnight(plan.until))
