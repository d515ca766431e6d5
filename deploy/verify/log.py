"""Reads Kafka's partitions from one offset to another, without a consumer group: nobody notices, nothing moves."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.errors import ExitCode, UserError
from deploy.verify.records import Record

Partition = tuple[str, int]

FETCH_BYTES = 16 << 20
STALLED_SECONDS = 60.0


class Log:
    """Partitions of a Kafka cluster. Raises aiokafka's KafkaError when it cannot be reached."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    async def bounds(self, topics: Iterable[str]) -> dict[Partition, tuple[int, int]]:
        """The first offset and the end of every partition of these topics that exists."""
        metadata = await self._consumer._client.fetch_all_metadata()
        found = [TopicPartition(topic, each) for topic in topics for each in metadata.partitions_for_topic(topic) or ()]
        if not found:
            return {}
        starts = await self._consumer.beginning_offsets(found)
        ends = await self._consumer.end_offsets(found)
        return {(each.topic, each.partition): (starts[each], ends[each]) for each in sorted(found)}

    async def first_since(self, partitions: Iterable[Partition], timestamp_ms: int) -> dict[Partition, int]:
        """The first offset whose log time is not before `timestamp_ms`, or the end of the log, of each partition."""
        asked = {TopicPartition(*each): timestamp_ms for each in partitions}
        if not asked:
            return {}
        found = await self._consumer.offsets_for_times(asked)
        ends = await self._consumer.end_offsets(list(asked))
        return {(each.topic, each.partition): found[each].offset if found[each] else ends[each] for each in asked}

    async def read(self, partition: Partition, start: int, end: int) -> AsyncIterator[list[Record]]:
        """The committed records of `[start, end)`, in batches. Raises UserError when Kafka gives no more."""
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
                raise UserError(
                    f"Kafka gives no records of {asked.topic}/{asked.partition} from offset {position} on, "
                    f"though it says that the partition ends at {end}",
                    "Is a broker away? `tally doctor` looks closer.",
                    ExitCode.UNREACHABLE,
                )
        self._consumer.unsubscribe()


@asynccontextmanager
async def open_log(bootstrap: str, options: Mapping[str, Any]) -> AsyncIterator[Log]:
    """A reader of the Kafka at `bootstrap`; `options` are aiokafka's connection keywords."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=4 * FETCH_BYTES,
        # A fetch at a partition's end holds up all other requests on its connection for as long as it may wait.
        fetch_max_wait_ms=20,
        **options,
    )
    try:
        await consumer.start()
        yield Log(consumer)
    finally:
        await consumer.stop()
