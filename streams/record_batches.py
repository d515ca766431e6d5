"""Faust, fed whole record batches: the one module that knows Faust's insides.

Faust hands an agent one event at a time, which costs it 40 us an event, and acks an event whether or not its work
succeeded. Here an agent's event is a `RecordBatch`, reading starts where `placing` says (ClickHouse's positions, not
Kafka's committed offsets), and what is committed to Kafka is what `confirmed` says is stored.

Pinned to faust-streaming 0.15.3 and aiokafka 0.14.0; tests/unit/test_record_batches.py is the contract that
tells when an upgrade breaks one of these hooks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError, UnknownTopicOrPartitionError
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

logger = logging.getLogger("tally.record_batches")

Partition = tuple[str, int]
FETCH_WAIT_MS = 50
"""How long a broker may hold a fetch that finds nothing: also the most that a quiet partition's event waits."""

Placing = Callable[[Iterable[Partition], int], Awaitable[Mapping[Partition, int]]]
"""(partitions, number of the assignment) to the offset from which each is to be read; one left out stays paused."""


class RecordBatch(NamedTuple):
    """Consecutive records `[start, end)` of one partition.

    `start` is the end of the batch before, or the seek; `end` is the fetch position, not the last record's offset
    plus one, which differ behind control records and compaction. `assignment` numbers the placing it was read under.
    """

    topic: str
    partition: int
    assignment: int
    start: int
    end: int
    records: list[Any]


class Hooks:
    """What the consumer asks of the application."""

    def __init__(
        self,
        placing: Placing,
        dropping: Callable[[Iterable[Partition]], None],
        confirmed: Callable[[Partition], int | None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.placing = placing
        self.dropping = dropping
        self.confirmed = confirmed
        self.failed = failed


class LeanRecords(fetcher.PartitionRecords):
    """Records as aiokafka's parser gives them, with offset, timestamp, key and value: to wrap each of them in a
    ConsumerRecord costs 1.3 us, a third of reading it."""

    def _consumer_record(self, _tp: Any, record: Any) -> Any:
        return record


class BatchScheduler:
    """Faust's ConsumerScheduler for records that are batches already."""

    def iterate(self, records: Mapping[TP, RecordBatch]) -> Iterator[tuple[TP, RecordBatch]]:
        """Each partition's batch, in turn."""
        yield from records.items()


class BatchThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread: fetches a batch a partition and seeks, both on aiokafka's own loop."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._reading: dict[TP, tuple[int, int]] = {}
        self._has_vanished = False

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust waits 1.5 s, and a partition whose records are buffered is left out of the fetch under way: with idle
        # partitions beside it, a busy one stood still for that long after every buffer.
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"
        # Here and not on import: other readers in a process that only imports this want whole records.
        fetcher.PartitionRecords = LeanRecords
        self._watch_for_deletion(consumer._client)
        return consumer

    def _watch_for_deletion(self, client: Any) -> None:
        """Notice a partition that is gone for a moment: a topic that was deleted and made anew at once.

        aiokafka only asks for metadata again, and would read the new log from the old one's offset on. What is no
        longer in `_reading` is not handed on until it is placed again.
        """
        send = client.send

        async def watched(node_id: Any, request: Any, **options: Any) -> Any:
            response = await send(node_id, request, **options)
            if isinstance(request, FetchRequest):
                lost = [self._reading.pop(tp, None) for tp in _unknown_partitions(response)]
                self._has_vanished = self._has_vanished or any(lost)
            return response

        client.send = watched

    async def seek_to(self, starts: Mapping[Partition, int], assignment: int) -> set[Partition]:
        """Read these partitions from these offsets on, if they are still ours; gives those that were sought."""
        sought: set[Partition] = await self.call_thread(self._seek_to, starts, assignment)
        return sought

    async def _seek_to(self, starts: Mapping[Partition, int], assignment: int) -> set[Partition]:
        consumer = self._ensure_consumer()
        # A seek of an older assignment that comes late would number all that follows as stale.
        mine = {
            partition
            for partition in starts
            if TopicPartition(*partition) in consumer.assignment()
            and self._reading.get(TP(*partition), (0, 0))[1] <= assignment
        }
        for partition in mine:
            consumer.seek(TopicPartition(*partition), starts[partition])
            self._reading[TP(*partition)] = (starts[partition], assignment)
        return mine

    async def _fetch_records(
        self, consumer: Any, active_partitions: Any, timeout: float | None = None, max_records: int | None = None
    ) -> dict[TP, RecordBatch]:
        if self._has_vanished:
            self._has_vanished = False
            self._place_again("a topic was deleted")
        try:
            fetched = await super()._fetch_records(
                consumer, active_partitions, timeout=timeout, max_records=max_records
            )
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            if self._is_current(error):
                self._place_again(f"the log does not hold what is to be read next: {error}")
            return {}
        state = consumer._subscription.subscription.assignment
        batches = {}
        for aiokafka_tp, records in fetched.items():
            tp = TP(aiokafka_tp.topic, aiokafka_tp.partition)
            if tp not in self._reading:
                continue
            start, assignment = self._reading[tp]
            end = state.state_value(aiokafka_tp).position
            batches[tp] = RecordBatch(tp.topic, tp.partition, assignment, start, end, records)
            self._reading[tp] = (end, assignment)
        return batches

    def _is_current(self, error: Exception) -> bool:
        """Whether the log lacks an offset that is to be read.

        An error of an offset that was sought away from meanwhile is out of date, as is that of a partition that had
        no offset at all before it was placed.
        """
        missing = error.args[0] if isinstance(error, OffsetOutOfRangeError) else {}
        return any(self._reading.get(TP(*tp), (None, 0))[0] == offset for tp, offset in missing.items())

    def _place_again(self, why: str) -> None:
        """Placing has to say what is wrong with a source."""
        logger.warning("%s: placing again", why)
        asyncio.run_coroutine_threadsafe(self.consumer.perform_seek(), self.consumer.loop)


def _unknown_partitions(response: Any) -> list[TP]:
    """The partitions that the broker, asked for records, does not know."""
    unknown = UnknownTopicOrPartitionError.errno
    return [TP(topic, number) for topic, found in response.topics for number, error, *_ in found if error == unknown]


class _NeverRead(dict[Any, Any]):
    """Faust drops what it takes for read already, which a seek back would be: so nothing ever counts as read."""

    def __missing__(self, key: Any) -> None:
        return None

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def update(self, *args: Any, **kwargs: Any) -> None:
        pass


class BatchConsumer(driver.Consumer):
    """Faust's consumer with places of our own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NeverRead()
        self._assignments = 0
        self._placement: asyncio.Task[None] | None = None

    @property
    def hooks(self) -> Hooks:
        """The application's hooks."""
        hooks: Hooks = self.app.tally_hooks
        return hooks

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Start placing the assigned partitions, in the background and paused.

        Faust gives this call `broker_request_timeout` and leaves a worker that exceeds it stranded for ever while a
        member of the group; positions may take as long as ClickHouse is away.
        """
        partitions = {(tp.topic, tp.partition) for tp in self.assignment()}
        self.pause_partitions({TP(*partition) for partition in partitions})
        if self._placement is not None:
            self._placement.cancel()
        self._assignments += 1
        self._placement = asyncio.ensure_future(self._place(partitions, self._assignments))

    async def _place(self, partitions: set[Partition], assignment: int) -> None:
        try:
            starts = await self.hooks.placing(partitions, assignment)
            await self._read_from(starts, assignment)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.hooks.failed(error)

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
        return self.hooks.confirmed((tp.topic, tp.partition))

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        pass

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget the revoked partitions at once: the next owner reads on from the stored positions."""
        if self._placement is not None:
            self._placement.cancel()  # or it would own what others own by now
        self.hooks.dropping([(tp.topic, tp.partition) for tp in revoked])
        await super().on_partitions_revoked(revoked)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's stall detector looks at offsets that are not kept here; health rests on positions instead."""


class BatchTransport(driver.Transport):
    """Faust's transport over aiokafka with BatchConsumer."""

    Consumer = BatchConsumer
