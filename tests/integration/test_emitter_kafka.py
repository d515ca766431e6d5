"""The Emitter against a real Kafka: delivers, keeps order, takes back-pressure, names what it could not deliver."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

import tally_client.emitter as emitter_module
from deploy.embedded.child import RunningChild
from deploy.embedded.ports import free_port
from streams.topics import ensure_topics, topic_specs
from tally_client.emitter import EmitError, Emitter, InvalidEvent, UndeliverableEvent, encode
from tally_client.events import CHAT, PROFILES, Actor, ChatMessage, decoder
from tally_client.events.envelope import MAX_RECORD_BYTES
from tests.support.kafka_topics import new_topic, records_of
from tests.support.stack import start_kafka


def message(actor: str | None = None) -> ChatMessage:
    return ChatMessage(
        event_id=str(uuid.uuid4()),
        occurred_at=datetime.now(UTC),
        organization_id=str(uuid.uuid4()),
        actor=Actor(type="user", id=actor or str(uuid.uuid4())),
        product="chat",
        conversation_id=str(uuid.uuid4()),
    )


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChild]:
    """A broker that a test may stop in its tracks."""
    broker = start_kafka(tmp_path_factory.mktemp("own-kafka"))
    yield broker
    broker.stop()


@asynccontextmanager
async def frozen(broker: RunningChild) -> AsyncIterator[None]:
    """The broker neither answers nor refuses, as after a network failure."""
    os.killpg(broker.pid, signal.SIGSTOP)
    await asyncio.sleep(0.2)  # until every thread of it stands still
    try:
        yield
    finally:
        os.killpg(broker.pid, signal.SIGCONT)


async def test_an_event_arrives_under_its_key_as_its_own_bytes(kafka: str) -> None:
    await ensure_topics(kafka, topic_specs(4))
    event = message()
    async with Emitter(kafka) as emitter:
        await emitter.emit(event)
        await emitter.flush()
        assert emitter.confirmed == 1
    (found,) = [record for record in await records_of(kafka, CHAT) if event.event_id.encode() in record.value]
    assert found.key == event.actor.id.encode()
    assert found.timestamp_type == 1, "the log time is not the broker's"
    assert decoder(CHAT).decode(found.value) == event


async def test_the_example_of_the_docstring_works(kafka: str) -> None:
    await ensure_topics(kafka, topic_specs(4))
    indented = [line for line in (emitter_module.__doc__ or "").splitlines() if line.startswith("    ")]
    example = "\n".join(["async def example():", *indented]).replace("kafka.example.com:9092", kafka)
    names = {name: str(uuid.uuid4()) for name in ("organization_id", "account_id", "conversation_id")}
    scope: dict[str, Any] = {
        **{"Emitter": Emitter, "ChatMessage": ChatMessage, "Actor": Actor, "uuid4": uuid.uuid4},
        **{"datetime": datetime, "UTC": UTC},
        **names,
    }
    exec(example, scope)
    await scope["example"]()
    keys = [record.key for record in await records_of(kafka, CHAT)]
    assert keys.count(names["account_id"].encode()) == 1


async def test_many_events_arrive_once_each_and_in_order_for_each_key(kafka: str) -> None:
    topic = await new_topic(kafka, 4)
    keys = [str(uuid.uuid4()).encode() for _ in range(50)]
    async with Emitter(kafka, batch_bytes=4096) as emitter:
        for number in range(20_000):
            await emitter.emit_raw(topic, keys[number % 50], b"%d" % number)
    assert emitter.confirmed == 20_000
    found = await records_of(kafka, topic)
    assert sorted(int(record.value) for record in found) == list(range(20_000))
    for key in keys:
        numbers = [int(record.value) for record in found if record.key == key]
        assert numbers == sorted(numbers)
        assert len({record.partition for record in found if record.key == key}) == 1


async def test_emitters_of_many_tasks_lose_nothing(kafka: str) -> None:
    topic = await new_topic(kafka)

    async def emit_some(emitter: Emitter, task: int) -> None:
        for number in range(500):
            await emitter.emit_raw(topic, b"%d" % task, b"%d" % number)

    async with Emitter(kafka, batch_bytes=1024) as emitter:
        await asyncio.gather(*(emit_some(emitter, task) for task in range(20)))
    by_task: dict[bytes, list[int]] = {}
    for record in await records_of(kafka, topic):
        by_task.setdefault(record.key, []).append(int(record.value))
    assert by_task == {b"%d" % task: list(range(500)) for task in range(20)}


async def test_keys_fall_where_every_other_kafka_client_puts_them(kafka: str) -> None:
    topic = await new_topic(kafka, 7)
    keys = [str(uuid.uuid4()).encode() for _ in range(30)]
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        theirs = {key: (await producer.send_and_wait(topic, b"x", key)).partition for key in keys}
    async with Emitter(kafka) as emitter:
        for key in keys:
            await emitter.emit_raw(topic, key, b"y")
    assert {record.key: record.partition for record in await records_of(kafka, topic) if record.value == b"y"} == theirs


async def test_null_keys_and_null_values_are_sent_as_they_are(kafka: str) -> None:
    topic = await new_topic(kafka)
    async with Emitter(kafka) as emitter:
        await emitter.emit_raw(topic, None, b"no key")
        await emitter.emit_raw(topic, b"no value", None)
    found = {(record.key, record.value) for record in await records_of(kafka, topic)}
    assert found == {(None, b"no key"), (b"no value", None)}


async def test_a_person_is_forgotten_by_a_tombstone_in_each_partition(kafka: str) -> None:
    await ensure_topics(kafka, topic_specs(4))
    account = str(uuid.uuid4())
    async with Emitter(kafka) as emitter:
        await emitter.forget(account)
    records = await records_of(kafka, PROFILES)
    found = [(record.partition, record.value) for record in records if record.key == account.encode()]
    assert found == [(partition, None) for partition in range(4)]


async def test_an_invalid_event_is_refused_and_the_emitter_goes_on(kafka: str) -> None:
    await ensure_topics(kafka, topic_specs(4))
    async with Emitter(kafka) as emitter:
        with pytest.raises(InvalidEvent):
            await emitter.emit(ChatMessage(**{**_fields(message()), "web_searches": -1}))
        await emitter.emit(message())
    assert emitter.confirmed == 1


async def test_the_emitters_clock_decides_what_is_in_the_future(kafka: str) -> None:
    event = message()
    async with Emitter(kafka, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as emitter:
        with pytest.raises(InvalidEvent, match="in the future"):
            await emitter.emit(event)


async def test_a_record_that_no_topic_takes_is_refused_before_it_is_sent(kafka: str) -> None:
    topic = await new_topic(kafka)
    async with Emitter(kafka) as emitter:
        with pytest.raises(InvalidEvent, match="bytes; the maximum of a record is"):
            await emitter.emit_raw(topic, b"k", b"x" * MAX_RECORD_BYTES)


async def test_a_one_megabyte_string_arrives(kafka: str) -> None:
    await ensure_topics(kafka, topic_specs(4))
    value = os.urandom(512 * 1024).hex().encode()
    async with Emitter(kafka) as emitter:
        await emitter.emit_raw(CHAT, b"large", value)
    assert [record.value for record in await records_of(kafka, CHAT) if record.key == b"large"] == [value]


async def test_a_topic_that_does_not_exist_is_named_with_the_event(kafka: str) -> None:
    async with Emitter(kafka) as emitter:
        with pytest.raises(UndeliverableEvent, match=r"token\.used 5 was not delivered to tally\.typo: the topic does"):
            await emitter.emit_raw("tally.typo", b"k", b'{"type": "token.used", "event_id": "5"}')


async def test_no_broker_is_told_at_the_start() -> None:
    with pytest.raises(KafkaConnectionError):
        await Emitter(f"127.0.0.1:{free_port()}").start()


async def test_a_closed_emitter_takes_nothing(kafka: str) -> None:
    emitter = Emitter(kafka)
    async with emitter:
        pass
    await emitter.close()
    with pytest.raises(EmitError, match="not started or is already closed"):
        await emitter.emit_raw("any", b"k", b"v")


async def test_leaving_the_block_names_what_was_not_delivered(own_kafka: RunningChild) -> None:
    topic = await new_topic(own_kafka.child.url)
    event = message()
    emitter = await _connected_to(own_kafka, topic)
    async with frozen(own_kafka):
        await emitter.emit_raw(topic, b"k", encode(event, datetime.now(UTC)))
        with pytest.raises(UndeliverableEvent) as caught:
            await emitter.__aexit__(None, None, None)
    assert (caught.value.type, caught.value.event_id) == ("chat.message", event.event_id)
    assert "did not confirm" in caught.value.why
    assert len(caught.value.records) == 1


async def test_an_error_of_the_callers_own_is_not_hidden_by_the_undelivered(own_kafka: RunningChild) -> None:
    topic = await new_topic(own_kafka.child.url)
    emitter = await _connected_to(own_kafka, topic)
    own = ZeroDivisionError()
    async with frozen(own_kafka):
        await emitter.emit_raw(topic, b"k", b"after")
        await emitter.__aexit__(ZeroDivisionError, own, None)
    assert "was not delivered" in own.__notes__[0]


async def test_the_first_event_of_a_topic_waits_for_a_broker_that_starts_again(tmp_path: Path) -> None:
    """aiokafka asks each broker once for its topics; a broker that restarts must not cost an event."""
    broker = start_kafka(tmp_path / "kafka")
    port = int(broker.child.url.rpartition(":")[2])
    try:
        topic = await new_topic(broker.child.url)
        async with Emitter(broker.child.url) as emitter:
            broker.kill()
            emitting = asyncio.create_task(emitter.emit_raw(topic, b"k", b"waited"))
            await asyncio.sleep(1)
            assert not emitting.done(), emitting.exception()
            broker = await asyncio.to_thread(start_kafka, tmp_path / "kafka", port)
            await emitting
        assert [record.value for record in await records_of(broker.child.url, topic)] == [b"waited"]
    finally:
        broker.stop()


async def test_a_broker_that_stays_away_is_named_with_the_event(own_kafka: RunningChild) -> None:
    topic = await new_topic(own_kafka.child.url)
    emitter = Emitter(own_kafka.child.url, delivery_timeout=2)
    await emitter.start()
    async with frozen(own_kafka):
        with pytest.raises(UndeliverableEvent, match="no broker answered within 2 s"):
            await emitter.emit_raw(topic, b"k", b"1")
    await emitter.close()


async def test_what_was_not_delivered_is_told_once_and_the_emitter_goes_on(own_kafka: RunningChild) -> None:
    topic = await new_topic(own_kafka.child.url)
    emitter = await _connected_to(own_kafka, topic)
    async with frozen(own_kafka):
        await emitter.emit_raw(topic, b"k", b"1")
        with pytest.raises(UndeliverableEvent) as caught:
            await emitter.flush()
    for record in caught.value.records:
        await emitter.emit_raw(topic, record.key, record.value)
    await emitter.close()
    assert {record.value for record in await records_of(own_kafka.child.url, topic)} == {b"before", b"1"}


async def test_a_full_buffer_makes_emit_wait_and_nothing_is_dropped(own_kafka: RunningChild) -> None:
    topic = await new_topic(own_kafka.child.url, 1)
    accepted = 0

    async def emit_all(emitter: Emitter) -> None:
        nonlocal accepted
        for number in range(3000):
            await emitter.emit_raw(topic, b"k", b"%d" % number)
            accepted += 1

    async with Emitter(own_kafka.child.url, batch_bytes=4096, delivery_timeout=None) as emitter:
        await emitter.emit_raw(topic, b"first", b"-1")
        await emitter.flush()
        async with frozen(own_kafka):
            emitting = asyncio.create_task(emit_all(emitter))
            stuck = -1
            while accepted != stuck:
                stuck = accepted
                await asyncio.sleep(0.5)
            assert stuck < 1500, "emit went on although nothing was confirmed: its two batches do not bound the buffer"
        await emitting
    found = [int(record.value) for record in await records_of(own_kafka.child.url, topic)]
    assert found == list(range(-1, 3000))


async def _connected_to(broker: RunningChild, topic: str) -> Emitter:
    """An emitter that has delivered once and gives up after seconds: enough for a busy machine to deliver."""
    emitter = Emitter(broker.child.url, delivery_timeout=4)  # less than what makes a broker that stands still be fenced
    await emitter.start()
    await emitter.emit_raw(topic, b"k", b"before")
    await emitter.flush()
    return emitter


def _fields(event: ChatMessage) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}
