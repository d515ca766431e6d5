"""The required configuration of Tally's topics, and `ensure_topics`, which creates missing topics and never changes
one.

Existing topics are only compared: changing retention or compaction of a live log can delete history, and adding
partitions moves keys, so that a repeat of an old event would be in another partition than the first and count twice.
Both are decisions for an operator.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code
from tenacity import (
    AsyncRetrying,
    RetryError,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from streams.kafka_errors import is_transient, raise_for, retry_while_kafka_is_unavailable
from tally_client.events import DEAD_LETTERS, EVENTS_BY_TOPIC, PROFILES
from tally_client.events.envelope import MAX_RECORD_BYTES

MAX_DEAD_LETTER_BYTES = 16 * 1024 * 1024
"""The maximum record size of the dead-letter topic. A letter carries an event's bytes in base64 and must never be too
large."""

LATEST_SECONDS = 5.0
"""Time in which Kafka has to describe a topic that it reports as existing."""

_DAY_MS = 24 * 3600 * 1000

log = logging.getLogger(__name__)


class TopicsUnavailable(Exception):
    """The topics could not be created or described; the message has the reason."""


class TopicsMissing(Exception):
    """Required topics do not exist; `hint` is how to create them."""

    hint = "Create it with `tally topics create`."


@dataclass(frozen=True)
class TopicSpec:
    """Required properties of one topic; `config` has Kafka's names and values."""

    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class TopicsReport:
    """Result of `ensure_topics`: names of created topics, and one line for each difference that was left unchanged."""

    created: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExistingTopic:
    """A topic as described by the broker."""

    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


# The broker sets the log time, because a worker uses it to decide which events are too far in the future.
_EVERY_TOPIC = {"message.timestamp.type": "LogAppendTime", "compression.type": "producer"}

# The log is the source of truth and every table can be rebuilt from it, so history is kept until an operator decides
# otherwise.
_HISTORY = {
    **_EVERY_TOPIC,
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "max.message.bytes": str(MAX_RECORD_BYTES),
}

# A person is forgotten by a tombstone. It must outlive any outage of a worker, or a name that the worker had read
# earlier would stay in the tables. Compaction must not wait for new traffic to remove the old name.
_PROFILES = {
    **_EVERY_TOPIC,
    "cleanup.policy": "compact",
    "delete.retention.ms": str(90 * _DAY_MS),
    "max.compaction.lag.ms": str(7 * _DAY_MS),
    "max.message.bytes": str(MAX_RECORD_BYTES),
}

# A dead letter that is written again after a crash has the same key; compaction keeps one.
_DEAD_LETTERS = {**_EVERY_TOPIC, "cleanup.policy": "compact", "max.message.bytes": str(MAX_DEAD_LETTER_BYTES)}


def topic_specs(partitions: int = 4) -> tuple[TopicSpec, ...]:
    """Return the specs of all topics: `partitions` for each event topic, one for the dead letters."""
    events = tuple(
        TopicSpec(topic, partitions, _PROFILES if topic == PROFILES else _HISTORY) for topic in EVENTS_BY_TOPIC
    )
    return (*events, TopicSpec(DEAD_LETTERS, 1, _DEAD_LETTERS))


def differences(spec: TopicSpec, existing: ExistingTopic) -> list[str]:
    """Return one line for each property of a topic that differs from its spec."""
    lines = []
    if existing.partitions != spec.partitions:
        lines.append(
            f"{spec.name} has partitions={existing.partitions}, but the setting is {spec.partitions}: left unchanged,"
            " because moving keys to other partitions would count repeated events twice"
        )
    for name, wanted in spec.config.items():
        found = existing.config.get(name)
        if found is not None and found != wanted:
            lines.append(f"{spec.name} has {name}={found}, but it should be {wanted}: change it with kafka-configs.sh")
    return lines


async def ensure_topics(
    bootstrap: str, specs: Iterable[TopicSpec], *, replication: int = 1, timeout: float = 60.0, **client: Any
) -> TopicsReport:
    """Create missing topics and compare existing ones. Idempotent, also when several processes call it at the same
    time.

    `client` are aiokafka's connection keywords. Waits up to `timeout` seconds for a broker that is starting, then
    raises TopicsUnavailable with the reason. A refused login is raised immediately.
    """
    wanted = tuple(specs)
    try:
        return await retry_while_kafka_is_unavailable(
            lambda: _ensure_once(bootstrap, wanted, replication, client), "", timeout
        )
    except (KafkaConnectionError, TimeoutError) as error:
        raise TopicsUnavailable(f"Kafka at {bootstrap} did not answer within {timeout:g} s") from error
    except KafkaError as error:
        if is_transient(error):
            raise TopicsUnavailable(f"Kafka at {bootstrap} could not create the topics: {error}") from error
        raise


async def _ensure_once(
    bootstrap: str, specs: tuple[TopicSpec, ...], replication: int, client: dict[str, Any]
) -> TopicsReport:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000, **client)
    try:
        await admin.start()
        existing = await _existing(admin, [spec.name for spec in specs])
        missing = [spec for spec in specs if spec.name not in existing]
        created = await _create(admin, missing, replication)
        existing |= await _described(admin, [spec.name for spec in missing if spec.name not in created])
        found = [line for spec in specs if spec.name in existing for line in differences(spec, existing[spec.name])]
        return TopicsReport(tuple(created), tuple(found))
    finally:
        await admin.close()


async def _existing(admin: Any, names: list[str]) -> dict[str, ExistingTopic]:
    """Return the topics among `names` that exist. All topics are requested, because requesting one by name could create
    it."""
    described = {topic["topic"]: topic for topic in await admin.describe_topics()}
    present = [name for name in names if name in described]
    configs = await _configs(admin, present)
    return {name: ExistingTopic(len(described[name]["partitions"]), configs.get(name, {})) for name in present}


async def _described(admin: Any, names: list[str]) -> dict[str, ExistingTopic]:
    """Return topics that another process has just created, which Kafka may not describe yet. Raises TimeoutError."""
    if not names:
        return {}
    lacks_one = retry_if_result(lambda found: len(found) < len(names))
    looks = AsyncRetrying(retry=lacks_one, wait=wait_fixed(0.05), stop=stop_after_delay(LATEST_SECONDS))
    try:
        return await looks(_existing, admin, names)
    except RetryError as error:
        raise TimeoutError(f"Kafka reports that {', '.join(names)} exist, but does not describe all of them") from error


async def _configs(admin: Any, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    resources = [resource for answer in answers for resource in answer.resources]
    for code, message, *_ in resources:
        raise_for(code, message or "describe_configs")
    return {resource[3]: {entry[0]: entry[1] for entry in resource[4]} for resource in resources}


async def _create(admin: Any, specs: list[TopicSpec], replication: int) -> list[str]:
    """Create topics; a topic that another process has just created is not an error."""
    if not specs:
        return []
    new = [NewTopic(spec.name, spec.partitions, replication, topic_configs=dict(spec.config)) for spec in specs]
    answer = await admin.create_topics(new)
    created = []
    for name, code, *message in answer.topic_errors:
        if for_code(code) is TopicAlreadyExistsError:
            continue
        raise_for(code, f"{name}: {message[0] if message and message[0] else 'create_topics'}")
        created.append(name)
    return created
