"""Kafka and ClickHouse killed outright: what they confirmed is there when they are back."""

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

import clickhouse_connect
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from deploy.embedded.kafka_jars import JARS, default_cache, fetch_kafka
from tests.support.stack import start_clickhouse, start_kafka

pytestmark = pytest.mark.slow


def connect(url: str, password: str = "") -> Client:
    address = urlparse(url)
    return clickhouse_connect.get_client(
        host=address.hostname, port=address.port, password=password, autogenerate_session_id=False
    )


def test_clickhouse_keeps_what_it_confirmed_before_kill_9(tmp_path: Path) -> None:
    server = start_clickhouse(tmp_path)
    try:
        client = connect(server.child.url)
        client.command("CREATE DATABASE d")
        client.command(
            "CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n "
            "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
        )
        for round_ in range(3):
            for n in range(5):
                client.insert("d.t", [(round_ * 5 + n,)])
            server.kill()
            server = start_clickhouse(tmp_path, port=urlparse(server.child.url).port or 0)
            client = connect(server.child.url)
            rows = client.query("SELECT n FROM d.t ORDER BY n").result_columns[0]
            assert list(rows) == list(range(round_ * 5 + 5))
    finally:
        server.stop()


def test_an_insert_that_fails_at_its_end_is_not_confirmed(clickhouse: str) -> None:
    client = connect(clickhouse)
    client.command("CREATE DATABASE IF NOT EXISTS ending")
    client.database = "ending"
    client.command("CREATE OR REPLACE TABLE ends (n UInt64) ENGINE = MergeTree ORDER BY n PARTITION BY n")
    one = {"max_partitions_per_insert_block": 1}
    with pytest.raises(DatabaseError, match="TOO_MANY_PARTS"):
        client.raw_insert("ends", ["n"], b"[1]\n[2]\n", fmt="JSONCompactEachRow", settings=one)
    assert client.query("SELECT count() FROM ends").result_rows == [(0,)]


def test_clickhouse_ends_cleanly_under_load_and_is_there_once(tmp_path: Path) -> None:
    server = start_clickhouse(tmp_path)
    try:
        second = subprocess.run(
            [sys.executable, "-m", "deploy.embedded.clickhouse_server", "--path", str(tmp_path), "--port", "0"],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert second.returncode == 1
        assert second.stderr == (
            f"{tmp_path} is in use by another ClickHouse server (pid {server.pid}): stop it first\n"
        )
        client = connect(server.child.url)
        client.command("SELECT 1")
    finally:
        assert server.stop() == 0


def test_clickhouse_asks_for_the_password(tmp_path: Path) -> None:
    server = start_clickhouse(tmp_path, password="right ü")
    try:
        assert connect(server.child.url, "right ü").command("SELECT 1") == 1
        for wrong in ("", "wrong", "right"):
            with pytest.raises(DatabaseError) as caught:
                connect(server.child.url, wrong)
            assert (caught.value.code, caught.value.name) == (516, "AUTHENTICATION_FAILED")
    finally:
        server.stop()


def test_kafka_keeps_what_it_acknowledged_before_kill_9(tmp_path: Path) -> None:
    broker = start_kafka(tmp_path)
    try:
        address = broker.child.url
        asyncio.run(_create(address, "t", partitions=2))
        sent = asyncio.run(_send(address, "t", 500))
        broker.kill()
        broker = start_kafka(tmp_path, port=int(address.rpartition(":")[2]))
        assert asyncio.run(_read(address, "t")) == sent
        again = asyncio.run(_send(address, "t", 10))  # and it takes more
        assert broker.stop() == 143  # the JVM's code for an orderly end at SIGTERM
        broker = start_kafka(tmp_path)  # on another port, which its own data must not mind
        assert asyncio.run(_read(broker.child.url, "t")) == sorted(sent + again)
    finally:
        broker.stop()


async def _create(address: str, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(topic, partitions, 1)])
    await admin.close()


async def _send(address: str, topic: str, count: int) -> list[tuple[int, int, bytes]]:
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True)
    await producer.start()
    futures = [await producer.send(topic, b"%d" % n, partition=n % 2) for n in range(count)]
    done = [await future for future in futures]
    await producer.stop()
    return sorted((each.partition, each.offset, b"%d" % n) for n, each in enumerate(done))


async def _read(address: str, topic: str) -> list[tuple[int, int, bytes]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in (0, 1)]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    records: list[tuple[int, int, bytes]] = []
    while len(records) < sum(ends.values()):
        for batch in (await consumer.getmany(timeout_ms=1000)).values():
            records += [(record.partition, record.offset, record.value) for record in batch]
    await consumer.stop()
    return sorted(records)


async def test_kafka_makes_no_topic_by_itself(kafka: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, request_timeout_ms=2000)
    await producer.start()
    with pytest.raises(UnknownTopicOrPartitionError):
        await producer.partitions_for("misspelt")
    await producer.stop()


def test_a_second_fetch_needs_no_network(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.create_connection", None)
    assert len(fetch_kafka(default_cache())) == len(JARS)
