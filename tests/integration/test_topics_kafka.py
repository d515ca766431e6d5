"""`ensure_topics` against a real Kafka: creates, compares, never changes."""

import asyncio
import uuid

import pytest
from aiokafka.errors import InvalidConfigurationError

from deploy.embedded.ports import free_port
from streams.topics import TopicSpec, TopicsReport, TopicsUnavailable, ensure_topics, topic_specs
from tests.support.stack import start_kafka


def own_topic(partitions: int = 2, **config: str) -> TopicSpec:
    named = {name.replace("_", "."): value for name, value in config.items()}
    return TopicSpec(f"test.{uuid.uuid4()}", partitions, named)


async def test_missing_topics_are_created_once_and_then_equal(kafka: str) -> None:
    specs = [own_topic(2, cleanup_policy="compact"), own_topic(1, message_timestamp_type="LogAppendTime")]
    assert await ensure_topics(kafka, specs) == TopicsReport(created=tuple(spec.name for spec in specs))
    assert await ensure_topics(kafka, specs) == TopicsReport()


async def test_tallys_own_topics_come_out_as_specified(own_kafka: str) -> None:
    specs = topic_specs(4)
    assert await ensure_topics(own_kafka, specs) == TopicsReport(created=tuple(spec.name for spec in specs))
    assert await ensure_topics(own_kafka, specs) == TopicsReport()


async def test_two_at_once_do_not_disturb_each_other(kafka: str) -> None:
    specs = [own_topic(), own_topic()]
    first, second = await asyncio.gather(ensure_topics(kafka, specs), ensure_topics(kafka, specs))
    assert sorted(first.created + second.created) == sorted(spec.name for spec in specs)


async def test_an_existing_topic_is_compared_and_left_alone(kafka: str) -> None:
    made = own_topic(2, retention_ms="1000000")
    await ensure_topics(kafka, [made])
    wanted = TopicSpec(made.name, 5, {"retention.ms": "-1"})
    for _ in range(2):
        report = await ensure_topics(kafka, [wanted])
        assert report.created == ()
        assert len(report.differences) == 2, "the topic was changed, or a difference was not seen"


async def test_what_the_broker_refuses_is_raised_at_once(kafka: str) -> None:
    with pytest.raises(InvalidConfigurationError):
        await ensure_topics(kafka, [own_topic(1, cleanup_policy="sometimes")], timeout=30)


async def test_no_broker_is_one_clear_error() -> None:
    port = free_port()
    with pytest.raises(TopicsUnavailable, match=f"127.0.0.1:{port} did not answer within 1 s"):
        await ensure_topics(f"127.0.0.1:{port}", topic_specs(), timeout=1)


async def test_a_broker_that_is_coming_up_is_waited_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    port = free_port()
    waiting = asyncio.create_task(ensure_topics(f"127.0.0.1:{port}", topic_specs(1), timeout=60))
    broker = await asyncio.to_thread(start_kafka, tmp_path_factory.mktemp("late"), port)
    try:
        report = await waiting
    finally:
        broker.stop()
    assert len(report.created) == len(topic_specs())
