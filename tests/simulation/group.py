"""The group of workers and what befalls it: rebalances, crashes, zombies, outages, a restored database."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from streams.source_names import source_name
from tests.simulation.log import Log
from tests.simulation.loop import Loop
from tests.simulation.plan import Partition, Plan
from tests.simulation.store import LATEST_LANDING, Database
from tests.simulation.witness import Witness
from tests.simulation.worker import Worker

NAMES = {
    "_rebalance": "rebalances",
    "_crash": "workers killed",
    "_lose_contact": "workers cut off",
    "_suspend": "workers that stood still and woke up",
    "_leave": "workers that left",
    "_outage": "ClickHouse away",
}


class Group:
    """Workers under a coordinator. A worker in `deaf` is no longer told what the coordinator decides."""

    def __init__(self, loop: Loop, rng: Random, plan: Plan, database: Database, log: Log, witness: Witness) -> None:
        self.workers: list[Worker] = []
        self.deaf: list[Worker] = []
        self.failures: list[str] = []
        is_growing = plan.incident == "grown"
        self.partitions = tuple(each for each in plan.partitions if not (is_growing and each in plan.added))
        self.cursed: Partition | None = None
        self._world = (loop, rng, plan, database, log, witness)
        self._rng = rng
        self._plan = plan
        self._log = log
        self._database = database
        self._met = witness.met
        for _ in range(plan.workers):
            self._join()
        self.rebalance()

    def _join(self) -> None:
        self.workers.append(Worker(*self._world))

    def rebalance(self) -> None:
        """Give every partition to one of the workers that listen."""
        shares: dict[int, set[Partition]] = {number: set() for number in range(len(self.workers))}
        for partition in self.partitions:
            shares[self._rng.randrange(len(self.workers))].add(partition)
        for number, worker in enumerate(self.workers):
            worker.assign(shares[number])

    # -- disturbances --------------------------------------------------------------------------------------

    async def disturb(self, until: float) -> None:
        """One disturbance after another until that moment."""
        loop: Loop = self._world[0]
        acts: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._rebalance,
            self._crash,
            self._crash,
            self._lose_contact,
            self._suspend,
            self._leave,
            self._outage,
        ]
        while loop.now < until:
            await asyncio.sleep(self._rng.expovariate(1 / self._plan.chaos_pause))
            act = self._rng.choice(acts)
            self._met[NAMES[act.__name__]] += 1
            await act()

    async def _rebalance(self) -> None:
        self.rebalance()

    async def _crash(self) -> None:
        """A worker dies; the others notice later, or it is back before they do."""
        worker = self._take()
        worker.kill()
        self._join()
        await self._some_time()
        self.rebalance()

    async def _lose_contact(self) -> None:
        """A worker is cut off and goes on with what it has, while its partitions go to others."""
        worker = self._take()
        self.deaf.append(worker)
        self._join()
        self.rebalance()
        if self._rng.random() < 0.5:
            await self._some_time()
            self._reunite(worker)

    async def _suspend(self) -> None:
        """A worker stands still beyond its session, wakes up as a zombie, and learns of it only then."""
        worker = self._take()
        worker.process.stop()
        self.deaf.append(worker)
        self._join()
        self.rebalance()
        await self._some_time()
        worker.process.go_on()
        if self._rng.random() < 0.5:
            await self._some_time()
            self._reunite(worker)

    async def _leave(self) -> None:
        """A worker ends in good order, with a last flush that is broken off when it takes too long."""
        worker = self._take()
        self._join()
        flush = worker.process.start(worker.flusher.flush())
        await asyncio.wait([flush], timeout=self._plan.delay * self._rng.choice((3, 5, 7, 20)))
        flush.cancel()
        await asyncio.sleep(self._rng.choice((0.0, 0.7, 0.7)))
        worker.assign(())
        self.rebalance()
        await self._some_time()
        worker.kill()
        self.failures += worker.failures

    async def _outage(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._database.is_away = True
        await self._some_time()
        meanwhile()
        await self._some_time()
        self._database.is_away = False

    async def restore_backups(self, until: float) -> None:
        """Again and again: positions are backed up, then cells, and the database comes back as it was then."""
        while self._world[0].now < until:
            await asyncio.sleep(self._rng.uniform(0, until / 4))
            backup_cells = self._database.backup_positions()
            await asyncio.sleep(self._rng.uniform(0, until / 4))
            backup_cells()
            await asyncio.sleep(self._rng.uniform(0, until / 4))
            if self._rng.random() < 0.5:
                self._database.restore()
            else:
                await self._outage(self._database.restore)

    async def add_partitions(self, until: float) -> None:
        """Topics get one more partition each."""
        await asyncio.sleep(until / 2)
        self._met["partitions added"] += 1
        self.partitions = self._plan.partitions
        self.rebalance()

    async def spoil_a_partition(self) -> None:
        """A topic is deleted and made anew, or loses records that nobody has folded; all workers start again.

        Only of a partition with a stored position that leaves room for it: one that stands at 0 knows no other log.
        """
        for worker in [*self.workers, *self.deaf]:
            worker.kill()
            self.failures += worker.failures
        self.workers, self.deaf = [], []
        await asyncio.sleep(LATEST_LANDING)
        for partition in self._plan.partitions:
            position = self._database.positions.get(source_name(*partition, {}))
            log = self._log.partitions[partition]
            if position and position.last_record and position.next_offset < len(log.entries) and not self.cursed:
                self.cursed = partition
                self._met["logs cut beyond the position" if self._plan.incident == "cut" else "topics recreated"] += 1
                if self._plan.incident == "cut":
                    log.start = self._rng.randint(position.next_offset + 1, len(log.entries))
                else:
                    log.recreate(self._rng, self._world[0].now)
        for _ in range(self._plan.workers):
            self._join()

    # -- parts ---------------------------------------------------------------------------------------------

    def _take(self) -> Worker:
        return self.workers.pop(self._rng.randrange(len(self.workers)))

    def _reunite(self, worker: Worker) -> None:
        """It hears of the rebalances that it missed, and takes part in the next."""
        self.deaf.remove(worker)
        self.workers.append(worker)
        worker.assign(())
        if self._rng.random() < 0.5:
            self.rebalance()

    async def _some_time(self) -> None:
        await asyncio.sleep(self._rng.choice((0.0, 0.05, 0.3, 1.0)) * self._rng.random())

    async def heal(self) -> None:
        """No more trouble: everybody hears, the database is there, and a last rebalance gives every partition away."""
        if self._plan.incident in ("recreated", "cut"):
            await self.spoil_a_partition()
        self._database.is_away = False
        self._log.trouble = 0.0
        for worker in [*self.deaf, *self.workers[self._plan.workers :]]:
            if self._rng.random() < 0.5:
                worker.kill()
            else:
                worker.assign(())
            self.failures += worker.failures
        self.deaf, self.workers = [], self.workers[: self._plan.workers]
        for worker in self.workers:
            worker.connection.trouble = 0.0
        self.rebalance()
