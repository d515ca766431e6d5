"""The consumer's thread: reads whole batches on aiokafka's own loop."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError, UnknownTopicOrPartitionError
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.record_batch import Partition, RecordBatch

logger = logging.getLogger("tally.record_batches")

FETCH_WAIT_MS = 50
"""How long a broker may hold a fetch that finds nothing: also the most that a quiet partition's event waits."""


class LeanRecords(fetcher.PartitionRecords):
    """Records as aiokafka's parser returns them, with offset, timestamp, key and value: wrapping each in a
    ConsumerRecord costs 1.3 us, a third of reading it."""

    def __iter__(self) -> Any:
        return self._records_iterator  # not wrapped in another generator, which would cost a call for each record

    def _consumer_record(self, _tp: Any, record: Any) -> Any:
        return record


class BatchThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread: fetches a batch a partition and seeks, both on aiokafka's own loop."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._reading: dict[TP, tuple[int, int]] = {}
        self._has_vanished = False

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust waits 1.5 s, and a partition whose records are buffered is left out of the fetch under way: with idle
        # partitions on the same broker, a busy one stood still for that long after every buffer.
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"
        # Here and not on import: other readers in a process that only imports this want whole records.
        fetcher.PartitionRecords = LeanRecords
        self._watch_for_deletion(consumer._client)
        return consumer

    def _watch_for_deletion(self, client: Any) -> None:
        """Detect a partition that vanishes for a moment: a topic that was deleted and recreated immediately.

        aiokafka only refreshes its metadata, and would continue in the new log at the old log's offset. A partition
        that is no longer in `_reading` is not handed on until it is assigned again.
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
        """Read these partitions from these offsets on, if they are still assigned; return those that were sought."""
        sought: set[Partition] = await self.call_thread(self._seek_to, starts, assignment)
        return sought

    async def _seek_to(self, starts: Mapping[Partition, int], assignment: int) -> set[Partition]:
        consumer = self._ensure_consumer()
        # A late seek of an older assignment would number all that follows as stale.
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
            self._reassign("a topic was deleted")
        try:
            fetched = await super()._fetch_records(
                consumer, active_partitions, timeout=timeout, max_records=max_records
            )
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            if self._is_current(error):
                self._reassign(f"the log lacks the next offset to read: {error}")
            return {}
        return self._batches(consumer, fetched) if self.consumer.flow_active else {}

    def _batches(self, consumer: Any, fetched: Mapping[Any, list[Any]]) -> dict[TP, RecordBatch]:
        """Return a batch for each partition whose fetch position has moved, even without a record.

        It moves past control records, aborted transactions and compacted records, for which aiokafka returns nothing:
        an offset that followed records alone would wait before them until the next record arrived.
        """
        batches = {}
        for tp, (start, assignment) in self._reading.items():
            end = _position(consumer, tp)
            if end is not None and end > start:
                records = fetched.get(TopicPartition(*tp), [])
                batches[tp] = RecordBatch(tp.topic, tp.partition, assignment, start, end, records)
        self._reading.update({tp: (batch.end, batch.assignment) for tp, batch in batches.items()})
        return batches

    def _is_current(self, error: Exception) -> bool:
        """Return True if the log lacks an offset that is to be read.

        An error about an offset that was sought away from in the meantime is out of date, as is one about a partition
        that had no offset before it was assigned.
        """
        missing = error.args[0] if isinstance(error, OffsetOutOfRangeError) else {}
        return any(self._reading.get(TP(*tp), (None, 0))[0] == offset for tp, offset in missing.items())

    def _reassign(self, why: str) -> None:
        """Assign the partitions again, which finds the problem of a source."""
        logger.warning("%s: reassigning", why)
        asyncio.run_coroutine_threadsafe(self.consumer.perform_seek(), self.consumer.loop)


def _position(consumer: Any, tp: TP) -> int | None:
    """Return the offset from which a partition is fetched next; None if it is not assigned or was not sought yet."""
    subscription = consumer._subscription.subscription
    assignment = subscription.assignment if subscription is not None else None
    state = assignment.state_value(TopicPartition(*tp)) if assignment is not None else None
    return state.position if state is not None and state.has_valid_position else None


def _unknown_partitions(response: Any) -> list[TP]:
    """Return the partitions that a fetch response reports as unknown."""
    unknown = UnknownTopicOrPartitionError.errno
    return [TP(topic, number) for topic, found in response.topics for number, error, *_ in found if error == unknown]
