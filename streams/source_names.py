"""The current sources of the log; before a day is complete, a report must have seen the end of every one of them."""

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
    """Return the source names (`topic/partition@epoch`) of all partitions of the event topics, from fresh metadata.

    `epochs` has the epochs of topics that are past their first. Raises TopicsMissing if a topic does not exist, because
    no day is known to be complete without it, and aiokafka's errors if Kafka cannot be reached.
    """
    async with KafkaLog(bootstrap, dict(options)) as log:
        partitions = await log.partitions(topics)
    missing = sorted(set(topics) - {topic for topic, _ in partitions})
    if missing:
        raise TopicsMissing(f"Kafka at {bootstrap} has no topic {', '.join(missing)}")
    return {source_name(topic, number, epochs or {}) for topic, number in partitions}


def source_name(topic: str, partition: int, epochs: Mapping[str, int]) -> str:
    """Return `topic/partition@epoch`."""
    return f"{topic}/{partition}@{epochs.get(topic, 0)}"
