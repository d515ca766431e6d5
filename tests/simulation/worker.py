"""A simulated worker process: the real Assignments and Flusher, and a stand-in for the consumer that reads for them.

The consumer does what `streams.faust` does on the real one: it pauses and places all that is assigned,
numbers each assignment, reads on from the seek, fetches ahead, and leaves batches of an earlier assignment queued.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from aggregators.prepared_batch import RejectedRecord
from streams.record_batch import RecordBatch
from tests.simulation.log import Log
from tests.simulation.loop import Loop, Process
from tests.simulation.plan import Partition, Plan
from tests.simulation.store import Connection, Database
from tests.simulation.witness import BEGINNING, Witness
from worker.assignment import Assignments
from worker.flush import Flusher
from worker.store_calls import StoreCalls

QUEUED = 4
"""Batches that wait for each agent."""


class Queue:
    """Batches on their way to an agent; what is queued outlives an assignment."""

    def __init__(self) -> None:
        self.batches: deque[RecordBatch] = deque()
        self.changed = asyncio.Event()

    def put(self, batch: RecordBatch) -> None:
        self.batches.append(batch)
        self.changed.set()

    async def get(self) -> RecordBatch:
        while not self.batches:
            self.changed.clear()
            await self.changed.wait()
        return self.batches.popleft()


class Worker:
    """One process. `assign` is what a rebalance tells it; `process` kills, stops and continues it."""

    def __init__(self, loop: Loop, rng: Random, plan: Plan, database: Database, log: Log, witness: Witness) -> None:
        self.loop = loop
        self.process = Process(loop)
        self.assigned: frozenset[Partition] = frozenset()
        self.failures: list[str] = []
        self.queues = {topic: Queue() for topic, _ in plan.partitions}
        self.connection = Connection(database, loop, rng, plan)
        self._rng = rng
        self._plan = plan
        self._log = log
        self._witness = witness
        self._database = database
        self._skew = timedelta(seconds=rng.uniform(-2.4, 2.4))
        self._assignments = 0
        self._reading: dict[Partition, tuple[int, int]] = {}
        self._paused: set[Partition] = set()
        self._placement: asyncio.Task[None] | None = None
        self._joining: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._under_way: dict[int, Callable[[], Any]] = {}
        self._requests = 0
        store: Any = self.connection
        call = StoreCalls(self.in_thread)
        self.assignments = Assignments(store, call, log, plan.options)
        self.flusher = Flusher(
            self.assignments, store, call, log, self.write_dead_letters, plan.options, self._clock, self.reassign
        )
        self._start(self.flusher.run)
        self._start(self._read)
        for queue in self.queues.values():
            self._start(self._agent, queue)

    def _start(self, function: Callable[..., Any], *args: Any) -> asyncio.Task[Any]:
        async def guarded() -> None:
            try:
                await function(*args)
            except Exception as error:
                self.failures.append(f"{type(error).__name__}: {error}")

        return self.process.start(guarded())

    def _clock(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.loop.now) + self._skew

    # -- what a rebalance does -----------------------------------------------------------------------------

    def assign(self, partitions: Iterable[Partition]) -> None:
        """All partitions are revoked, and then these are assigned."""
        self.assignments.revoke(sorted(self.assigned))
        self.assigned = frozenset()
        if self._placement is not None:
            self._placement.cancel()
        if self._rng.random() < 0.3:
            for queue in self.queues.values():
                queue.batches.clear()
        if self._joining is not None:
            self._joining.cancel()
        self._joining = self._start(self._join, frozenset(partitions))

    async def _join(self, partitions: frozenset[Partition]) -> None:
        await self._pause_briefly()
        self.assigned = partitions
        self._place_all()

    async def reassign(self) -> None:
        """What the Flusher calls when the database is another one."""
        self._place_all()

    def _place_all(self) -> None:
        """Place what is assigned, in the background and paused."""
        self._paused = set(self.assigned)
        if self._placement is not None:
            self._placement.cancel()
        self._assignments += 1
        self._placement = self._start(self._place, sorted(self.assigned), self._assignments)

    async def _place(self, partitions: list[Partition], assignment: int) -> None:
        starts = await self.assignments.assign(partitions, assignment)
        await self._pause_briefly()
        self._seek(starts, assignment)
        if assignment == self._assignments:
            self._paused -= starts.keys()
            self._wake.set()

    def _seek(self, starts: Mapping[Partition, int], assignment: int) -> None:
        for partition, start in starts.items():
            if partition in self.assigned and self._reading.get(partition, (0, 0))[1] <= assignment:
                self._reading[partition] = (start, assignment)

    # -- reading -------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            readable = [one for one in sorted(self.assigned - self._paused) if self._has_more(one)]
            if readable:
                self._fetch(self._rng.choice(readable))
                await self._pause_briefly()
            else:
                await self._wait_for_more()

    def _has_more(self, partition: Partition) -> bool:
        has_room = len(self.queues[partition[0]].batches) < QUEUED
        return has_room and self._reading[partition][0] < self._log.partitions[partition].readable(self.loop.now)

    def _fetch(self, partition: Partition) -> None:
        start, assignment = self._reading[partition]
        entries = self._log.partitions[partition]
        end = min(entries.readable(self.loop.now), start + self._rng.randint(1, self._plan.batch))
        self._reading[partition] = (end, assignment)
        if self._rng.random() < self._plan.losses and end < self._log.last(partition):
            return  # the batch is lost; the next one shows the gap
        self.queues[partition[0]].put(RecordBatch(*partition, assignment, start, end, entries.read(start, end)))

    async def _wait_for_more(self) -> None:
        self._wake.clear()
        now = self.loop.now
        appends = [self._log.partitions[one].next_append(now) for one in self.assigned]
        next_append = min((moment for moment in appends if moment is not None), default=None)
        timer = self.loop.call_at(next_append, self._wake.set) if next_append is not None else None
        await self._wake.wait()
        if timer is not None:
            timer.cancel()

    async def _agent(self, queue: Queue) -> None:
        while True:
            batch = await queue.get()
            self._wake.set()
            self._witness.met["stale batches"] += batch.assignment != self._assignments
            again = await self.assignments.process(batch)
            self._witness.met["batches that left a gap"] += again is not None
            if again is not None and batch.assignment == self._assignments:
                await self._pause_briefly()
                self._seek({(batch.topic, batch.partition): again}, batch.assignment)
                self._wake.set()

    # -- the world outside ---------------------------------------------------------------------------------

    async def _pause_briefly(self) -> None:
        dice = self._rng.random()
        if dice < self._plan.slow:
            await asyncio.sleep(self._rng.random())
        elif dice < 0.6:
            await asyncio.sleep(self._rng.expovariate(1 / self._plan.delay))

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        """One request: there, done, and back. It fails if the database it was sent to is gone by then."""
        incarnation = self._database.incarnation
        self._requests += 1
        number = self._requests
        self._under_way[number] = lambda: call(*args)
        await self._pause_briefly()
        del self._under_way[number]
        if self._database.incarnation != incarnation:
            raise ConnectionResetError("the connection is gone")
        try:
            return call(*args)
        finally:
            await self._pause_briefly()

    async def write_dead_letters(self, letters: list[tuple[str, RejectedRecord]]) -> None:
        """To the topic of dead letters."""
        for source, letter in letters:
            if self._rng.random() < 0.3:
                await self._pause_briefly()
            self._witness.saw_letter(source, letter.record.offset, letter.reason)
        await self._pause_briefly()

    def kill(self) -> None:
        """Its memory is gone; requests that were under way may still arrive, some much later."""
        self.process.kill()
        for request in self._under_way.values():
            if self._rng.random() < 0.6:
                self.connection.land_later(_ignoring_errors(request))


def _ignoring_errors(request: Callable[[], Any]) -> Callable[[], None]:
    def call() -> None:
        try:
            request()
        except OSError:
            return

    return call
