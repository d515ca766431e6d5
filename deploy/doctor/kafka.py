"""Facts about topics, workers and dead letters in Kafka, and their judgement."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.counts import counted
from deploy.doctor.findings import Finding, clock_finding
from deploy.settings import Settings
from streams.consumer_group import group_members
from streams.dead_letters import DeadLetterFilter, read_dead_letters
from streams.log import Bounds, KafkaLog
from streams.record_batch import Partition
from streams.topics import ExistingTopic, differences, topic_specs
from tally_client.events import DEAD_LETTERS, EVENTS_BY_TOPIC

CLOCK_KEY = b"clock of tally doctor"
"""The key of the tombstone that reveals the broker's time; it cannot be confused with the location of a record."""


@dataclass(frozen=True)
class KafkaFacts:
    """State of Kafka.

    `bounds`: of each partition of the event topics; `workers`: hosts of the consumer group's members; `letters`: dead
    letters of the last day by reason; `clock_difference` in seconds, positive if ahead.
    """

    topics: Mapping[str, ExistingTopic] = field(default_factory=dict)
    bounds: Mapping[Partition, Bounds] = field(default_factory=dict)
    workers: tuple[str, ...] = ()
    letters: Mapping[str, int] = field(default_factory=dict)
    clock_difference: float | None = None


async def look_at_kafka(settings: Settings) -> KafkaFacts:
    """Query Kafka. Raises aiokafka's error if it is unavailable or refuses the user."""
    options = {"bootstrap_servers": settings.kafka_bootstrap, "request_timeout_ms": 10_000, **settings.client_options()}
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        topics = await _topics(admin)
        workers = await _hosts(admin, settings.consumer_group)
    finally:
        await admin.close()
    async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
        bounds = await log.bounds(await log.partitions(EVENTS_BY_TOPIC))
    if DEAD_LETTERS not in topics:
        return KafkaFacts(topics, bounds, workers)
    return KafkaFacts(topics, bounds, workers, await _letters(settings), await _clock_difference(options))


async def _topics(admin: Any) -> dict[str, ExistingTopic]:
    wanted = {spec.name for spec in topic_specs()}
    found = {
        each["topic"]: len(each["partitions"]) for each in await admin.describe_topics() if each["topic"] in wanted
    }
    if not found:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(found)])
    configs = {each[3]: {entry[0]: entry[1] for entry in each[4]} for answer in answers for each in answer.resources}
    return {name: ExistingTopic(partitions, configs.get(name, {})) for name, partitions in found.items()}


async def _hosts(admin: Any, group: str) -> tuple[str, ...]:
    """Return the hosts of the group's members."""
    return tuple(sorted(member["client_host"].lstrip("/") for member in await group_members(admin, group)))


async def _letters(settings: Settings) -> dict[str, int]:
    recent = DeadLetterFilter(since=datetime.now(UTC) - timedelta(days=1))
    reasons: Counter[str] = Counter()
    async for letter in read_dead_letters(settings.kafka_bootstrap, recent, settings.client_options()):
        reasons[letter.reason] += 1
    return dict(reasons)


async def _clock_difference(options: Mapping[str, Any]) -> float | None:
    """Return the broker's clock minus this one, from the log time of a tombstone; None if producers set log time."""
    producer = AIOKafkaProducer(acks="all", **options)
    await producer.start()
    try:
        await producer.partitions_for(DEAD_LETTERS)
        asked_at = datetime.now(UTC)
        stored = await producer.send_and_wait(DEAD_LETTERS, None, CLOCK_KEY)
        midway = asked_at + (datetime.now(UTC) - asked_at) / 2
    finally:
        await producer.stop()
    return stored.timestamp / 1000 - midway.timestamp() if stored.timestamp_type == 1 else None


def kafka_findings(settings: Settings, kafka: KafkaFacts) -> Iterator[Finding]:
    """Judge topics, workers, dead letters and the broker's clock."""
    yield Finding("ok", "Kafka responds", settings.kafka_bootstrap)
    yield from topic_findings(settings.partitions, kafka.topics)
    yield _worker_finding(settings.consumer_group, kafka.workers)
    yield from _letter_findings(kafka.letters)
    if kafka.clock_difference is not None:
        yield clock_finding("Kafka", kafka.clock_difference)


def topic_findings(partitions: int, topics: Mapping[str, ExistingTopic]) -> Iterator[Finding]:
    """Check that each topic exists and has the required configuration."""
    for spec in topic_specs(partitions):
        existing = topics.get(spec.name)
        unlike = differences(spec, existing) if existing else []
        if existing is None:
            yield Finding("problem", "the topic does not exist", spec.name, "Create it with `tally topics create`.")
        elif not unlike:
            width = counted(existing.partitions, "partition")
            yield Finding("ok", f"the topic has the required configuration, with {width}", spec.name)
        for line in unlike:
            what, _, remedy = line.partition(": ")
            yield Finding("warning", what, spec.name, remedy)


def _worker_finding(group: str, workers: tuple[str, ...]) -> Finding:
    where = f"consumer group {group}"
    if not workers:
        return Finding("problem", "no worker is running", where, "Start one with `tally up` or `tally worker`.")
    return Finding("ok", f"{len(workers)} running ({', '.join(sorted(set(workers)))})", where)


def _letter_findings(letters: Mapping[str, int]) -> Iterator[Finding]:
    remedy = "Show them with `tally dead-letters list`; fix the producer, then run `tally dead-letters replay`."
    for reason, count in sorted(letters.items()):
        yield Finding("warning", f"{counted(count, 'dead letter')} in the last day: {reason}", DEAD_LETTERS, remedy)
    if not letters:
        yield Finding("ok", "no dead letters in the last day", DEAD_LETTERS)
