"""Faust's consumer with offsets of its own: where reading starts, what is revoked, what is committed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.faust.consumer_thread import BatchThread
from streams.record_batch import Partition, RecordBatch

logger = logging.getLogger("tally.record_batches")

OnAssigned = Callable[[Iterable[Partition], int], Awaitable[Mapping[Partition, int]]]
"""(partitions, number of the assignment) to the offset from which each is to be read; one left out stays paused."""


@dataclass(frozen=True)
class Hooks:
    """Calls from the consumer to the application.

    `stored_offset` returns the next offset that is stored for a partition, which is what is committed to Kafka, or
    None. `on_failure` ends the process.
    """

    on_assigned: OnAssigned
    on_revoked: Callable[[Iterable[Partition]], None]
    stored_offset: Callable[[Partition], int | None]
    on_failure: Callable[[BaseException], None]


class BatchScheduler:
    """Faust's ConsumerScheduler for records that are batches already."""

    def iterate(self, records: Mapping[TP, RecordBatch]) -> Iterator[tuple[TP, RecordBatch]]:
        """Each partition's batch, in turn."""
        yield from records.items()


class _NeverRead(dict[Any, Any]):
    """Faust drops what it takes for read already, which a seek back would be: so nothing ever counts as read."""

    def __missing__(self, key: Any) -> None:
        return None

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def update(self, *args: Any, **kwargs: Any) -> None:
        pass


class BatchConsumer(driver.Consumer):
    """Faust's consumer, whose offsets come from the application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NeverRead()
        self._assignments = 0
        self._assigning: asyncio.Task[None] | None = None

    @property
    def hooks(self) -> Hooks:
        """The application's hooks."""
        hooks: Hooks = self.app.tally_hooks
        return hooks

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Look up where the assigned partitions must be read, in the background and while they are paused.

        Faust gives this call `broker_request_timeout` and leaves a worker that exceeds it stranded
        while a member of the group; positions may take as long as ClickHouse is away.
        """
        partitions = {(tp.topic, tp.partition) for tp in self.assignment()}
        self.pause_partitions({TP(*partition) for partition in partitions})
        self._cancel_assignment()
        self._assignments += 1
        self._assigning = asyncio.ensure_future(self._assign(partitions, self._assignments))

    def _cancel_assignment(self) -> None:
        if self._assigning is not None:
            self._assigning.cancel()

    async def _assign(self, partitions: set[Partition], assignment: int) -> None:
        try:
            starts = await self.hooks.on_assigned(partitions, assignment)
            await self._read_from(starts, assignment)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if not self.should_stop:  # or the thread that would seek has ended before it was asked
                self.hooks.on_failure(error)

    async def _read_from(self, starts: Mapping[Partition, int], assignment: int) -> None:
        sought = await self._thread.seek_to(starts, assignment)
        if assignment == self._assignments:
            self.resume_partitions({TP(*partition) for partition in sought})
            logger.info("reading %d partitions (assignment %d)", len(sought), assignment)

    async def seek_back(self, partition: Partition, offset: int, assignment: int) -> None:
        """Read one partition again from `offset`, if that assignment still holds."""
        if assignment == self._assignments:
            await self._thread.seek_to({partition: offset}, assignment)

    def _to_message(self, tp: TP, record: RecordBatch) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.end - 1,
            None,
            0,
            (),
            None,
            record,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _new_offset(self, tp: TP) -> int | None:
        # What Faust takes for acked proves nothing; what is committed only follows the stored positions.
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.hooks.stored_offset((tp.topic, tp.partition))

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        pass

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget the revoked partitions at once: the next owner reads on from the stored positions."""
        self._cancel_assignment()  # or it would own what other workers own by now
        self.hooks.on_revoked([(tp.topic, tp.partition) for tp in revoked])
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """Assign nothing any more: the thread that would seek ends, and a worker that is stopped has not failed."""
        self._cancel_assignment()
        await super().on_stop()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's stall detector looks at offsets that are not kept here; health rests on positions instead."""


class BatchTransport(driver.Transport):
    """Faust's transport over aiokafka with BatchConsumer."""

    Consumer = BatchConsumer
