"""All sources that this worker owns: placed, folded, flushed, dropped. The order of steps here is the exactness.

- `place` reads where a source stands and says where reading must start. A new Source is made for each assignment,
  so work that began under an older one finds its Source dropped and stops.
- `process` takes one batch through prepare, load and apply; after every await it looks whether the source still is.
- `flush` and `drop` are Flushing's.
"""

import logging
from collections.abc import Iterable

from aggregators.deduplication import Horizon
from aggregators.prepared_batch import OffsetGap, PreparedBatch, TopicRecreated
from aggregators.source import Source
from sinks.positions import NO_WATERMARK, Position, position_problem
from streams.log import Bounds
from streams.source_names import source_name
from worker.flush import Flushing
from worker.partition_state import Batch, Partition, PartitionState

logger = logging.getLogger("tally.sources")


class Assignments(Flushing):
    """The sources of one worker: placed when they are assigned, and folded batch by batch."""

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
        identity = await self._call(self._store.database_identity)
        epochs = await self._call(self._store.epochs)
        names = {partition: source_name(*partition, epochs) for partition in wanted}
        positions = await self._call(self._store.positions, names.values())
        windows = await self._call(self._store.first_unwritten, names.values())
        ranges = await self._log.bounds(wanted)
        starts = {}
        for partition, name in names.items():
            if self._placing.get(partition) != assignment:
                continue
            problem = position_problem(name, *partition, positions.get(name), *ranges[partition][:2])
            if problem:
                self._stop(partition, problem, identity, name)
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
        bounds: Bounds,
        windows: dict[str, int],
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

    def confirmed(self, partition: Partition) -> int | None:
        """The next offset that ClickHouse's stored position names, for Kafka's lag monitors."""
        owned = self._owned.get(partition)
        return owned.stored_offset if owned else None

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
        except OffsetGap as gap:
            logger.warning("%s", gap)
            return gap.wanted
        except TopicRecreated as recreated:
            self._stop(partition, str(recreated))
        return None

    async def _fold(self, partition: Partition, owned: PartitionState, batch: Batch) -> bool:
        """Fold records; False when the source is no longer this one, so that no more of the batch is folded."""
        source = owned.source
        prepared = source.prepare(batch.start, batch.end, batch.records)
        for declaration, pages in prepared.missing.items():
            rows = await self._call(self._store.read_pages, declaration, source.name, pages)
            if source.dropped:
                return False
            source.load(declaration, pages, rows)
        source.apply(prepared)
        if self._is_catching_up and not self.behind:
            self._due.set()  # somebody waits for the end of a backlog
        self._check_dead_letter_share(partition, owned, prepared, len(batch.records))
        return not source.dropped

    def _check_dead_letter_share(
        self, partition: Partition, owned: PartitionState, prepared: PreparedBatch, records: int
    ) -> None:
        """Stop a source of which most is bad: a broken producer or a wrong deploy, not a few bad records."""
        owned.records = owned.records * 0.9 + records
        owned.rejected = owned.rejected * 0.9 + len(prepared.letters)
        most = owned.records * self._options.dead_letter_limit
        if owned.rejected >= self._options.dead_letter_least and owned.rejected > most:
            share = owned.rejected / owned.records
            reasons = ", ".join(sorted({letter.reason for letter in prepared.letters}))
            problem = f"{share:.0%} of its latest records are dead letters ({reasons})"
            advice = "fix the producer, then restart the worker; or raise TALLY_DEAD_LETTER_LIMIT to accept them"
            self._stop(
                partition, f"{owned.source.name} is stopped at offset {owned.stored_offset}: {problem}: {advice}"
            )

    async def _wait_for_room(self) -> None:
        while self.unflushed > self._options.unflushed_limit:
            self._room.clear()
            self._due.set()
            await self._room.wait()


def _owned(source: Source, assignment: int, identity: str, position: Position | None) -> PartitionState:
    return PartitionState(
        source, assignment, source.next_offset, identity, watermark=position.watermark if position else NO_WATERMARK
    )
