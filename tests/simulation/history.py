"""One seed, one history: made, disturbed, healed, brought to its end and compared with the log."""

import asyncio
import gc
import logging
import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

from streams.source_names import source_name
from tests.simulation.group import Group
from tests.simulation.log import Log
from tests.simulation.loop import Loop, Stuck
from tests.simulation.plan import Plan, of_people, plan_of
from tests.simulation.store import Database
from tests.simulation.witness import BEGINNING, Witness

MAX_STEPS = 200_000
PEOPLE_EVERY = 5
"""Of so many histories one is of people."""
PATIENCE = 120.0
"""Virtual seconds after the last disturbance within which everything must be in the tables."""


@dataclass(frozen=True)
class Outcome:
    """What a history came to. `fingerprint` is the same for every run of the seed; `wrong` is empty if all is right."""

    seed: int
    wrong: str
    fingerprint: int
    steps: int
    met: Counter[str]


class History:
    """The world of one seed."""

    def __init__(self, seed: int, compiled: bool) -> None:
        self.rng = random.Random(seed)
        plan = plan_of(self.rng)
        if seed % PEOPLE_EVERY == PEOPLE_EVERY - 1:
            plan = of_people(plan, self.rng)
        self.plan: Plan = replace(plan, options=replace(plan.options, compiled=compiled))
        self.loop = Loop(self.rng)
        self.log = Log(self.loop, self.rng, self.plan)
        self.witness = Witness(self.log, self.plan)
        self.database = Database(self.witness)

    async def live(self) -> None:
        """From the first record until everything is in the tables. Raises Stuck when it does not get there."""
        plan, loop = self.plan, self.loop
        self.group = Group(loop, self.rng, plan, self.database, self.log, self.witness)
        await asyncio.gather(self.group.disturb(plan.chaos_seconds), self.incident())
        await asyncio.sleep(max(0.0, plan.chaos_seconds - loop.now))
        await self.group.heal()
        deadline = loop.now + PATIENCE
        while problem := self.unfinished():
            if loop.now > deadline:
                raise Stuck(problem)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)

    async def incident(self) -> None:
        """What befalls the world besides the daily trouble."""
        if self.plan.incident == "restored":
            await self.group.restore_backups(self.plan.chaos_seconds)
        elif self.plan.incident == "grown":
            await self.group.add_partitions(self.plan.chaos_seconds)

    def unfinished(self) -> str:
        """What is not in the tables yet."""
        for failure in [*self.group.failures, *(one for worker in self.group.workers for one in worker.failures)]:
            return f"a worker failed: {failure}"
        for partition in self.plan.partitions:
            if partition == self.group.cursed:
                if any(partition in worker.assignments.stopped for worker in self.group.workers):
                    continue
                return f"stuck: nobody says what is wrong with {partition}"
            name, end = source_name(*partition, {}), self.log.last(partition)
            position = self.database.positions.get(name)
            if position is None or position.next_offset < end:
                return f"stuck: {name} stands at {position}, the log ends at {end}"
            last = BEGINNING + timedelta(seconds=self.log.partitions[partition].times[-1])
            if self.plan.checks_watermark and position.watermark < last:
                return f"stuck: the watermark of {name} is {position.watermark}, its last record came at {last}"
        return ""

    def misplaced(self) -> str:
        """A source that a worker holds though it is not assigned to it."""
        for worker in self.group.workers:
            if not worker.assignments.owned.keys() <= worker.assigned:
                return f"a worker owns {sorted(worker.assignments.owned)} and was assigned {sorted(worker.assigned)}"
        return ""


def run(seed: int, compiled: bool) -> Outcome:
    """Live through the history of `seed`, with workers of one form."""
    state, logger = random.getstate(), logging.getLogger("tally.sources")
    random.seed(seed)  # the waits between retries draw from the common dice
    logger.disabled, had_gc = True, gc.isenabled()
    gc.disable()
    try:
        return _run(History(seed, compiled), seed)
    finally:
        random.setstate(state)
        logger.disabled = False
        if had_gc:
            gc.enable()


def _run(history: History, seed: int) -> Outcome:
    witness = history.witness
    try:
        history.loop.run(history.live(), MAX_STEPS)
    except Stuck as stuck:
        witness.wrong(str(stuck))
    else:
        witness.compare(history.group.cursed)
        if misplaced := history.misplaced():
            witness.wrong(misplaced)
    witness.wrongs += history.loop.errors
    steps = history.loop.steps
    return Outcome(seed, witness.wrongs[0] if witness.wrongs else "", hash((witness.seen, steps)), steps, witness.met)
