"""Reads Kafka's partitions from one offset to another, without a consumer group: nobody notices, nothing moves."""

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
    """Partitions of a Kafka cluster. Raises aiokafka's KafkaError when it cannot be reached.

    `consumer` reads what is committed; `written` is asked where logs end, whatever of it may be read.
    """

    def __init__(self, consumer: Any, written: Any) -> None:
        self._consumer = consumer
        self._written = written

    async def bounds(self, topics: Iterable[str]) -> dict[Partition, tuple[int, int]]:
        """The first offset and the end of every partition of these topics that exists.

        The end is that of all that was written: an open transaction may hide some of it (see `hidden`).
        """
        metadata = await self._consumer._client.fetch_all_metadata()
        found = [TopicPartition(topic, each) for topic in topics for each in metadata.partitions_for_topic(topic) or ()]
        if not found:
            return {}
        starts = await self._written.beginning_offsets(found)
        ends = await self._written.end_offsets(found)
        return {(each.topic, each.partition): (starts[each], ends[each]) for each in sorted(found)}

    async def hidden(self, bounds: Mapping[Partition, tuple[int, int]]) -> dict[Partition, int]:
        """The first offset that an open transaction hides, of each partition in which one does."""
        if not bounds:
            return {}
        readable = await self._consumer.end_offsets([TopicPartition(*each) for each in bounds])
        found = {(each.topic, each.partition): offset for each, offset in readable.items()}
        return {each: found[each] for each, (_, end) in bounds.items() if found[each] < end}

    async def first_since(self, partitions: Iterable[Partition], timestamp_ms: int) -> dict[Partition, int]:
        """The first offset whose log time is not before `timestamp_ms`, or the end of the log, of each partition."""
        asked = {TopicPartition(*each): timestamp_ms for each in partitions}
        if not asked:
            return {}
        found = await self._consumer.offsets_for_times(asked)
        ends = await self._consumer.end_offsets(list(asked))
        return {(each.topic, each.partition): found[each].offset if found[each] else ends[each] for each in asked}

    async def read(self, partition: Partition, start: int, end: int) -> AsyncIterator[list[Record]]:
        """The committed records of `[start, end)`, in batches. Raises ReadFailed when Kafka gives no more.

        The partition stays assigned until the next one is read: aiokafka's fetcher dies of a consumer that assigns
        and unsubscribes before it has looked.
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
                    f"Kafka gives no records of {asked.topic}/{asked.partition} from offset {position} on, "
                    f"though it says that the partition ends at {end}",
                    "Is a broker away? `tally doctor` looks closer.",
                )


@asynccontextmanager
async def open_log(bootstrap: str, options: Mapping[str, Any]) -> AsyncIterator[Log]:
    """A reader of the Kafka at `bootstrap`; `options` are aiokafka's connection keywords."""
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
        # A fetch at a partition's end holds up all other requests on its connection for as long as it may wait.
        fetch_max_wait_ms=20,
        **options,
    )
