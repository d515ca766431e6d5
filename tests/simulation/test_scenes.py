"""What random histories meet too seldom to wait for, set up by hand."""

import asyncio
import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from streams.record_batch import RecordBatch
from tests.simulation.events import CONVERSATIONS, ORGANIZATIONS, PEOPLE, START, Record
from tests.simulation.faults import planted
from tests.simulation.log import Log
from tests.simulation.loop import Loop
from tests.simulation.plan import plan_of
from tests.simulation.store import Database
from tests.simulation.witness import Witness
from tests.simulation.worker import Worker
from worker.partition_state import WorkerOptions

PARTITION = ("tally.chat", 0)


def message(offset: int) -> Record:
    """One message; all of them fall into the same cells."""
    event = {
        "type": "chat.message",
        "event_id": f"0e000000-0000-4000-8000-{offset:012x}",
        "occurred_at": START.isoformat(),
        "organization_id": ORGANIZATIONS[0],
        "actor": {"type": "user", "id": PEOPLE[0]},
        "product": "chat",
        "conversation_id": CONVERSATIONS[0],
        "thinking": False,
        "web_searches": 1,
    }
    return Record(offset, int(START.timestamp() * 1000), None, json.dumps(event).encode())


class Scene:
    """One worker's sources, driven by hand in a world without trouble."""

    def __init__(self) -> None:
        options = WorkerOptions(block_size=4, blocks=1, flush_seconds=1000.0, idle_flushes=0)
        calm: dict[str, Any] = {"trouble": 0.0, "slow": 0.0, "losses": 0.0, "incident": ""}
        plan = replace(plan_of(Random(0)), partitions=(PARTITION,), records=3, options=options, **calm)
        self.loop = Loop(Random(0))
        self.log = Log(self.loop, Random(0), plan)
        self.log.partitions[PARTITION].entries = [message(offset) for offset in range(3)]
        self.log.partitions[PARTITION].times = [0.0] * 3
        self.log.partitions[PARTITION].transactions = []
        self.witness = Witness(self.log, plan)
        self.database = Database(self.witness)
        worker = Worker(self.loop, Random(0), plan, self.database, self.log, self.witness)
        self.assignments, self.flusher = worker.assignments, worker.flusher

    async def fold(self, offset: int) -> None:
        """Process the batch of one record."""
        records = self.log.partitions[PARTITION].read(offset, offset + 1)
        await self.assignments.process(RecordBatch(*PARTITION, 1, offset, offset + 1, records))

    async def restore_between_flushes(self) -> None:
        """The second message's cells are lost with the restore, and the third's page is read back after it."""
        await self.assignments.assign([PARTITION], 1)
        await self.fold(0)
        await self.flusher.flush()
        self.database.backup_positions()()
        await self.fold(1)
        await self.flusher.flush()
        self.database.restore()
        await self.fold(2)
        await self.flusher.flush()


def test_cells_read_back_from_a_restored_database_are_not_written() -> None:
    scene = Scene()
    scene.loop.run(scene.restore_between_flushes(), 10_000)
    assert scene.witness.wrongs == []
    assert not scene.assignments.owned
    assert next(iter(scene.database.positions.values())).next_offset == 1


@pytest.mark.parametrize("fault", ["cells_written_to_a_restored_database", "restored_database_not_noticed"])
def test_the_witness_sees_what_they_would_do(fault: str) -> None:
    with planted(fault):
        scene = Scene()
        scene.loop.run(scene.restore_between_flushes(), 10_000)
    assert any("the log gives" in wrong for wrong in scene.witness.wrongs)


def test_a_partition_revoked_while_it_is_assigned_is_not_owned() -> None:
    scene = Scene()

    async def revoked_meanwhile() -> dict[tuple[str, int], int]:
        assigning = scene.loop.create_task(scene.assignments.assign([PARTITION], 1))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not assigning.done()
        scene.assignments.revoke([PARTITION])
        assigned: dict[tuple[str, int], int] = await assigning
        return assigned

    assert scene.loop.run(revoked_meanwhile(), 10_000) == {}
    assert not scene.assignments.owned


def test_a_batch_that_was_prepared_and_not_applied_is_never_taken_for_its_own_duplicate() -> None:
    scene = Scene()

    async def folded_twice() -> None:
        await scene.assignments.assign([PARTITION], 1)
        source = scene.assignments.owned[PARTITION].source
        source.prepare(0, 1, [message(0)])
        await scene.fold(0)

    with pytest.raises(RuntimeError, match="prepared but not applied"):
        scene.loop.run(folded_twice(), 10_000)
