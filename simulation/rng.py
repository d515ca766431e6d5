"""Reproducible random numbers: every draw of the simulation comes from an Rng seeded by the plan."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Rng(random.Random):
    """The random numbers of one stream of a plan; the same seed and stream always give the same draws.

    Streams are separate so that, for example, a higher rate of poison leaves every valid event unchanged.
    """

    def __init__(self, seed: int, stream: str) -> None:
        super().__init__(f"{seed}/{stream}")

    def uuid(self) -> str:
        """Return a version 4 UUID in lower-case hyphenated form."""
        digits = f"{self.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def pick(self, items: Sequence[T]) -> T:
        """Return one of `items` with equal probability (`choice`, in a third of its time)."""
        return items[int(self.random() * len(items))]

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.random() < probability

    def between(self, low: int, high: int) -> int:
        """Return a whole number in [low, high)."""
        return low + int(self.random() * (high - low))

    def poisson(self, mean: float) -> int:
        """Return a Poisson count; for a mean above 30, from its normal approximation."""
        if mean > 30:
            return max(0, round(self.gauss(mean, math.sqrt(mean))))
        limit, count, product = math.exp(-mean), 0, self.random()
        while product > limit:
            count += 1
            product *= self.random()
        return count

    def skewed(self, median: float, sigma: float) -> int:
        """Return a log-normal count: half of them are below `median`, with a long tail above."""
        return int(median * math.exp(self.gauss(0.0, sigma)))


def bag(weights: Mapping[T, int]) -> tuple[T, ...]:
    """Return a tuple with each key as often as its weight, so that `Rng.pick` draws by weight."""
    return tuple(item for item, weight in weights.items() for _ in range(weight))
