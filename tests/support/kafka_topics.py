"""Topics of a test's own, and all that is in them."""

import uuid
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.topics import TopicSpec, ensure_topics


async def new_topic(bootstrap: str, partitions: int = 2) -> str:
    """Create a topic that nothing else writes to; its name."""
    name = f"test.{uuid.uuid4()}"
    await ensure_topics(bootstrap, [TopicSpec(name, partitions, {"message.timestamp.type": "LogAppendTime"})])
    return name


async def records_of(bootstrap: str, topic: str) -> list[Any]:
    """All records of a topic, by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        metadata = await consumer._client.fetch_all_metadata()
        partitions = [TopicPartition(topic, number) for number in metadata.partitions_for_topic(topic)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()
