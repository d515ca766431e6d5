"""The simulated log: partitions that grow while time passes, and answers about their ends that may be slow or fail.

Some of its records belong to transactions. Until one ends, nothing from its first record on can be read; then a control
record takes an offset of its own, and the records of one that was aborted are never handed on.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from streams.log import Bounds, Ends
from tests.simulation.events import Record, Writer
from tests.simulation.loop import Loop
from tests.simulation.people import log_of_people
from tests.simulation.plan import Partition, Plan


class Transaction(NamedTuple):
    """Its first record stands at `first`, the control record that ends it at `marker`."""

    first: int
    marker: int
    is_aborted: bool


class PartitionLog:
    """One partition: `times[offset]` is when the entry at `offset` came, `entries[offset]` its record or None."""

    def __init__(self, rng: Random, partition: Partition, plan: Plan, told: list[Record | None] | None) -> None:
        records = plan.records if told is None else len(told)
        self.transactions = [_transaction(rng, records) for _ in range(rng.choice(plan.transactions))]
        self.entries = _ended(_written(rng, partition, plan) if told is None else told, self.transactions, rng)
        is_new = plan.incident == "grown" and partition in plan.added
        born = plan.chaos_seconds / 2 if is_new else 0.0
        early = rng.randrange(records)
        times = sorted(rng.uniform(born, plan.chaos_seconds) for _ in self.entries[early:])
        self.times = [born] * early + times
        if any(one.marker == records - 1 for one in self.transactions):  # it may stay open for long
            self.times[-1] += rng.choice((0.0, 0.0, 0.0, 7.0))
        self.start = 0

    def end(self, now: float) -> int:
        """The next offset that will be written."""
        return bisect_right(self.times, now)

    def readable(self, now: float) -> int:
        """The first offset that an open transaction hides, or the end."""
        end = self.end(now)
        return min([end, *(one.first for one in self.transactions if one.first < end <= one.marker)])

    def recreate(self, rng: Random, now: float) -> None:
        """Another topic of the same name: the records are others, and there may be more or fewer of them."""
        entries = [one and one._replace(timestamp=one.timestamp + 1) for one in self.entries]
        self.entries = [one if rng.random() < 0.7 else None for one in entries[: rng.randint(1, len(entries))]]
        self.transactions = []
        self.times = [now] * len(self.entries)

    def next_append(self, now: float) -> float | None:
        """When the partition grows next."""
        end = self.end(now)
        return self.times[end] if end < len(self.times) else None

    def read(self, start: int, end: int) -> list[Record]:
        """The records of `[start, end)`."""
        return [entry for entry in self.entries[start:end] if entry is not None]


def _written(rng: Random, partition: Partition, plan: Plan) -> list[Record | None]:
    reach = plan.options.block_size * (plan.options.blocks + 2)
    writer = Writer(rng, *partition, plan.repeats, reach)
    return [writer.record(offset) for offset in range(plan.records)]


def _transaction(rng: Random, records: int) -> Transaction:
    """Some are long, and some end where the partition does."""
    first = rng.randrange(records)
    marker = records - 1 if rng.random() < 0.25 else min(records - 1, first + rng.choice((1, 2, 5, 12)))
    return Transaction(first, marker, rng.random() < 0.5)


def _ended(entries: list[Record | None], transactions: Iterable[Transaction], rng: Random) -> list[Record | None]:
    """What readers are handed of these entries when all transactions have ended."""
    for first, marker, is_aborted in transactions:
        entries[marker] = None
        for offset in range(first, marker if is_aborted else first):
            if offset == first or rng.random() < 0.6:  # the others are of other producers
                entries[offset] = None
    return entries


class Log:
    """All partitions, as Sources and readers see them."""

    def __init__(self, loop: Loop, rng: Random, plan: Plan) -> None:
        told = log_of_people(rng, plan) if plan.is_of_people else {}
        self.partitions = {each: PartitionLog(rng, each, plan, told.get(each)) for each in plan.partitions}
        self.trouble = plan.trouble
        self._loop = loop
        self._rng = rng
        self._delay = plan.delay

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, Bounds]:
        """Where each partition begins and ends, at some moment of the call."""
        await self._travel()
        found = {one: Bounds(self.partitions[one].start, *self._ends(one)) for one in partitions}
        await self._travel()
        return found

    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, Ends]:
        """Where each partition ends, at some moment of the call."""
        await self._travel()
        if self._rng.random() < 0.2:
            await asyncio.sleep(self._rng.choice((0.3, 1.0, 7.0)) * self._rng.random())
        if self._rng.random() < self.trouble:
            raise ConnectionError("no broker answers")
        found = {one: self._ends(one) for one in partitions}
        await self._travel()
        return found

    def _ends(self, partition: Partition) -> Ends:
        one, now = self.partitions[partition], self._loop.now
        return Ends(one.end(now), one.readable(now))

    async def _travel(self) -> None:
        await asyncio.sleep(self._rng.expovariate(1 / self._delay))

    def first_missing(self, partition: Partition, moment: float) -> int:
        """The end that the partition had at `moment`: what a watermark of that moment must cover."""
        return bisect_left(self.partitions[partition].times, moment)

    def last(self, partition: Partition) -> int:
        """The end that the partition will have at last."""
        return len(self.partitions[partition].entries)
