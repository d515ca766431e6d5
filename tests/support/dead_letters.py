"""Dead letters for tests, and how they get into Kafka."""

from collections.abc import Iterable
from typing import Any

from streams.dead_letters import DeadLetter, DeadLetterWriter
from streams.topics import ensure_topics, topic_specs

MOMENT_MS = 1_790_000_000_000


def letter(topic: str, offset: int = 0, reason: str = "schema", **fields: Any) -> DeadLetter:
    """The dead letter of a record of the topic, in partition 1."""
    given: dict[str, Any] = {
        "partition": 1,
        "epoch": 0,
        "detail": "it is bad",
        "timestamp_ms": MOMENT_MS,
        "key": b"k",
        "value": b"v",
    }
    return DeadLetter.from_record(**{**given, "topic": topic, "offset": offset, "reason": reason, **fields})


async def written(bootstrap: str, letters: Iterable[DeadLetter]) -> None:
    """Write the letters into the topic of dead letters, which is created with the others if it is not there."""
    await ensure_topics(bootstrap, topic_specs(4))
    async with DeadLetterWriter(bootstrap) as writer:
        await writer.write(list(letters))
