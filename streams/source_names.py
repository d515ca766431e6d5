"""Which sources the log has now: what a report must have seen the end of before a day is complete."""

from collections.abc import Iterable, Mapping
from typing import Any

from streams.log import KafkaLog
from streams.topics import TopicsMissing
from tally_client.events import EVENTS_BY_TOPIC


async def expected_sources(
    bootstrap: str,
    options: Mapping[str, Any],
    epochs: Mapping[str, int] | None = None,
    topics: Iterable[str] = tuple(EVENTS_BY_TOPIC),
) -> set[str]:
    """The source names (`topic/partition@epoch`) of every partition of the event topics, from fresh metadata.

    `epochs`: the topics that had a second one. Raises TopicsMissing when a topic does not exist (nobody can say that a
    day is complete without it), and aiokafka's errors when Kafka cannot be reached.
    """
    async with KafkaLog(bootstrap, dict(options)) as log:
        partitions = await log.partitions(topics)
    missing = sorted(set(topics) - {topic for topic, _ in partitions})
    if missing:
        raise TopicsMissing(f"Kafka at {bootstrap} has no topic {', '.join(missing)}")
    return {source_name(topic, number, epochs or {}) for topic, number in partitions}


def source_name(topic: str, partition: int, epochs: Mapping[str, int]) -> str:
    """`topic/partition@epoch`."""
    return f"{topic}/{partition}@{epochs.get(topic, 0)}"
