"""The real Kafka and the real ClickHouse engine for tests: one of each for the whole run.

`pytest_plugins = ["tests.support.stack"]` brings the fixtures. They start when the first test asks for them.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.embedded.child import Child, RunningChild, start
from deploy.embedded.clickhouse import clickhouse_child
from deploy.embedded.kafka import kafka_child
from deploy.embedded.ports import free_port


def start_kafka(data: Path, port: int = 0, password: str = "") -> RunningChild:
    """Start a broker over `data`; its address is `.child.url`. The caller stops it."""
    return started(kafka_child(data, port or free_port(), heap_mb=384, password=password), data)


def start_clickhouse(data: Path, port: int = 0, password: str = "") -> RunningChild:
    """Start a ClickHouse server over `data`; its address is `.child.url`. The caller stops it."""
    return started(clickhouse_child(data, port or free_port(), password=password, memory=2 << 30), data)


def started(child: Child, data: Path) -> RunningChild:
    """However slow the machine is, within minutes: no test is of how long a server takes."""
    return start(replace(child, start_timeout=240), data / "output.log")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of the test session's Kafka; tests make topics of their own.

    Tally's topics have their usual partitions on it, whichever test makes them first: a test that wants another
    number, or wants to make them itself, takes `own_kafka`.
    """
    broker = start_kafka(tmp_path_factory.mktemp("kafka"))
    yield broker.child.url
    broker.stop()


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a Kafka that no other module writes to: for tests of Tally's own topics as a whole."""
    broker = start_kafka(tmp_path_factory.mktemp("own-kafka"))
    yield broker.child.url
    broker.stop()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the test session's ClickHouse; tests make databases of their own."""
    server = start_clickhouse(tmp_path_factory.mktemp("clickhouse"))
    yield server.child.url
    server.stop()
