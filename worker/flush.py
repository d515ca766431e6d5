"""What a worker owns of the log, and how it is written: cells, then positions, or nothing.

`flush` writes letters, then changed cells as absolute rows, then, when all of it is confirmed, the positions as they
were when the cells were taken. A crash anywhere in between is repaired by the cells' stamps. `drop` forgets a source
at once, without waiting: the next owner reads on from the stored position.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from itertools import count
from random import uniform
from typing import Any, ParamSpec, TypeVar

from aggregators.cell_rows import Rows, concat_rows
from aggregators.source import FOLD_VERSION, Snapshot, mark_flushed
from aggregators.watermark import EndOffset, watermark
from sinks.client import is_transient
from sinks.positions import Position
from sinks.store import Store
from worker.log_ends import AskingEnds
from worker.partition_state import DeadLetterSink, Log, Partition, PartitionState, WorkerOptions

T = TypeVar("T")
P = ParamSpec("P")
logger = logging.getLogger("tally.sources")

FAR_BEHIND = 100_000
CATCHING_UP = 3
"""A worker that fell so many records behind flushes so much seldomer until it has caught up: nobody waits for the
freshest of what it writes, and a cell that many events touch is written less often."""


class Flushing:
    """One worker's sources and their flushes, all on one event loop; ClickHouse calls run `in_thread`."""

    def __init__(
        self,
        store: Store,
        log: Log,
        letters: DeadLetterSink,
        options: WorkerOptions,
        clock: Callable[[], datetime],
        in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread,
    ) -> None:
        self._store = store
        self._log = log
        self._ask = AskingEnds(log)
        self._letters = letters
        self._options = options
        self._clock = clock
        self._in_thread = in_thread
        self._owned: dict[Partition, PartitionState] = {}
        self._flushing = asyncio.Lock()
        self._room = asyncio.Event()
        self._due = asyncio.Event()
        self._is_catching_up = False
        self._placing: dict[Partition, int] = {}
        self.stopped: dict[Partition, str] = {}
        self.stopped_names: dict[Partition, str] = {}
        self._stopped_by: dict[Partition, str] = {}
        self._confirmed: dict[str, int] = {}
        self.retrying = ""
        self.on_lost: Callable[[], Awaitable[None]] | None = None

    @property
    def unflushed(self) -> int:
        """Rows and letters of all sources that wait for a flush."""
        return sum(owned.source.unflushed for owned in self._owned.values())

    @property
    def open_cells(self) -> int:
        """Cells of all sources in memory."""
        return sum(owned.source.open_cells for owned in self._owned.values())

    @property
    def behind(self) -> int:
        """How many offsets that can be read are not folded yet, as far as the ends of the logs are known."""
        asked = [one for one in self._owned.values() if one.asked]
        return sum(max(0, min(one.asked.end, one.readable) - one.source.next_offset) for one in asked if one.asked)

    @property
    def owned(self) -> Mapping[Partition, PartitionState]:
        """What this worker owns, by partition."""
        return self._owned

    def _stop(self, partition: Partition, problem: str, identity: str = "", name: str = "") -> None:
        """Drop a source that needs a person; one that was not placed has `name` and what it was judged by."""
        judged_by, named = identity or self._owned[partition].identity, name or self._owned[partition].source.name
        self.drop([partition])
        self.stopped[partition], self.stopped_names[partition] = problem, named
        self._stopped_by[partition] = judged_by
        logger.error("%s", problem)

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget these partitions: pages, unflushed cells, horizon. Never waits."""
        for partition in partitions:
            self.stopped.pop(partition, None)
            self.stopped_names.pop(partition, None)
            self._stopped_by.pop(partition, None)
            self._placing.pop(partition, None)
            owned = self._owned.pop(partition, None)
            if owned is not None:
                owned.source.dropped = True
        self._room.set()

    async def run(self) -> None:
        """Flush every `flush_seconds`, seldomer while catching up, at once when agents wait for room or a backlog ends.

        Ends only by an error or cancellation.
        """
        while True:
            self._is_catching_up = self.behind > (0 if self._is_catching_up else FAR_BEHIND)
            seconds = self._options.flush_seconds * (CATCHING_UP if self._is_catching_up else 1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), seconds)
            self._due.clear()
            await self.flush()

    def hurry(self) -> None:
        """The process ends: flushes write what there is, and Kafka is asked for no ends to prove."""
        self._ask.hurry()

    @property
    def has_unwritten(self) -> bool:
        """Whether anything was folded that no stored position covers."""
        return any(owned.source.next_offset > owned.stored_offset for owned in self._owned.values())

    async def flush(self) -> None:
        """Write all that ClickHouse does not have; returns when it is confirmed. One flush is in flight at a time.

        A flush that is broken off drops its sources: what it had taken is in nobody's memory, so their next
        positions would run ahead of the cells.
        """
        async with self._flushing:
            await self._ask_ends()
            flight = [(owned, owned.source.snapshot()) for owned in self._owned.values()]
            self._room.set()
            try:
                is_stored = await self._store_flight(flight)
            except BaseException:
                taken = {id(owned) for owned, _ in flight}
                self.drop([partition for partition, owned in self._owned.items() if id(owned) in taken])
                raise
            if is_stored:
                self._evict()
            else:
                logger.warning(
                    "ClickHouse is not as it was (restored, recreated, a new epoch or an accepted loss): "
                    "placing all sources anew"
                )
                await self._place_anew([*self._owned, *self.stopped])

    async def _store_flight(self, flight: list[tuple[PartitionState, Snapshot]]) -> bool:
        """Letters and cells, then positions; False when ClickHouse is not as it was when the sources were placed.

        The first look at it comes after the cells were taken, lest one be written that was read back from a restored
        database and lacks what it had not yet; the second with the positions (see _write_positions). Sources that
        are stopped are looked after as well: a new epoch or an accepted loss is what they wait for.
        """
        placed_by = {owned.identity for owned, _ in flight} | set(self._stopped_by.values())
        if not placed_by:
            return True
        self._confirmed = {owned.source.name: owned.stored_offset for owned, _ in flight if owned.stored_offset}
        identity = await self._call(self._store.database_identity)
        if placed_by != {identity} or await self._call(self._went_back):
            return False
        await self._write([snapshot for _, snapshot in flight])
        return await self._store_positions(flight, identity)

    async def _place_anew(self, partitions: list[Partition]) -> None:
        self.drop(partitions)
        if self.on_lost is not None:
            await self.on_lost()

    async def _ask_ends(self) -> None:
        """Ask where the logs end; a slow Kafka only delays the watermark.

        The end that proves is that of all that was written, since no source gets past what an open transaction hides.
        A source that has not reached the last answer keeps it: under a steady load it would never reach the newest.
        """
        due = dict(self._owned)
        places = {partition: owned.source.next_offset for partition, owned in due.items()}
        asked_at = self._clock()
        try:
            ends = await self._ask(due)
        except Exception as error:
            logger.warning("the log's ends are unknown, so watermarks wait: %s", error)
            return
        still = {partition: found for partition, found in ends.items() if self._owned.get(partition) is due[partition]}
        for partition, (end, readable) in still.items():
            due[partition].readable = readable
            due[partition].asked = due[partition].asked or EndOffset(asked_at, end)
        shrunk = [partition for partition, found in still.items() if found.end < places[partition]]
        if shrunk:
            # It is another log, and its end would prove a wrong watermark.
            logger.warning("the logs of %s end before what was folded of them: placing anew", shrunk)
            await self._place_anew(shrunk)

    async def _write(self, snapshots: list[Snapshot]) -> None:
        letters = [(snapshot.source.name, letter) for snapshot in snapshots for letter in snapshot.rejected]
        if letters:
            await self._letters(letters)
        by_table: dict[str, list[Rows]] = {}
        for snapshot in snapshots:
            for table, rows in snapshot.rows.items():
                by_table.setdefault(table, []).append(rows)
        for table, parts in by_table.items():
            await self._call(self._store.write, table, concat_rows(parts))
        for snapshot in snapshots:
            mark_flushed(snapshot)

    async def _store_positions(self, flight: list[tuple[PartitionState, Snapshot]], identity: str) -> bool:
        positions = []
        for owned, snapshot in flight:
            proved = watermark(owned.asked, snapshot.next_offset)
            if proved is not None:
                owned.watermark, owned.asked = max(owned.watermark, proved), None
            if (snapshot.next_offset, owned.watermark) != owned.stored:
                name = snapshot.source.name
                at = snapshot.next_offset
                positions.append(Position(name, at, owned.watermark, FOLD_VERSION, snapshot.last_record))
        if positions and not await self._call(self._write_positions, positions, identity):
            return False
        for owned, snapshot in flight:
            owned.stored = (snapshot.next_offset, owned.watermark)
            owned.stored_offset = snapshot.next_offset
        return True

    def _write_positions(self, positions: list[Position], identity: str) -> bool:
        """Look again, at every try, whether these are the tables that took the cells.

        Cells may have waited through an outage that ended with a restored backup. There they do no harm, being what
        the log gives; the position would, since the backup lacks what was flushed after it was made.
        """
        if self._store.database_identity() != identity or self._went_back():
            return False
        self._store.write_positions(positions)
        return True

    def _went_back(self) -> bool:
        """Whether ClickHouse has forgotten a position that it had confirmed to a source of this flush.

        So it is when its disk or folder is put back: the tables of a copy have the UUIDs of the original.
        """
        stored = self._store.positions(self._confirmed) if self._confirmed else {}
        return any(name not in stored or stored[name].next_offset < place for name, place in self._confirmed.items())

    def _evict(self) -> None:
        crowded = self.open_cells > self._options.open_cells_limit
        for owned in self._owned.values():
            owned.source.evict(1 if crowded else self._options.idle_flushes)

    async def _call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`call` in a thread, tried again for ever while ClickHouse is away; any other error is raised."""
        for attempt in count(1):
            try:
                result: T = await self._in_thread(call, *args, **kwargs)
                break
            except Exception as error:
                if not is_transient(error):
                    raise
                self.retrying = f"ClickHouse does not take what it is given, trying again: {error}"
                if attempt in (1, 5) or attempt % 20 == 0:
                    logger.warning("%s", self.retrying)
            await asyncio.sleep(min(3.0, 0.1 * 2 ** min(attempt, 10)) + uniform(0, 0.1))
        self.retrying = ""
        return result
