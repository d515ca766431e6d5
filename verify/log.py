"""Reading of Kafka's partitions between two offsets, without a consumer group, so nothing in Kafka changes."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from verify.errors import ReadFailed
from verify.records import Record

Partition = tuple[str, int]

FETCH_BYTES = 16 << 20
STALLED_SECONDS = 60.0


class Log:
    """Partitions of a Kafka cluster. Raises aiokafka's KafkaError if Kafka cannot be reached.

    `consumer` reads committed records; `written` is used for the ends of logs, including uncommitted records.
    """

    def __init__(self, consumer: Any, written: Any) -> None:
        self._consumer = consumer
        self._written = written

    async def bounds(self, topics: Iterable[str]) -> dict[Partition, tuple[int, int]]:
        """Return the first offset and the end of every existing partition of these topics.

        The end includes everything written: an open transaction may hide some of it (see `hidden`).
        """
        metadata = await self._consumer._client.fetch_all_metadata()
        found = [TopicPartition(topic, each) for topic in topics for each in metadata.partitions_for_topic(topic) or ()]
        if not found:
            return {}
        starts = await self._written.beginning_offsets(found)
        ends = await self._written.end_offsets(found)
        return {(each.topic, each.partition): (starts[each], ends[each]) for each in sorted(found)}

    async def hidden(self, bounds: Mapping[Partition, tuple[int, int]]) -> dict[Partition, int]:
        """Return the first offset that an open transaction hides, for each partition with one."""
        if not bounds:
            return {}
        readable = await self._consumer.end_offsets([TopicPartition(*each) for each in bounds])
        found = {(each.topic, each.partition): offset for each, offset in readable.items()}
        return {each: found[each] for each, (_, end) in bounds.items() if found[each] < end}

    async def first_since(self, partitions: Iterable[Partition], timestamp_ms: int) -> dict[Partition, int]:
        """Return each partition's first offset with a log time at or after `timestamp_ms`, or the end of its log."""
        asked = {TopicPartition(*each): timestamp_ms for each in partitions}
        if not asked:
            return {}
        found = await self._consumer.offsets_for_times(asked)
        ends = await self._consumer.end_offsets(list(asked))
        return {(each.topic, each.partition): found[each].offset if found[each] else ends[each] for each in asked}

    async def read(self, partition: Partition, start: int, end: int) -> AsyncIterator[list[Record]]:
        """Yield the committed records of `[start, end)`, in batches. Raises ReadFailed if Kafka stops returning any.

        The partition stays assigned until the next one is read: aiokafka's fetcher fails if a consumer assigns and
        unsubscribes before the fetcher has seen the assignment.
        """
        if start >= end:
            return
        asked = TopicPartition(*partition)
        self._consumer.assign([asked])
        self._consumer.seek(asked, start)
        moved_at, position = time.monotonic(), start
        while position < end:
            batches = await self._consumer.getmany(asked, timeout_ms=1000, max_records=5000)
            yield [
                Record(*partition, each.offset, each.timestamp, each.key, each.value)
                for each in batches.get(asked, ())
                if each.offset < end
            ]
            before, position = position, await self._consumer.position(asked)
            if position != before:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > STALLED_SECONDS:
                raise ReadFailed(
                    f"Kafka returns no records of {asked.topic}/{asked.partition} from offset {position} on, "
                    f"although the partition ends at {end}",
                    "Check that all brokers are running. `tally doctor` shows details.",
                )


@asynccontextmanager
async def open_log(bootstrap: str, options: Mapping[str, Any]) -> AsyncIterator[Log]:
    """Open a reader of the Kafka at `bootstrap`; `options` are aiokafka's connection keywords."""
    async with AsyncExitStack() as stack:
        consumers = [_consumer(bootstrap, options, level) for level in ("read_committed", "read_uncommitted")]
        for consumer in consumers:
            stack.push_async_callback(consumer.stop)
            await consumer.start()
        yield Log(*consumers)


def _consumer(bootstrap: str, options: Mapping[str, Any], isolation_level: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level=isolation_level,
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=4 * FETCH_BYTES,
        # A fetch at a partition's end blocks all other requests on its connection for as long as it may wait.
        fetch_max_wait_ms=20,
        **options,
    )
