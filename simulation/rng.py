"""Chance, repeatable: every draw of the simulation comes from a Dice seeded by the plan."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Rng(random.Random):
    """Random numbers of one stream of a plan; the same seed and stream give the same draws for ever.

    Streams are separate so that, say, a higher rate of poison leaves every valid event as it was.
    """

    def __init__(self, seed: int, stream: str) -> None:
        super().__init__(f"{seed}/{stream}")

    def uuid(self) -> str:
        """A version 4 UUID in lower-case hyphenated form."""
        digits = f"{self.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`, each as likely (`choice`, at a third of its price)."""
        return items[int(self.random() * len(items))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high)."""
        return low + int(self.random() * (high - low))

    def poisson(self, mean: float) -> int:
        """A Poisson count; beyond a mean of 30 its normal approximation."""
        if mean > 30:
            return max(0, round(self.gauss(mean, math.sqrt(mean))))
        limit, count, product = math.exp(-mean), 0, self.random()
        while product > limit:
            count += 1
            product *= self.random()
        return count

    def skewed(self, median: float, sigma: float) -> int:
        """A log-normal count: half of them below `median`, with a long tail above."""
        return int(median * math.exp(self.gauss(0.0, sigma)))


def bag(weights: Mapping[T, int]) -> tuple[T, ...]:
    """A tuple that holds each key as often as its weight, so that `Dice.pick` draws by weight."""
    return tuple(item for item, weight in weights.items() for _ in range(weight))
