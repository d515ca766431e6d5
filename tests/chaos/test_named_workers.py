"""A worker that is started under the name of one that was killed takes its place at once, and nobody else's."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from intake.ndjson import ProducerRecord
from simulation import Plan, simulate
from streams.consumer_group import group_members, remove_members
from tests.chaos.faults import BEYOND_SESSION
from tests.chaos.testbed import HORIZON
from tests.support.incidents import eventually
from tests.support.pipeline import Pipeline, assert_exact, pipeline

pytestmark = pytest.mark.timeout(900)

PLAN = Plan(until=date(2026, 11, 20), seed=5, users=120, days=10, duplicates=0.03, late=0.02, poison=0.01)
PART = 3_000


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline without a worker; Kafka keeps the place of one that is killed or frozen."""
    with pipeline(tmp_path, **HORIZON) as started:
        started.command = "tests.support.patient_worker"
        yield started


@pytest.fixture
def life() -> Iterator[ProducerRecord]:
    """Lines to emit, with repeats, late events and poison."""
    return simulate(PLAN)


def started(running: Pipeline, name: str) -> "subprocess.Popen[bytes]":
    """A worker under this name, when it has partitions."""
    worker = running.start_worker(worker_name=name)
    running.wait_until_reading(worker)
    return worker


def members(running: Pipeline) -> dict[str, str]:
    """Names by member id, as Kafka has them."""

    async def ask() -> dict[str, str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=running.settings.kafka_bootstrap)
        await admin.start()
        try:
            found = await group_members(admin, running.settings.consumer_group)
            return {member["member_id"]: member["client_id"] for member in found}
        finally:
            await admin.close()

    return asyncio.run(ask())


def take(running: Pipeline, name: str) -> int:
    return asyncio.run(remove_members(running.settings.kafka_bootstrap, running.settings.consumer_group, name))


def test_a_killed_worker_is_succeeded_by_the_one_of_its_name(running: Pipeline, life: Iterator[ProducerRecord]) -> None:
    one, _ = started(running, "one"), started(running, "two")
    running.emit(islice(life, PART))
    one.kill()
    running.emit(islice(life, PART))
    started(running, "one")
    assert sorted(members(running).values()) == ["one", "two"]
    assert "one replaces 1 previous member" in (running.folder / "worker-2.log").read_text()
    running.wait()
    assert_exact(running)


def test_only_members_of_that_name_are_taken_out(running: Pipeline) -> None:
    assert take(running, "one") == 0, "there is no group yet"
    started(running, "one").send_signal(SIGSTOP)  # so that it does not join again at once
    before = members(running)
    assert list(before.values()) == ["one"]
    assert take(running, "on") == 0
    assert members(running) == before
    assert take(running, "one") == 1
    assert members(running) == {}
    assert take(running, "one") == 0


def test_who_is_alive_nevertheless_joins_again(running: Pipeline, life: Iterator[ProducerRecord]) -> None:
    """Two workers by one name, by mistake: nothing is counted twice or left out."""
    started(running, "one")
    running.emit(islice(life, PART))
    started(running, "one")
    running.emit(islice(life, PART))
    eventually(lambda: list(members(running).values()) == ["one", "one"])
    running.emit(islice(life, PART))
    running.wait()
    assert_exact(running)


def test_a_worker_that_wakes_up_when_its_place_is_taken(running: Pipeline, life: Iterator[ProducerRecord]) -> None:
    frozen = started(running, "one")
    running.emit(islice(life, PART))
    frozen.send_signal(SIGSTOP)
    running.emit(islice(life, PART))
    started(running, "one")
    running.emit(islice(life, PART))
    running.wait()
    frozen.send_signal(SIGCONT)
    time.sleep(BEYOND_SESSION)
    running.emit(islice(life, PART))
    running.wait()
    assert_exact(running)
