"""All faults that can be planted."""

from tests.simulation.faults import flushing, folding, horizon, people, world
from tests.simulation.faults.planting import FAULTS, planted

__all__ = ["FAULTS", "flushing", "folding", "horizon", "people", "planted", "world"]
