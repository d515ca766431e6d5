"""The real Kafka and the real ClickHouse engine for tests: one of each for the whole run.

`pytest_plugins = ["tests.support.stack"]` brings the fixtures. They start when the first test asks for them.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.embedded.child import Child, PortLost, RunningChild, start
from deploy.embedded.clickhouse import clickhouse_child
from deploy.embedded.kafka import kafka_child
from deploy.embedded.ports import free_port


def start_kafka(data: Path, port: int = 0, password: str = "") -> RunningChild:
    """Start a broker over `data`; its address is `.child.url`. The caller stops it."""
    return started(lambda number: kafka_child(data, number, heap_mb=384, password=password), data, port)


def start_clickhouse(data: Path, port: int = 0, password: str = "") -> RunningChild:
    """Start a ClickHouse server over `data`; its address is `.child.url`. The caller stops it."""
    return started(lambda number: clickhouse_child(data, number, password=password, memory=2 << 30), data, port)


def started(child: Callable[[int], Child], data: Path, port: int) -> RunningChild:
    """Start the child on `port`, or on a free one that no other process takes before it listens.

    However slow the machine is, within minutes: no test is of how long a server takes.
    """
    while True:
        try:
            return start(replace(child(port or free_port()), start_timeout=240), data / "output.log")
        except PortLost:
            if port:
                raise


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
