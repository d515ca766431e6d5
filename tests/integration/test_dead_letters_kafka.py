"""Dead letters against a real Kafka: written, listed, replayed once."""

import asyncio
import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deploy.embedded.ports import free_port
from streams.dead_letters import (
    MAX_KEPT_BYTES,
    DeadLetter,
    DeadLetterFilter,
    DeadLetterWriter,
    decode,
    read_dead_letters,
    replay,
)
from streams.forgotten_dead_letters import forgettings, take_forgotten_away
from streams.topics import ensure_topics, topic_specs
from tally_client.emitter import Emitter
from tally_client.events import PROFILES
from tests.support.dead_letters import MOMENT_MS, letter, written
from tests.support.kafka_topics import new_topic, records_of
from tests.support.stack import start_kafka


async def listed(bootstrap: str, wanted: DeadLetterFilter) -> list[DeadLetter]:
    return [each async for each in read_dead_letters(bootstrap, wanted)]


def test_a_letter_keeps_every_byte_and_tells_null_from_empty() -> None:
    for key, value in [(None, b""), (b"", None), (b"\x00\xff", bytes(range(256)))]:
        found = decode(letter("t", key=key, value=value).encoded())
        assert (found.key, found.value) == (key, value)


def test_a_letters_key_is_the_place_of_its_record() -> None:
    assert letter("tally.token", 17).location == "tally.token/1@0/17"


def test_a_value_too_long_to_keep_is_cut_and_says_so() -> None:
    found = letter("t", value=b"x" * (MAX_KEPT_BYTES + 1))
    assert (found.value, found.value_bytes) == (b"x" * MAX_KEPT_BYTES, MAX_KEPT_BYTES + 1)
    assert letter("t").value_bytes is None


async def test_letters_are_listed_as_they_were_written(kafka: str) -> None:
    topic = f"test.{uuid.uuid4()}"
    letters = [letter(topic, offset) for offset in range(5)]
    await written(kafka, letters)
    assert await listed(kafka, DeadLetterFilter(topic=topic)) == letters


async def test_a_letter_written_twice_is_one(kafka: str) -> None:
    topic = f"test.{uuid.uuid4()}"
    await written(kafka, [letter(topic), letter(topic, 1)])
    await written(kafka, [letter(topic)])
    assert sorted(each.offset for each in await listed(kafka, DeadLetterFilter(topic=topic))) == [0, 1]


async def test_letters_are_chosen_by_reason_and_time(kafka: str) -> None:
    topic = f"test.{uuid.uuid4()}"
    await written(kafka, [letter(topic, 0, "schema"), letter(topic, 1, "too_old", timestamp_ms=MOMENT_MS + 1)])
    since = datetime.fromtimestamp((MOMENT_MS + 1) / 1000, UTC)
    mine = DeadLetterFilter(topic=topic)
    assert [each.offset for each in await listed(kafka, replace(mine, reason="schema"))] == [0]
    assert [each.offset for each in await listed(kafka, replace(mine, since=since))] == [1]
    assert await listed(kafka, replace(mine, reason="unheard of")) == []


async def test_the_largest_event_still_fits_into_a_letter(kafka: str) -> None:
    topic = f"test.{uuid.uuid4()}"
    value = os.urandom(MAX_KEPT_BYTES + 5)
    await written(kafka, [letter(topic, value=value)])
    (found,) = await listed(kafka, DeadLetterFilter(topic=topic))
    assert (found.value, found.value_bytes) == (value[:MAX_KEPT_BYTES], len(value))


async def test_a_replay_sends_the_same_bytes_once_and_takes_the_letters_away(kafka: str) -> None:
    topic = await new_topic(kafka)
    await written(kafka, [letter(topic, 0, key=b"a", value=b"1"), letter(topic, 1, key=None, value=b"2")])
    async with Emitter(kafka) as emitter:
        assert await replay(emitter, await listed(kafka, DeadLetterFilter(topic=topic))) == (2, [])
        assert await replay(emitter, await listed(kafka, DeadLetterFilter(topic=topic))) == (0, [])
    assert {(record.key, record.value) for record in await records_of(kafka, topic)} == {(b"a", b"1"), (None, b"2")}


async def test_conflicts_and_cut_letters_are_left(kafka: str) -> None:
    topic = await new_topic(kafka)
    conflict = letter(topic, 0, "conflict")
    cut = letter(topic, 1, value=b"x" * (MAX_KEPT_BYTES + 1))
    await written(kafka, [conflict, cut])
    async with Emitter(kafka) as emitter:
        assert await replay(emitter, [conflict, cut]) == (0, [conflict, cut])
    assert await listed(kafka, DeadLetterFilter(topic=topic)) == [conflict, cut], "no tombstone took one away"


async def test_letters_of_people_who_were_forgotten_since_are_taken_away(own_kafka: str) -> None:
    ada, bob = (str(uuid.uuid4()) for _ in "ab")
    said = [b'{"account_id": "%s"}' % account.encode() for account in (ada, bob)]
    gone, by_value, later, other = (
        letter(PROFILES, 0, key=ada.encode(), value=said[0]),
        letter(PROFILES, 1, key=b"another key", value=said[0]),
        letter(PROFILES, 2, key=ada.encode(), value=said[0], timestamp_ms=4_000_000_000_000),
        letter(PROFILES, 3, key=bob.encode(), value=said[1]),
    )
    await written(own_kafka, [gone, by_value, later, other])  # makes Tally's topics, of four partitions
    async with Emitter(own_kafka) as emitter:
        await emitter.forget(ada)
        await emitter.flush()
        assert {record.key for record in await records_of(own_kafka, PROFILES)} == {ada.encode()}
        partitions = {record.partition for record in await records_of(own_kafka, PROFILES)}
        assert len(partitions) == 4, "a key that moved has a past in another partition"
        tombstones = await forgettings(own_kafka)
        assert await take_forgotten_away(emitter, [gone, by_value, later, other], tombstones) == [later, other]
    assert await listed(own_kafka, DeadLetterFilter(topic=PROFILES)) == [later, other]


async def test_no_dead_letter_topic_is_no_letters(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    broker = await asyncio.to_thread(start_kafka, tmp_path_factory.mktemp("empty"))
    try:
        assert await listed(broker.child.url, DeadLetterFilter()) == []
    finally:
        broker.stop()


async def test_writing_waits_for_a_kafka_that_is_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    port = free_port()
    async with DeadLetterWriter(f"127.0.0.1:{port}") as writer:
        writing = asyncio.create_task(writer.write([letter("t")]))
        await asyncio.sleep(1)
        assert not writing.done(), "it gave up, and the letter would be lost"
        broker = await asyncio.to_thread(start_kafka, tmp_path_factory.mktemp("away"), port)
        try:
            await ensure_topics(broker.child.url, topic_specs(1))
            await asyncio.wait_for(writing, 240)
            assert await listed(broker.child.url, DeadLetterFilter()) == [letter("t")]
        finally:
            broker.stop()


async def test_nothing_to_write_needs_no_kafka() -> None:
    async with DeadLetterWriter(f"127.0.0.1:{free_port()}") as writer:
        await writer.write([])
