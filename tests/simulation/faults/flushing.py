"""Faults of what is written when, and of the positions and watermarks that go with it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aggregators.watermark
from aggregators.watermark import EndOffset
from tests.simulation.faults.planting import Plant, fault
from worker.flush import Flusher


@fault
def position_before_cells(plant: Plant) -> None:
    """The position row goes in first."""

    write, store_positions = Flusher._write, Flusher._store_positions

    async def write_later(self: Any, snapshots: Any) -> None:
        self.later = snapshots

    async def positions_first(self: Any, *args: Any) -> bool:
        is_stored = await store_positions(self, *args)
        await write(self, self.later)
        return is_stored

    plant(Flusher, "_write", write_later)
    plant(Flusher, "_store_positions", positions_first)


@fault
def position_taken_at_confirmation(plant: Plant) -> None:
    """The place that is stored is that of the moment when the cells were confirmed."""
    original = Flusher._store_positions

    async def store_positions(self: Any, flight: Any, *rest: Any) -> bool:
        later = [(owned, replace(snapshot, next_offset=owned.source.next_offset)) for owned, snapshot in flight]
        return await original(self, later, *rest)

    plant(Flusher, "_store_positions", store_positions)


@fault
def position_before_dead_letters(plant: Plant) -> None:
    """Dead letters are sent, but nobody waits for them."""
    original = Flusher._write

    async def write(self: Any, snapshots: Any) -> None:
        letters = [(snapshot.source.name, record) for snapshot in snapshots for record in snapshot.rejected]
        if letters:
            self.unawaited = asyncio.ensure_future(self._dead_letters(letters))
        await original(self, [replace(snapshot, rejected=[]) for snapshot in snapshots])

    plant(Flusher, "_write", write)


@fault
def flush_broken_off_and_forgotten(plant: Plant) -> None:
    """A flush that is broken off leaves its sources as if it had written what it took."""

    async def flush(self: Any) -> None:
        async with self._flushing:
            await self._read_log_ends()
            flight = [(owned, owned.source.snapshot()) for owned in self._assignments.owned.values()]
            self._assignments.room.set()
            if await self._store_flight(flight):
                self._evict()
            else:
                await self._revoke_and_reassign([*self._assignments.owned, *self._assignments.stopped])

    plant(Flusher, "flush", flush)


@fault
def two_flushes_in_flight(plant: Plant) -> None:
    """The next flush does not wait until the one before is confirmed."""
    original = Flusher.flush

    async def flush(self: Any) -> None:
        self._flushing = asyncio.Lock()
        self.other = asyncio.ensure_future(original(self))
        await asyncio.sleep(0.01)

    plant(Flusher, "flush", flush)


@fault
def watermark_without_room_for_clocks(plant: Plant) -> None:
    """The worker's clock is believed."""
    plant(aggregators.watermark, "CLOCKS", timedelta(0))


@fault
def watermark_of_the_confirmation(plant: Plant) -> None:
    """What is confirmed now is said to be all that the log has received until now."""
    original = Flusher._store_positions

    async def store_positions(self: Any, flight: Any, *rest: Any) -> bool:
        for owned, snapshot in flight:
            owned.log_end = EndOffset(self._clock(), snapshot.next_offset)
        return await original(self, flight, *rest)

    plant(Flusher, "_store_positions", store_positions)
