"""What is asked of the log beside its records: which partitions there are, and where each begins and ends."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

Partition = tuple[str, int]


class KafkaLog:
    """Offsets and partitions of a Kafka cluster, asked by a consumer of its own that belongs to no group.

    `options` are aiokafka's connection arguments. Raises aiokafka's KafkaError when Kafka cannot be reached.
    """

    def __init__(self, bootstrap: str, options: dict[str, Any] | None = None) -> None:
        self._settings = {"bootstrap_servers": bootstrap, **(options or {})}
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        consumer = AIOKafkaConsumer(
            **self._settings, isolation_level="read_committed", request_timeout_ms=15_000, enable_auto_commit=False
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def ranges(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """The first offset that each partition still has, and its end (the next offset to be written)."""
        asked = [TopicPartition(*partition) for partition in partitions]
        if not asked or self._consumer is None:
            return {}
        starts = await self._consumer.beginning_offsets(asked)
        ends = await self._consumer.end_offsets(asked)
        return {(tp.topic, tp.partition): (starts[tp], ends[tp]) for tp in asked}

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The end of each partition."""
        asked = [TopicPartition(*partition) for partition in partitions]
        if not asked or self._consumer is None:
            return {}
        ends = await self._consumer.end_offsets(asked)
        return {(tp.topic, tp.partition): end for tp, end in ends.items()}

    async def partitions(self, topics: Iterable[str]) -> list[Partition]:
        """Every partition of these topics in freshly fetched metadata; a topic that does not exist has none."""
        if self._consumer is None:
            return []
        metadata = await self._consumer._client.fetch_all_metadata()
        return [(topic, number) for topic in topics for number in sorted(metadata.partitions_for_topic(topic) or ())]
