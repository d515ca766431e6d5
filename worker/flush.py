"""Flushes of one worker: dead letters, then cells, then positions, or nothing.

`flush` writes dead letters, then changed cells as absolute rows, then, when all of it is confirmed, the positions as
they were when the cells were taken. A crash anywhere in between is repaired by the log_offset of the cells.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from aggregators.cell_rows import Rows, concat_rows
from aggregators.source import FOLD_VERSION, Snapshot, mark_flushed
from aggregators.watermark import EndOffset, watermark
from sinks.positions import Position
from sinks.store import Store
from streams.record_batch import Partition
from worker.assignment import Assignments
from worker.log_ends import LogEnds
from worker.partition_state import DeadLetterSink, Log, PartitionState, WorkerOptions
from worker.store_calls import StoreCalls

logger = logging.getLogger("tally.sources")

CATCHING_UP = 3
"""While a worker catches up, its flushes are this many times less often: the freshest rows are not needed yet, and a
cell that many events change is written less often."""

Flight = list[tuple[PartitionState, Snapshot]]
"""The snapshots that one flush writes."""


class Flusher:
    """Flushes of the partitions in `assignments`, all on one event loop.

    `reassign` assigns all of the worker's partitions again, when ClickHouse or a log is no longer what they were
    assigned by.
    """

    def __init__(
        self,
        assignments: Assignments,
        store: Store,
        call: StoreCalls,
        log: Log,
        dead_letters: DeadLetterSink,
        options: WorkerOptions,
        clock: Callable[[], datetime],
        reassign: Callable[[], Awaitable[None]],
    ) -> None:
        self._assignments = assignments
        self._store = store
        self._call = call
        self._log_ends = LogEnds(log)
        self._dead_letters = dead_letters
        self._options = options
        self._clock = clock
        self._reassign = reassign
        self._flushing = asyncio.Lock()
        self._stored_offsets: dict[str, int] = {}

    async def run(self) -> None:
        """Flush every `flush_seconds`, less often while catching up, and immediately when `flush_due` is set.

        Ends only by an error or cancellation.
        """
        due = self._assignments.flush_due
        while True:
            is_catching_up = self._assignments.check_catching_up()
            seconds = self._options.flush_seconds * (CATCHING_UP if is_catching_up else 1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(due.wait(), seconds)
            due.clear()
            await self.flush()

    def hurry(self) -> None:
        """Prepare for the end of the process: flushes still write, but no longer read the ends of the logs."""
        self._log_ends.hurry()

    @property
    def has_unwritten(self) -> bool:
        """True if anything was folded that no stored position covers."""
        return any(owned.source.next_offset > owned.stored_offset for owned in self._assignments.owned.values())

    async def flush(self) -> None:
        """Write all that ClickHouse does not have; return when it is confirmed. One flush is in flight at a time.

        A flush that is cancelled or fails revokes its partitions: what it had taken is no longer in memory, so their
        next positions would be ahead of the cells.
        """
        async with self._flushing:
            await self._read_log_ends()
            flight = [(owned, owned.source.snapshot()) for owned in self._assignments.owned.values()]
            self._assignments.room.set()
            try:
                is_stored = await self._store_flight(flight)
            except BaseException:
                taken = {id(owned) for owned, _ in flight}
                owned_now = self._assignments.owned.items()
                self._assignments.revoke([partition for partition, owned in owned_now if id(owned) in taken])
                raise
            if is_stored:
                self._evict()
            else:
                logger.warning(
                    "ClickHouse has changed (restored, recreated, a new epoch or an accepted loss): "
                    "reassigning all partitions"
                )
                await self._revoke_and_reassign([*self._assignments.owned, *self._assignments.stopped])

    async def _store_flight(self, flight: Flight) -> bool:
        """Write dead letters and cells, then positions; False when ClickHouse is not what it was at assignment.

        It is checked first after the cells were taken, so that no cell is written that was read back from a restored
        database and lacks what that had not received yet; and again with the positions (see _write_positions).
        Stopped sources are included: a new epoch or an accepted loss is what they wait for.
        """
        assigned_by = {owned.database_identity for owned, _ in flight}
        assigned_by |= {stopped.database_identity for stopped in self._assignments.stopped.values()}
        if not assigned_by:
            return True
        self._stored_offsets = {owned.source.name: owned.stored_offset for owned, _ in flight if owned.stored_offset}
        identity = await self._call(self._store.database_identity)
        if assigned_by != {identity} or await self._call(self._was_rolled_back):
            return False
        await self._write([snapshot for _, snapshot in flight])
        return await self._store_positions(flight, identity)

    async def _revoke_and_reassign(self, partitions: Iterable[Partition]) -> None:
        self._assignments.revoke(partitions)
        await self._reassign()

    async def _read_log_ends(self) -> None:
        """Read where the logs end; a slow Kafka only delays the watermark.

        A watermark is proved by the end of all that was written, since no source gets past what an open transaction
        hides. A source that has not reached the last known end keeps it: under a steady load it would never reach
        the newest.
        """
        owned = dict(self._assignments.owned)
        next_offsets = {partition: state.source.next_offset for partition, state in owned.items()}
        requested_at = self._clock()
        try:
            ends = await self._log_ends.read(owned)
        except Exception as error:
            logger.warning("the ends of the logs are unknown, so watermarks wait: %s", error)
            return
        current = self._assignments.owned
        still = {partition: found for partition, found in ends.items() if current.get(partition) is owned[partition]}
        for partition, (end, readable) in still.items():
            owned[partition].readable = readable
            owned[partition].log_end = owned[partition].log_end or EndOffset(requested_at, end)
        shrunk = [partition for partition, found in still.items() if found.end < next_offsets[partition]]
        if shrunk:
            # It is another log, and its end would prove a wrong watermark.
            logger.warning("the logs of %s end before what was folded of them: reassigning", shrunk)
            await self._revoke_and_reassign(shrunk)

    async def _write(self, snapshots: list[Snapshot]) -> None:
        rejected = [(snapshot.source.name, record) for snapshot in snapshots for record in snapshot.rejected]
        if rejected:
            await self._dead_letters(rejected)
        by_table: dict[str, list[Rows]] = {}
        for snapshot in snapshots:
            for table, rows in snapshot.rows.items():
                by_table.setdefault(table, []).append(rows)
        for table, parts in by_table.items():
            await self._call(self._store.write, table, concat_rows(parts))
        for snapshot in snapshots:
            mark_flushed(snapshot)

    async def _store_positions(self, flight: Flight, identity: str) -> bool:
        positions = []
        for owned, snapshot in flight:
            proved = watermark(owned.log_end, snapshot.next_offset)
            if proved is not None:
                owned.watermark, owned.log_end = max(owned.watermark, proved), None
            if (snapshot.next_offset, owned.watermark) != owned.stored:
                name, next_offset = snapshot.source.name, snapshot.next_offset
                positions.append(Position(name, next_offset, owned.watermark, FOLD_VERSION, snapshot.last_record))
        if positions and not await self._call(self._write_positions, positions, identity):
            return False
        for owned, snapshot in flight:
            owned.stored = (snapshot.next_offset, owned.watermark)
            owned.stored_offset = snapshot.next_offset
        return True

    def _write_positions(self, positions: list[Position], identity: str) -> bool:
        """Check again, at every attempt, that these are the tables that received the cells.

        Cells may have waited through an outage that ended with a restored backup. There they do no harm, being what
        the log gives; the position would, since the backup lacks what was flushed after it was made.
        """
        if self._store.database_identity() != identity or self._was_rolled_back():
            return False
        self._store.write_positions(positions)
        return True

    def _was_rolled_back(self) -> bool:
        """Return whether ClickHouse has lost a position that it had confirmed to a source of this flush.

        That happens when its disk or folder is restored: the tables of a copy have the UUIDs of the original.
        """
        stored = self._store.positions(self._stored_offsets) if self._stored_offsets else {}
        return any(
            name not in stored or stored[name].next_offset < offset for name, offset in self._stored_offsets.items()
        )

    def _evict(self) -> None:
        is_crowded = self._assignments.open_cells > self._options.open_cells_limit
        for owned in self._assignments.owned.values():
            owned.source.evict(1 if is_crowded else self._options.idle_flushes)
