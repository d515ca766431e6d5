"""`tally doctor` against a real Kafka and ClickHouse: quiet when all is well, and plain about what is not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from clickhouse_connect.driver.client import Client

from deploy.doctor import Finding, exit_code, run
from deploy.doctor.findings import clock_finding, disk_finding
from deploy.doctor.progress import watermark_finding
from deploy.embedded.ports import free_port
from deploy.settings import Settings
from pricing.price_table import load_prices
from sinks.client import connect, create_database, insert_rows
from sinks.migrations import migrate
from sinks.positions import Position
from sinks.store import Store
from streams.dead_letters import DeadLetter, DeadLetterWriter
from streams.topics import ensure_topics, topic_specs
from tests.support.stack import start_clickhouse, start_kafka
from verify.recount import TOPICS

pytestmark = pytest.mark.slow

PARTITIONS = 2


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Kafka of this module's own, since its topics have Tally's names."""
    running = start_kafka(tmp_path_factory.mktemp("kafka"))
    yield running.child.url
    running.stop()


@pytest.fixture
def settings(broker: str, clickhouse: str, tmp_path: Path) -> Settings:
    """Settings of a database that is not there yet."""
    return Settings(
        kafka_bootstrap=broker,
        clickhouse_url=clickhouse,
        clickhouse_database=f"doctor_{uuid4().hex}",
        partitions=PARTITIONS,
        data_dir=tmp_path,
        consumer_group=f"group_{uuid4().hex}",
    )


def told(findings: list[Finding], level: str) -> list[str]:
    return [f"{each.where}: {each.what}" for each in findings if each.level == level]


def remedies(findings: list[Finding]) -> str:
    return " ".join(each.remedy for each in findings if each.level != "ok")


def found(settings: Settings, level: str) -> list[str]:
    return told(run(settings), level)


def made_ready(settings: Settings, offsets: dict[str, int] | None = None) -> Client:
    """Topics, tables, prices, and a position of every source (0 without another)."""
    asyncio.run(ensure_topics(settings.kafka_bootstrap, topic_specs(PARTITIONS)))
    create_database(settings.clickhouse_url, "default", "", settings.clickhouse_database)
    client = connect(settings.clickhouse_url, database=settings.clickhouse_database)
    migrate(client)
    load_prices(client)
    sources = [f"{topic}/{partition}@0" for topic in TOPICS for partition in range(PARTITIONS)]
    now = datetime.now(UTC) - timedelta(seconds=6)
    Store(client).write_positions([Position(source, (offsets or {}).get(source, 0), now, 1, "") for source in sources])
    return client


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[None]:
    """Something that is a member of the workers' group, as a worker is."""
    consumer = AIOKafkaConsumer(
        "tally.project", bootstrap_servers=settings.kafka_bootstrap, group_id=settings.consumer_group
    )
    await consumer.start()
    try:
        yield
    finally:
        await consumer.stop()


async def send(settings: Settings, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


def test_an_empty_installation_lacks_topics_workers_and_tables(settings: Settings) -> None:
    findings = run(settings)
    problems = told(findings, "problem")
    assert [line for line in problems if line.endswith("the topic does not exist")] == [
        f"{topic}: the topic does not exist" for topic in (*TOPICS, "tally.dead-letters")
    ]
    assert f"{settings.clickhouse_database}: migration 001_cells.sql is not applied" in problems
    assert f"consumer group {settings.consumer_group}: no worker is running" in problems
    assert "`tally topics create`" in remedies(findings)
    assert "`tally migrate`" in remedies(findings)
    assert exit_code(findings) == 1


def test_a_healthy_installation_has_no_finding_but_good_ones(settings: Settings) -> None:
    made_ready(settings)

    async def examined() -> list[Finding]:
        async with worker(settings):
            return await asyncio.to_thread(run, settings)

    findings = asyncio.run(examined())
    assert told(findings, "problem") == told(findings, "warning") == []
    assert exit_code(findings) == 0
    assert all(each.remedy == "" for each in findings)
    assert any(each.where == "Kafka" and "clock" in each.what for each in findings)
    assert f"consumer group {settings.consumer_group}: 1 running (127.0.0.1)" in told(findings, "ok")


def test_what_is_not_counted_and_what_has_no_price_is_told(settings: Settings) -> None:
    client = made_ready(settings)
    asyncio.run(send(settings, "tally.chat", b"{}"))
    row: dict[str, Any] = dict.fromkeys(("product", "context_window", "inference_geo", "speed"), "")
    row |= {"source": "tally.token/0@0", "organization_id": str(uuid4()), "hour": "2026-11-01 10:00:00"}
    row |= {"actor_type": "user", "actor_id": str(uuid4()), "model": "claude-unheard-of", "service_tier": "standard"}
    row |= {"funding": "usage_based", "attribution_id": str(uuid4()), "log_offset": 0, "requests": 1}
    insert_rows(client, "spend_cells", list(row), [list(row.values())])
    warnings = found(settings, "warning")
    assert "prices: usage without a price: claude-unheard-of, standard" in warnings
    assert "tally.chat: 1 offset is not in the tables yet" in warnings


def test_a_dead_letter_is_told_with_its_reason(settings: Settings) -> None:
    made_ready(settings)
    place: dict[str, Any] = {"topic": "tally.chat", "partition": 0, "offset": 7, "epoch": 0}
    now = int(datetime.now(UTC).timestamp() * 1000)

    async def write() -> None:
        async with DeadLetterWriter(settings.kafka_bootstrap) as writer:
            old = now - 2 * 86_400_000
            plain = DeadLetter.from_record(None, b"x", **place, reason="schema", detail="", timestamp_ms=now)
            await writer.write(
                [
                    plain,
                    DeadLetter.from_record(
                        None, b"y", **place | {"offset": 1}, reason="old", detail="", timestamp_ms=old
                    ),
                ]
            )

    asyncio.run(write())
    assert [line for line in found(settings, "warning") if "dead letter" in line] == [
        "tally.dead-letters: 1 dead letter in the last day: schema"
    ]


def test_a_position_beyond_the_log_is_a_problem_with_a_command(settings: Settings) -> None:
    made_ready(settings, {"tally.session/1@0": 500})
    findings = run(settings)
    (line,) = [line for line in told(findings, "problem") if line.startswith("tally.session/1: ")]
    assert "its position is offset 500, but its log ends at 0" in line
    assert "`tally epoch tally.session`" in remedies(findings)


def test_a_changed_migration_and_a_newer_one_are_problems(settings: Settings) -> None:
    client = made_ready(settings)
    insert_rows(client, "migrations", ["number", "name", "sha256"], [[1, "cells", "0" * 64], [999, "new", "1"]])
    problems = found(settings, "problem")
    assert (
        f"{settings.clickhouse_database}: the text of migration 001_cells.sql has changed since it was applied"
        in problems
    )
    assert f"{settings.clickhouse_database}: the database has migrations of a newer release" in problems


def test_a_view_of_another_release_is_a_problem(settings: Settings) -> None:
    client = made_ready(settings)
    insert_rows(client, "applied_views", ["name", "sha256"], [["spend", "0" * 64]])
    assert f"{settings.clickhouse_database}: 1 view is not as in this release: spend" in found(settings, "problem")


def test_a_topic_with_other_settings_is_a_warning(settings: Settings) -> None:
    made_ready(settings)
    other = settings.model_copy(update={"partitions": 8})
    assert "tally.chat: tally.chat has partitions=2, but the setting is 8" in found(other, "warning")


def test_kafka_and_clickhouse_away_are_findings_and_not_errors(settings: Settings) -> None:
    port = free_port()
    away = settings.model_copy(
        update={"kafka_bootstrap": f"127.0.0.1:{port}", "clickhouse_url": f"http://127.0.0.1:{port}"}
    )
    findings = run(away)
    assert [each.where for each in findings if each.level == "problem"] == [away.kafka_bootstrap, away.clickhouse_url]
    assert "tally up" in remedies(findings)


def test_a_wrong_password_is_told(settings: Settings, tmp_path: Path) -> None:
    server = start_clickhouse(tmp_path / "locked", password="right")
    try:
        findings = run(settings.model_copy(update={"clickhouse_url": server.child.url}))
    finally:
        server.stop()
    assert "clickhouse_password" in remedies([each for each in findings if each.where == server.child.url])


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (lambda: clock_finding("x", 0.2), "ok"),
        (lambda: clock_finding("x", -2.0), "warning"),
        (lambda: clock_finding("x", 5.1), "problem"),
        (lambda: disk_finding("x", 50 << 30, 100 << 30), "ok"),
        (lambda: disk_finding("x", 5 << 30, 100 << 30), "warning"),
        (lambda: disk_finding("x", 1 << 20, 100 << 30), "problem"),
        (lambda: watermark_after(6), "ok"),
        (lambda: watermark_after(90), "warning"),
        (lambda: watermark_after(3600), "problem"),
        (lambda: watermark_finding(datetime.now(UTC), [None]), "warning"),
    ],
)
def test_how_bad_something_is(finding: Callable[[], Finding], level: str) -> None:
    assert finding().level == level


def watermark_after(seconds: float) -> Finding:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return watermark_finding(now, [now, now - timedelta(seconds=seconds)])
