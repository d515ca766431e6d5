"""A worker that is interrupted at one step: killed, frozen, revoked, assigned anew, or its ClickHouse is restored.

A step is a request to ClickHouse or to the dead letters, and the instant before it, in the midst of its rows (torn), or
when it was done and nobody has heard. So every point at which the outside can differ from what a worker believes is
visited on purpose, not by chance.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from aggregators.prepared_batch import RejectedRecord
from streams.source_names import source_name
from tests.simulation.log import Log
from tests.simulation.loop import Loop
from tests.simulation.plan import plan_of
from tests.simulation.store import LATEST_LANDING, Database
from tests.simulation.witness import Witness
from tests.simulation.worker import Worker
from worker.partition_state import WorkerOptions

TOKEN, CHAT = ("tally.token", 0), ("tally.chat", 0)
RECORDS = 40
ASSIGNING = ("epochs", "positions", "first_unwritten")
READING = ("read_pages",)
OF_TOKEN, OF_CHAT = ("attributions", "spend_cells"), ("chat_cells", "minute_cells")
TABLES = (*OF_TOKEN, *OF_CHAT)
FLUSHING = ("database_identity", "_was_rolled_back", "dead_letters", *TABLES, "_write_positions")
STEPS = tuple(
    (step, instant)
    for step in (*ASSIGNING, *READING, *FLUSHING)
    for instant in ("before", "torn", "after")
    if instant != "torn" or step in (*TABLES, "dead_letters")
)
TAKEN_OVER = ("killed", "frozen", "revoked")
"""After these another worker gets the partition; after the others the same one goes on."""
DEADLINE = 60.0
"""Virtual seconds within which everything is in the tables again."""


@dataclass(frozen=True)
class Interruption:
    """`action` befalls a worker at the `nth` time that it comes to a step."""

    action: str
    step: str
    instant: str
    nth: int = 2


class World:
    """One partition, its ClickHouse with a backup from the first flush, and two workers, one after the other."""

    def __init__(self, seed: int, what: Interruption, compiled: bool) -> None:
        self.what, self.rng = what, Random(seed)
        self.partition = TOKEN if what.step in OF_TOKEN else CHAT
        options = WorkerOptions(
            records_at_a_time=3, block_size=6, blocks=1, flush_seconds=0.1, idle_flushes=0, open_cells_limit=4
        )
        options = replace(options, compiled=compiled)
        calm: dict[str, Any] = {"trouble": 0.0, "slow": 0.0, "losses": 0.0, "incident": ""}
        log: dict[str, Any] = {"partitions": (self.partition,), "records": RECORDS, "repeats": 0.3, "batch": 3}
        self.plan = replace(plan_of(Random(seed)), options=options, chaos_seconds=2.0, **calm, **log)
        self.loop = Loop(self.rng)
        self.log = Log(self.loop, self.rng, self.plan)
        self.log.partitions[self.partition].times = [0.05 * number for number in range(RECORDS)]
        self.witness = Witness(self.log, self.plan)
        self.database = Database(self.witness)
        self.database.backup_positions()()

    def worker(self, kind: Callable[..., Worker] = Worker) -> Any:
        """One more worker, that owns nothing yet."""
        return kind(self.loop, self.rng, self.plan, self.database, self.log, self.witness)

    async def live(self) -> bool:
        """Until all is in the tables and whatever was late has landed; gives whether it came to the step at all."""
        first = self.worker(Interrupted)
        first.meets(self.what)
        first.assign({self.partition})
        await self._until(lambda: first.met or self._is_whole())
        if first.met and self.what.action in TAKEN_OVER:
            self.worker().assign({self.partition})
        await self._until(self._is_whole)
        first.process.go_on()
        await asyncio.sleep(LATEST_LANDING + 1)
        await self._until(self._is_whole)
        return bool(first.met)

    def _is_whole(self) -> bool:
        position = self.database.positions.get(source_name(*self.partition, {}))
        return position is not None and position.next_offset >= RECORDS

    async def _until(self, condition: Callable[[], bool]) -> None:
        deadline = self.loop.now + DEADLINE
        while not condition():
            assert self.loop.now < deadline, f"{self.what}: not within {DEADLINE} s: {self.witness.wrongs}"
            await asyncio.sleep(0.05)


class Interrupted(Worker):
    """Comes to its step, and is met there."""

    def meets(self, what: Interruption) -> None:
        """What befalls it, and when."""
        self.what, self.met, self.left, self.has_backup = what, False, what.nth, False

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        step = args[0] if call.__name__ == "write" else call.__name__
        is_it = self._is_it(step)
        if is_it and self.what.instant == "before":
            await self._interrupt()
        if is_it and self.what.instant == "torn":
            self._database.write(step, args[1][: len(args[1]) // 2])
            await self._interrupt()
        result = await super().in_thread(call, *args)
        if is_it and self.what.instant == "after":
            await self._interrupt()
        if step == "_write_positions" and not self.has_backup:
            self.has_backup = True
            self._database.backup_positions()()
        return result

    async def write_dead_letters(self, letters: list[tuple[str, RejectedRecord]]) -> None:
        is_it = self._is_it("dead_letters")
        if is_it and self.what.instant == "before":
            await self._interrupt()
        if is_it and self.what.instant == "torn":
            await super().write_dead_letters(letters[: len(letters) // 2])
            await self._interrupt()
        await super().write_dead_letters(letters)
        if is_it and self.what.instant == "after":
            await self._interrupt()

    def _is_it(self, step: str) -> bool:
        self.left -= step == self.what.step and not self.met
        return step == self.what.step and self.left == 0 and not self.met

    async def _interrupt(self) -> None:
        self.met = True
        acts: dict[str, Callable[[], None]] = {
            "killed": self.kill,
            "frozen": self.process.stop,
            "revoked": lambda: self.assign(()),
            "reassigned": lambda: self.assign(self.assigned),
            "restored": self._database.restore,
        }
        acts[self.what.action]()
        await asyncio.sleep(self._rng.choice((0.0, 0.2, 1.0)))  # the killed and the frozen get no further
