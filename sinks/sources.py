"""All sources that this worker owns: placed, folded, flushed, dropped. The order of steps here is the exactness.

- `place` reads where a source stands and says where reading must start. A new Source is made for each assignment,
  so work that began under an older one finds its Source dropped and stops.
- `process` takes one batch through prepare, load and apply; after every await it looks whether the source still is.
- `flush` writes letters, then changed cells as absolute rows, then, when all of it is confirmed, the positions as
  they were when the cells were taken. A crash anywhere in between is repaired by the cells' stamps.
- `drop` forgets a source at once, without waiting: the next owner reads on from the stored position.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count
from random import uniform
from typing import Any, ParamSpec, TypeVar

from aggregators.cell_rows import Rows, together
from aggregators.batches import Gap, Prepared, Recreated
from aggregators.deduplication import Horizon
from aggregators.source import FOLD_VERSION, Snapshot, Source, landed
from aggregators.watermark import EndAsked, watermark
from sinks.clickhouse import is_transient
from sinks.owned import Batch, LetterBox, Log, Options, Owned, Partition, problem_of, source_name
from sinks.store import NEVER, Position, Store

T = TypeVar("T")
P = ParamSpec("P")
logger = logging.getLogger("tally.sources")

FAR_BEHIND = 100_000
CATCHING_UP = 3
"""A worker that is so many records behind flushes so much seldomer: nobody waits for the freshest of what it writes,
and a cell that many events touch is written less often."""


class Sources:
    """The sources of one worker. All methods run on one event loop; ClickHouse calls run `in_thread`."""

    def __init__(
        self,
        store: Store,
        log: Log,
        letters: LetterBox,
        options: Options,
        clock: Callable[[], datetime],
        in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread,
    ) -> None:
        self._store = store
        self._log = log
        self._letters = letters
        self._options = options
        self._clock = clock
        self._in_thread = in_thread
        self._owned: dict[Partition, Owned] = {}
        self._flushing = asyncio.Lock()
        self._room = asyncio.Event()
        self._full = asyncio.Event()
        self._placing: dict[Partition, int] = {}
        self.stopped: dict[Partition, str] = {}
        self._stopped_by: dict[Partition, str] = {}
        self._confirmed: dict[str, int] = {}
        self.retrying = ""
        self.on_lost: Callable[[], Awaitable[None]] | None = None

    # -- assignment ----------------------------------------------------------------------------------------

    async def place(self, partitions: Iterable[Partition], assignment: int) -> dict[Partition, int]:
        """Own these partitions from their stored positions on; gives the offset from which each must be read.

        A partition whose position lies outside its log, or whose cells are of another fold, is left out, named in
        `stopped` and in an error of the log; so is one that is dropped or placed anew before this returns.
        """
        wanted = list(partitions)
        self.drop(wanted)
        self._placing.update(dict.fromkeys(wanted, assignment))
        # The identity first: should the database be replaced while this reads, the next flush sees it.
        identity = await self._call(self._store.identity)
        epochs = await self._call(self._store.epochs)
        names = {partition: source_name(*partition, epochs) for partition in wanted}
        positions = await self._call(self._store.positions, names.values())
        windows = await self._call(self._store.first_unwritten, names.values())
        ranges = await self._log.ranges(wanted)
        starts = {}
        for partition, name in names.items():
            if self._placing.get(partition) != assignment:
                continue
            problem = problem_of(name, partition, positions.get(name), ranges[partition])
            if problem:
                self._stop(partition, problem, identity)
                continue
            source = self._source(partition, name, positions.get(name), ranges[partition], windows[name])
            self._owned[partition] = _owned(source, assignment, identity, positions.get(name))
            starts[partition] = source.cursor
        return starts

    def _source(
        self,
        partition: Partition,
        name: str,
        position: Position | None,
        bounds: tuple[int, int],
        windows: dict[str, int],
    ) -> Source:
        return Source(
            partition[0],
            name,
            position.next_offset if position else 0,
            Horizon(self._options.block_size, self._options.blocks),
            log_start=bounds[0],
            last_record=position.last_record if position else "",
            first_unwritten=windows,
        )

    def _stop(self, partition: Partition, problem: str, identity: str | None = None) -> None:
        """Drop a source that needs a person; `identity` is what it was judged by, unless it was placed."""
        judged_by = identity or self._owned[partition].identity
        self.drop([partition])
        self.stopped[partition] = problem
        self._stopped_by[partition] = judged_by
        logger.error("%s", problem)

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget these partitions: pages, unflushed cells, horizon. Never waits."""
        for partition in partitions:
            self.stopped.pop(partition, None)
            self._stopped_by.pop(partition, None)
            self._placing.pop(partition, None)
            owned = self._owned.pop(partition, None)
            if owned is not None:
                owned.source.dropped = True
        self._room.set()

    def confirmed(self, partition: Partition) -> int | None:
        """The next offset that ClickHouse's stored position names, for Kafka's lag monitors."""
        owned = self._owned.get(partition)
        return owned.confirmed if owned else None

    # -- folding -------------------------------------------------------------------------------------------

    async def process(self, batch: Batch) -> int | None:
        """Fold one batch. Gives the offset to seek back to when the batch begins beyond what is next."""
        partition = (batch.topic, batch.partition)
        await self._wait_for_room()
        owned = self._owned.get(partition)
        if owned is None or owned.assignment != batch.assignment:
            return None
        try:
            for piece in batch.pieces(self._options.piece):
                if not await self._fold(partition, owned, piece):
                    break
        except Gap as gap:
            logger.warning("%s", gap)
            return gap.wanted
        except Recreated as recreated:
            self._stop(partition, str(recreated))
        return None

    async def _fold(self, partition: Partition, owned: Owned, batch: Batch) -> bool:
        """Fold records; False when the source is no longer this one, so that no more of the batch is folded."""
        source = owned.source
        prepared = source.prepare(batch.start, batch.end, batch.records)
        for declaration, pages in prepared.missing.items():
            rows = await self._call(self._store.read_pages, declaration, source.name, pages)
            if source.dropped:
                return False
            source.load(declaration, pages, rows)
        source.apply(prepared)
        self._watch_quality(partition, owned, prepared, len(batch.records))
        return not source.dropped

    def _watch_quality(self, partition: Partition, owned: Owned, prepared: Prepared, records: int) -> None:
        """Stop a source of which most is bad: a broken producer or a wrong deploy, not a few bad records."""
        owned.seen = owned.seen * 0.9 + records
        owned.bad = owned.bad * 0.9 + len(prepared.letters)
        if owned.bad >= self._options.bad_least and owned.bad > owned.seen * self._options.bad_share:
            reasons = {letter.reason for letter in prepared.letters}
            share = (
                f"{owned.bad / owned.seen:.0%} of its latest records are dead letters ({', '.join(sorted(reasons))})"
            )
            advice = "mend the producer, then restart the worker; or raise TALLY_BAD_SHARE to let them through"
            self._stop(partition, f"{owned.source.name} is stopped at offset {owned.confirmed}: {share}: {advice}")

    async def _wait_for_room(self) -> None:
        while self.unflushed > self._options.unflushed_limit:
            self._room.clear()
            self._full.set()
            await self._room.wait()

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
        """How many offsets lie between what is folded and the ends of the logs, as far as these are known."""
        return sum(max(0, one.asked.end - one.source.place) for one in self._owned.values() if one.asked)

    @property
    def owned(self) -> Mapping[Partition, Owned]:
        """What this worker owns, by partition."""
        return self._owned

    # -- flushing ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Flush every `flush_seconds`, seldomer while catching up, or as soon as agents wait for room.

        Ends only by an error or cancellation.
        """
        while True:
            seconds = self._options.flush_seconds * (CATCHING_UP if self.behind > FAR_BEHIND else 1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), seconds)
            self._full.clear()
            await self.flush()

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
                await self._lose_all()

    async def _store_flight(self, flight: list[tuple[Owned, Snapshot]]) -> bool:
        """Letters and cells, then positions; False when ClickHouse is not as it was when the sources were placed.

        The first look at it comes after the cells were taken, lest one be written that was read back from a restored
        database and lacks what it had not yet; the second with the positions (see _write_positions). Sources that
        are stopped are looked after as well: a new epoch or an accepted loss is what they wait for.
        """
        placed_by = {owned.identity for owned, _ in flight} | set(self._stopped_by.values())
        if not placed_by:
            return True
        self._confirmed = {owned.source.name: owned.confirmed for owned, _ in flight if owned.confirmed}
        identity = await self._call(self._store.identity)
        if placed_by != {identity} or await self._call(self._went_back):
            return False
        await self._write([snapshot for _, snapshot in flight])
        return await self._store_positions(flight, identity)

    async def _lose_all(self) -> None:
        logger.warning(
            "ClickHouse is not as it was (restored, recreated, a new epoch or an accepted loss): "
            "placing all sources anew"
        )
        self.drop([*self._owned, *self.stopped])
        if self.on_lost is not None:
            await self.on_lost()

    async def _ask_ends(self) -> None:
        """Ask for the ends of sources that have proved the last answer; a slow Kafka only delays the watermark."""
        due = {partition: owned for partition, owned in self._owned.items() if owned.asked is None}
        if not due:
            return
        places = {partition: owned.source.place for partition, owned in due.items()}
        asked_at = self._clock()
        try:
            ends = await asyncio.wait_for(self._log.ends(due), 5)
        except Exception as error:
            logger.warning("the log's ends are unknown, so watermarks wait: %s", error)
            return
        still = {partition: end for partition, end in ends.items() if self._owned.get(partition) is due[partition]}
        for partition, end in still.items():
            due[partition].asked = EndAsked(asked_at, end)
        shrunk = [partition for partition, end in still.items() if end < places[partition]]
        if shrunk:
            await self._place_anew(shrunk)

    async def _place_anew(self, shrunk: list[Partition]) -> None:
        """A log that ends before what was folded of it is another one; its end would prove a wrong watermark."""
        logger.warning("the logs of %s end before what was folded of them: placing anew", shrunk)
        self.drop(shrunk)
        if self.on_lost is not None:
            await self.on_lost()

    async def _write(self, snapshots: list[Snapshot]) -> None:
        letters = [(snapshot.source.name, letter) for snapshot in snapshots for letter in snapshot.letters]
        if letters:
            await self._letters(letters)
        by_table: dict[str, list[Rows]] = {}
        for snapshot in snapshots:
            for table, rows in snapshot.rows.items():
                by_table.setdefault(table, []).append(rows)
        for table, parts in by_table.items():
            await self._call(self._store.write, table, together(parts))
        for snapshot in snapshots:
            landed(snapshot)

    async def _store_positions(self, flight: list[tuple[Owned, Snapshot]], identity: str) -> bool:
        positions = []
        for owned, snapshot in flight:
            proved = watermark(owned.asked, snapshot.place)
            if proved is not None:
                owned.watermark, owned.asked = max(owned.watermark, proved), None
            if (snapshot.place, owned.watermark) != owned.stored:
                name = snapshot.source.name
                positions.append(Position(name, snapshot.place, owned.watermark, FOLD_VERSION, snapshot.last_record))
        if positions and not await self._call(self._write_positions, positions, identity):
            return False
        for owned, snapshot in flight:
            owned.stored = (snapshot.place, owned.watermark)
            owned.confirmed = snapshot.place
        return True

    def _write_positions(self, positions: list[Position], identity: str) -> bool:
        """Look again, at every try, whether these are the tables that took the cells.

        Cells may have waited through an outage that ended with a restored backup. There they do no harm, being what
        the log gives; the position would, since the backup lacks what was flushed after it was made.
        """
        if self._store.identity() != identity or self._went_back():
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

    # -- calls ---------------------------------------------------------------------------------------------

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


def _owned(source: Source, assignment: int, identity: str, position: Position | None) -> Owned:
    return Owned(source, assignment, source.place, identity, watermark=position.watermark if position else NEVER)


__all__ = ["Batch", "LetterBox", "Log", "Options", "Owned", "Sources", "source_name"]
