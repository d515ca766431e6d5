"""Partitions of one worker, from assignment to revocation. Exactness depends on the order of the steps here.

- `assign` reads the stored position of each partition and returns where reading must start. Each assignment gets a
  new Source, so work that began under an earlier one finds its Source dropped and stops.
- `process` takes one batch through prepare, load and apply; after each await it checks that the Source is current.
- `revoke` forgets a partition at once, without waiting: the next owner continues from the stored position.

Writing is the Flusher's (worker/flush.py).
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aggregators.deduplication import Horizon
from aggregators.prepared_batch import OffsetGap, PreparedBatch, TopicRecreated
from aggregators.source import Source
from sinks.positions import NO_WATERMARK, Position, position_problem
from sinks.store import Store
from streams.log import Bounds
from streams.record_batch import Partition, RecordBatch, split
from streams.source_names import source_name
from worker.partition_state import Log, PartitionState, WorkerOptions
from worker.store_calls import StoreCalls

logger = logging.getLogger("tally.sources")

FAR_BEHIND = 100_000
"""A worker that lags by more records is catching up, until it has no lag left."""


class Stopped(NamedTuple):
    """A source that an operator must attend to: its name, why, and the database that it was judged by."""

    source: str
    problem: str
    database_identity: str


class Assignments:
    """The partitions that one worker owns: assigned, folded batch by batch, and revoked.

    `owned` are folded; `stopped` are assigned, too, but need an operator. `room` is set when rows have been taken for
    a flush; `flush_due` when a flush should not wait for its interval.
    """

    def __init__(self, store: Store, call: StoreCalls, log: Log, options: WorkerOptions) -> None:
        self.stopped: dict[Partition, Stopped] = {}
        self.room = asyncio.Event()
        self.flush_due = asyncio.Event()
        self._store = store
        self._call = call
        self._log = log
        self._options = options
        self._owned: dict[Partition, PartitionState] = {}
        self._assigning: dict[Partition, int] = {}
        self._is_catching_up = False

    @property
    def owned(self) -> Mapping[Partition, PartitionState]:
        """State of each partition that is folded."""
        return self._owned

    @property
    def unflushed(self) -> int:
        """Rows and dead letters of all sources that are not part of a flush yet."""
        return sum(owned.source.unflushed for owned in self._owned.values())

    @property
    def open_cells(self) -> int:
        """Cells of all sources in memory."""
        return sum(owned.source.open_cells for owned in self._owned.values())

    @property
    def lag(self) -> int:
        """Readable offsets that are not folded yet, as far as the ends of the logs are known."""
        return sum(owned.lag for owned in self._owned.values())

    def check_catching_up(self) -> bool:
        """Return whether the worker has fallen far behind and still has lag."""
        self._is_catching_up = self.lag > (0 if self._is_catching_up else FAR_BEHIND)
        return self._is_catching_up

    # -- assignment ----------------------------------------------------------------------------------------

    async def assign(self, partitions: Iterable[Partition], assignment: int) -> dict[Partition, int]:
        """Own these partitions from their stored positions on; return the offset from which each must be read.

        A partition whose position is outside its log, or whose cells are of another fold version, is left out; it is
        in `stopped` and in an error of the log. So is, without an error, one that is revoked or assigned again before
        this returns. Raises KafkaError.
        """
        wanted = list(partitions)
        self.revoke(wanted)
        self._assigning.update(dict.fromkeys(wanted, assignment))
        # The identity first: should the database be replaced during these reads, the next flush notices.
        identity = await self._call(self._store.database_identity)
        epochs = await self._call(self._store.epochs)
        names = {partition: source_name(*partition, epochs) for partition in wanted}
        positions = await self._call(self._store.positions, names.values())
        windows = await self._call(self._store.first_unwritten, names.values())
        bounds = await self._log.bounds(wanted)
        starts = {}
        for partition, name in names.items():
            if self._assigning.get(partition) != assignment:
                continue
            position = positions.get(name)
            problem = position_problem(name, *partition, position, *bounds[partition][:2])
            if problem:
                self._stop(partition, Stopped(name, problem, identity))
                continue
            source = self._source(partition, name, position, bounds[partition], windows[name])
            self._owned[partition] = _state(source, assignment, identity, position)
            starts[partition] = source.cursor
        return starts

    def _source(
        self, partition: Partition, name: str, position: Position | None, bounds: Bounds, windows: dict[str, int]
    ) -> Source:
        return Source(
            partition[0],
            name,
            position.next_offset if position else 0,
            Horizon(self._options.block_size, self._options.blocks),
            log_start=bounds.start,
            last_record=position.last_record if position else "",
            first_unwritten=windows,
            compiled=self._options.compiled,
        )

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forget these partitions: pages, unflushed cells, horizon. Never waits."""
        for partition in partitions:
            self.stopped.pop(partition, None)
            self._assigning.pop(partition, None)
            owned = self._owned.pop(partition, None)
            if owned is not None:
                owned.source.dropped = True
        self.room.set()

    def _stop(self, partition: Partition, stopped: Stopped) -> None:
        """Fold no more of a partition until an operator has decided about it."""
        self.revoke([partition])
        self.stopped[partition] = stopped
        logger.error("%s", stopped.problem)

    def stored_offset(self, partition: Partition) -> int | None:
        """Return the next offset of the stored position, which Kafka's lag monitors see; None if it is not owned."""
        owned = self._owned.get(partition)
        return owned.stored_offset if owned else None

    # -- folding -------------------------------------------------------------------------------------------

    async def process(self, batch: RecordBatch) -> int | None:
        """Fold one batch. Return the offset to seek back to if the batch begins after the next offset."""
        partition = (batch.topic, batch.partition)
        await self._wait_for_room()
        owned = self._owned.get(partition)
        if owned is None or owned.assignment != batch.assignment:
            return None
        try:
            for part in split(batch, self._options.records_at_a_time):
                if not await self._fold(partition, owned, part):
                    break
        except OffsetGap as gap:
            logger.warning("%s", gap)
            return gap.wanted
        except TopicRecreated as recreated:
            self._stop(partition, Stopped(owned.source.name, str(recreated), owned.database_identity))
        return None

    async def _fold(self, partition: Partition, owned: PartitionState, batch: RecordBatch) -> bool:
        """Fold records; False when the source is no longer current, so that the rest of the batch is not folded."""
        source = owned.source
        prepared = source.prepare(batch.start, batch.end, batch.records)
        for table, pages in prepared.missing.items():
            rows = await self._call(self._store.read_pages, table, source.name, pages)
            if source.dropped:
                return False
            source.load(table, pages, rows)
        source.apply(prepared)
        if self._is_catching_up and not self.lag:
            self.flush_due.set()  # the end of a backlog is written without waiting for the longer interval
        self._check_dead_letter_share(partition, owned, prepared, len(batch.records))
        return not source.dropped

    def _check_dead_letter_share(
        self, partition: Partition, owned: PartitionState, prepared: PreparedBatch, records: int
    ) -> None:
        """Stop a source most of whose records are rejected: a broken producer or deployment, not a few bad records."""
        owned.records = owned.records * 0.9 + records
        owned.rejected = owned.rejected * 0.9 + len(prepared.letters)
        most = owned.records * self._options.dead_letter_limit
        if owned.rejected >= self._options.dead_letter_least and owned.rejected > most:
            share = owned.rejected / owned.records
            reasons = ", ".join(sorted({letter.reason for letter in prepared.letters}))
            problem = (
                f"{owned.source.name} is stopped at offset {owned.stored_offset}: "
                f"{share:.0%} of its latest records are dead letters ({reasons}): "
                "fix the producer, then restart the worker; or raise TALLY_DEAD_LETTER_LIMIT to accept them"
            )
            self._stop(partition, Stopped(owned.source.name, problem, owned.database_identity))

    async def _wait_for_room(self) -> None:
        while self.unflushed > self._options.unflushed_limit:
            self.room.clear()
            self.flush_due.set()
            await self.room.wait()


def _state(source: Source, assignment: int, identity: str, position: Position | None) -> PartitionState:
    proved = position.watermark if position else NO_WATERMARK
    return PartitionState(source, assignment, source.next_offset, identity, watermark=proved)
