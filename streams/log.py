"""Metadata of the log: its partitions, and where each begins and ends."""

import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from streams.record_batch import Partition

FETCH_BYTES = 16 << 20
"""The largest record is a dead letter (streams.topics.MAX_DEAD_LETTER_BYTES)."""

STALLED_SECONDS = 60.0


class Ends(NamedTuple):
    """The end of a partition: `end` is the next offset to be written (Kafka's high watermark), `readable` the first
    offset that an open transaction hides (the last stable offset), equal to `end` while none is open."""

    end: int
    readable: int


class Bounds(NamedTuple):
    """The first offset that a partition still has, and its end (see Ends)."""

    start: int
    end: int
    readable: int


class KafkaLog:
    """Offsets and partitions of a Kafka cluster, read by two consumers of its own that belong to no group.

    Two, because a consumer reports either what was written or what may be read. `options` are aiokafka's connection
    arguments. Raises aiokafka's KafkaError if Kafka cannot be reached.
    """

    def __init__(self, bootstrap: str, options: Mapping[str, Any] | None = None) -> None:
        self._settings = {"bootstrap_servers": bootstrap, **(options or {})}
        self._written: AIOKafkaConsumer | None = None
        self._readable: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        self._written = await self._consumer("read_uncommitted")
        try:
            self._readable = await self._consumer("read_committed")
        except BaseException:
            await self._written.stop()
            raise
        return self

    async def _consumer(self, isolation_level: str) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._settings,
            isolation_level=isolation_level,
            request_timeout_ms=15_000,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=4 * FETCH_BYTES,
            # A fetch at the end of a partition delays all other requests on its connection for as long as it waits.
            fetch_max_wait_ms=20,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for consumer in (self._written, self._readable):
            if consumer is not None:
                await consumer.stop()

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, Bounds]:
        """Return the beginning and end of each partition."""
        asked = [TopicPartition(*partition) for partition in partitions]
        if not asked or self._written is None:
            return {}
        starts = await self._written.beginning_offsets(asked)
        ends = await self.end_offsets((tp.topic, tp.partition) for tp in asked)
        return {partition: Bounds(starts[TopicPartition(*partition)], *found) for partition, found in ends.items()}

    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, Ends]:
        """Return the end of each partition.

        The written end is fetched first: the readable end can only have grown since, so if it is lower, that is not a
        race.
        """
        asked = [TopicPartition(*partition) for partition in partitions]
        if not asked or self._written is None or self._readable is None:
            return {}
        ends = await self._written.end_offsets(asked)
        readable = await self._readable.end_offsets(asked)
        return {(tp.topic, tp.partition): Ends(ends[tp], min(ends[tp], readable[tp])) for tp in asked}

    async def partitions(self, topics: Iterable[str]) -> list[Partition]:
        """Return every partition of these topics, from fresh metadata; a topic that does not exist has none.

        Raises KafkaConnectionError if no broker answers, or if one that has just started knows none yet: aiokafka's own
        error for both is not one that a retry is known to help.
        """
        if self._written is None:
            return []
        try:
            metadata = await self._written._client.fetch_all_metadata()
        except KafkaError as error:
            raise KafkaConnectionError(str(error)) from error
        return [(topic, number) for topic in topics for number in sorted(metadata.partitions_for_topic(topic) or ())]

    async def read_all(self, bounds: Mapping[Partition, Bounds]) -> AsyncGenerator[Any, None]:
        """Yield the committed records within these bounds, one partition after another."""
        for partition, (start, _, readable) in bounds.items():
            async for record in self.read(partition, start, readable):
                yield record

    async def read(self, partition: Partition, start: int, end: int) -> AsyncGenerator[Any, None]:
        """Yield the committed records of `[start, end)`. Raises KafkaTimeoutError if none arrive for a minute.

        The partition stays assigned until the next one is read: aiokafka's fetcher fails if its consumer assigns and
        unsubscribes before it has looked.
        """
        if start >= end or self._readable is None:
            return
        consumer, asked = self._readable, TopicPartition(*partition)
        consumer.assign([asked])
        consumer.seek(asked, start)
        moved_at, position = time.monotonic(), start
        while position < end:
            for record in (await consumer.getmany(asked, timeout_ms=1000, max_records=5000)).get(asked, ()):
                if record.offset < end:
                    yield record
            before, position = position, await consumer.position(asked)
            if position != before:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > STALLED_SECONDS:
                raise KafkaTimeoutError(f"no records of {asked.topic}/{asked.partition} from offset {position} on")


def held_back(topic: str, partition: int, readable: int) -> str:
    """Describe a partition whose end is hidden by an open transaction."""
    return f"{topic}/{partition} is held back by an open transaction, which hides offset {readable} and all after it"
