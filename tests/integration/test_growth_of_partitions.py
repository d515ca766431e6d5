"""Partitions are added, and keys move: what was said on the old partition and on the new one, on a real Kafka."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.connections import open_store
from deploy.settings import Settings
from intake.ndjson import ProducerRecord
from tally_client.emitter import Emitter
from tally_client.events import CHAT, DIRECTORY, PROFILES
from tests.support.directory_log import ACME, ADA, ELEVEN, GROUP, profile, says
from tests.support.fold_records import to_json, uuid
from tests.support.incidents import add_partitions, counted, eventually, lines, query
from tests.support.pipeline import assert_equal, pipeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Record = tuple[str, int, str, bytes | None]


def put(settings: Settings, *records: Record) -> None:
    """Each (topic, partition, key, value) is in the log before the next is sent."""

    async def send() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, **settings.client_options())
        await producer.start()
        try:
            for topic, partition, key, value in records:
                await producer.send_and_wait(topic, value, key=key.encode(), partition=partition)
        finally:
            await producer.stop()

    asyncio.run(send())


def test_a_key_that_moved_is_told_anew_forgotten_and_ordered(tmp_path: Path) -> None:
    with pipeline(tmp_path) as running:
        others = [
            (PROFILES, 0, uuid(number), to_json(profile("x@a.example", account=uuid(number)))) for number in range(1, 9)
        ]
        old, new = profile("old@a.example"), profile("new@a.example", ELEVEN)
        saved, deleted = says("group.saved", group_id=GROUP, name="Ops"), says("group.deleted", group_id=GROUP)
        put(running.settings, *others, (PROFILES, 0, ADA, to_json(old)))
        put(running.settings, *((DIRECTORY, 0, ACME, to_json(says("seat.assigned", account_id=ADA))) for _ in range(9)))
        put(running.settings, (DIRECTORY, 0, ACME, to_json(saved)))
        running.start_worker()
        running.wait()
        for topic in (PROFILES, DIRECTORY):
            add_partitions(running.settings, topic, 4)
        put(running.settings, (PROFILES, 2, ADA, to_json(new)), (PROFILES, 2, ADA, to_json(old)))
        put(running.settings, (DIRECTORY, 2, ACME, to_json(deleted)), (DIRECTORY, 2, ACME, to_json(saved)))
        client = open_store(running.settings).client

        def emails() -> list[str]:
            query = "SELECT email FROM people WHERE account_id = {account:UUID}"
            return [row[0] for row in client.query(query, parameters={"account": ADA}).result_rows]

        eventually(lambda: emails() == ["new@a.example"], told=emails)
        names = "SELECT name FROM group_names"
        eventually(lambda: client.query(names).result_rows == [("",)], told=lambda: client.query(names).result_rows)
        running.emit([ProducerRecord(PROFILES, ADA.encode(), None, "")])
        eventually(lambda: emails() == [""], told=emails)
        put(running.settings, (PROFILES, 0, ADA, to_json(old)), (PROFILES, 3, ADA, to_json(new)))
        running.wait()
        assert emails() == [""]
        assert_equal(running)


def test_an_emitter_that_runs_goes_on_and_forgets_on_the_partitions_that_were_added(tmp_path: Path) -> None:
    with pipeline(tmp_path) as running:
        settings = running.settings
        people = [uuid(number) for number in range(1, 33)]
        messages = list(lines(CHAT, ACME, 64, keys=32))

        async def emit_before_and_after() -> None:
            async with Emitter(settings.kafka_bootstrap, **settings.client_options()) as emitter:
                await emitter.emit_raw(PROFILES, ADA.encode(), to_json(profile("old@a.example")))
                await emitter.flush()
                for topic in (PROFILES, CHAT):
                    await asyncio.to_thread(add_partitions, settings, topic, 4)
                for line in messages:  # the first of their topic, half of them on partitions that were added
                    await emitter.emit_raw(line.topic, line.key, line.value)
                for account in (ADA, *people):
                    await emitter.forget(account)

        asyncio.run(emit_before_and_after())
        running.start_worker()
        running.wait()
        assert counted(settings, CHAT, ACME) == len(messages)
        placed = query(
            settings, "SELECT source, count() FROM profiles FINAL WHERE forgotten GROUP BY source ORDER BY 1"
        )
        assert placed == [(f"{PROFILES}/{number}@0", len(people) + 1) for number in range(4)]
        assert_equal(running)


def test_what_comes_late_of_somebody_forgotten_may_be_merged_away_and_is_told_to_nobody(tmp_path: Path) -> None:
    with pipeline(tmp_path) as running:
        newer, late = profile("newer@a.example", ELEVEN), profile("late@a.example")
        put(running.settings, *((PROFILES, 0, ADA, to_json(said) if said else None) for said in (newer, None, late)))
        running.start_worker()
        running.wait()
        assert query(running.settings, "SELECT toString(account_id), email, forgotten FROM people") == [(ADA, "", 1)]
        assert_equal(running)
