"""The simulated log: partitions that grow while time passes, and answers about their ends that may be slow or fail."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from random import Random

from tests.simulation.events import Record, Writer
from tests.simulation.loop import Loop
from tests.simulation.plan import Partition, Plan


class PartitionLog:
    """One partition: `times[offset]` is when the entry at `offset` came, `entries[offset]` its record or None."""

    def __init__(self, rng: Random, partition: Partition, plan: Plan) -> None:
        reach = plan.options.block_size * (plan.options.blocks + 2)
        writer = Writer(rng, *partition, plan.repeats, reach)
        self.entries = [writer.record(offset) for offset in range(plan.records)]
        is_new = plan.incident == "grown" and partition == plan.partitions[-1]
        born = plan.chaos_seconds / 2 if is_new else 0.0
        early = rng.randrange(plan.records)
        times = sorted(rng.uniform(born, plan.chaos_seconds) for _ in self.entries[early:])
        self.times = [born] * early + times
        self.start = 0

    def end(self, now: float) -> int:
        """The next offset that will be written."""
        return bisect_right(self.times, now)

    def recreate(self, rng: Random, now: float) -> None:
        """Another topic of the same name: the records are others, and there may be more or fewer of them."""
        entries = [one and one._replace(timestamp=one.timestamp + 1) for one in self.entries]
        whole = next(one for one in entries if one is not None)
        entries = [one or whole._replace(offset=offset) for offset, one in enumerate(entries)]
        self.entries = entries[: rng.randint(1, len(entries))]
        self.times = [now] * len(self.entries)

    def next_append(self, now: float) -> float | None:
        """When the partition grows next."""
        end = self.end(now)
        return self.times[end] if end < len(self.times) else None

    def read(self, start: int, end: int) -> list[Record]:
        """The records of `[start, end)`."""
        return [entry for entry in self.entries[start:end] if entry is not None]


class Log:
    """All partitions, as Sources and readers see them."""

    def __init__(self, loop: Loop, rng: Random, plan: Plan) -> None:
        self.partitions = {partition: PartitionLog(rng, partition, plan) for partition in plan.partitions}
        self.trouble = plan.trouble
        self._loop = loop
        self._rng = rng
        self._delay = plan.delay

    async def ranges(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """First offset and end of each partition, at some moment of the call."""
        await self._travel()
        found = {one: (self.partitions[one].start, self.partitions[one].end(self._loop.now)) for one in partitions}
        await self._travel()
        return found

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The end of each partition, at some moment of the call."""
        await self._travel()
        if self._rng.random() < 0.2:
            await asyncio.sleep(self._rng.choice((0.3, 1.0, 7.0)) * self._rng.random())
        if self._rng.random() < self.trouble:
            raise ConnectionError("no broker answers")
        found = {one: self.partitions[one].end(self._loop.now) for one in partitions}
        await self._travel()
        return found

    async def _travel(self) -> None:
        await asyncio.sleep(self._rng.expovariate(1 / self._delay))

    def first_missing(self, partition: Partition, moment: float) -> int:
        """The end that the partition had at `moment`: what a watermark of that moment must cover."""
        return bisect_left(self.partitions[partition].times, moment)

    def last(self, partition: Partition) -> int:
        """The end that the partition will have at last."""
        return len(self.partitions[partition].entries)
