"""The embedded Kafka asks for its password, at the broker's port and at the controller's."""

import logging
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.embedded.child import RunningChild
from deploy.embedded.kafka import KAFKA_USER
from deploy.embedded.ports import HOST
from deploy.settings import load
from tally_client import Emitter, loopback_login
from tally_client.loopback_login import IN_THE_CLEAR
from tests.support.stack import start_kafka

PASSWORD = "made_up-at-the-first-start"
DESCRIBE_CLUSTER = 60


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChild]:
    """A broker with a password."""
    running = start_kafka(tmp_path_factory.mktemp("login"), password=PASSWORD)
    yield running
    running.stop()


def folder_of(broker: RunningChild) -> Path:
    return Path(broker.child.command[-1]).parent


async def topics(broker: RunningChild, **login: str) -> list[str]:
    """The topics that somebody with this login sees."""
    options = load(flags=login).client_options()
    client = AIOKafkaAdminClient(bootstrap_servers=broker.child.url, request_timeout_ms=3000, **options)
    try:
        await client.start()
        found: list[str] = await client.list_topics()
        return found
    finally:
        await client.close()


def login(password: str) -> dict[str, str]:
    return {
        "kafka_security_protocol": "SASL_PLAINTEXT",
        "kafka_sasl_username": KAFKA_USER,
        "kafka_sasl_password": password,
    }


async def test_who_knows_the_password_is_let_in(broker: RunningChild) -> None:
    assert await topics(broker, **login(PASSWORD)) is not None


async def test_a_service_is_not_warned_of_a_password_that_stays_on_this_machine(
    broker: RunningChild, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "aiokafka")  # a command that ran in this process has silenced it
    async with Emitter(broker.child.url, **load(flags=login(PASSWORD)).client_options()):
        pass
    assert IN_THE_CLEAR not in caplog.messages


async def test_of_any_other_password_in_the_clear_it_is_warned(
    broker: RunningChild, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING, "aiokafka")
    monkeypatch.setattr(loopback_login, "is_loopback", lambda host: host != HOST)
    async with Emitter(broker.child.url, **load(flags=login(PASSWORD)).client_options()):
        pass
    assert IN_THE_CLEAR in caplog.messages


@pytest.mark.parametrize(
    ("host", "stays"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.8.0.1", True), ("::1", True)),
        *(("10.0.0.5", False), ("kafka.example.com", False), ("localhost.example.com", False), ("", False)),
    ],
)
def test_what_stays_on_this_machine(host: str, stays: bool) -> None:
    assert loopback_login.is_loopback(host) == stays


@pytest.mark.parametrize("password", ["wrong", PASSWORD + "x"])
async def test_who_does_not_is_refused(broker: RunningChild, password: str) -> None:
    with pytest.raises(KafkaError):
        await topics(broker, **login(password))


async def test_without_a_login_nothing_is_told(broker: RunningChild) -> None:
    with pytest.raises(KafkaError):
        await topics(broker)


@pytest.mark.parametrize("listener", ["BROKER", "CONTROLLER"])
def test_no_request_is_answered_before_the_login(broker: RunningChild, listener: str) -> None:
    properties = (folder_of(broker) / "server.properties").read_text()
    port = int(properties.split(f"{listener}://{HOST}:")[1].split("\n")[0].split(",")[0])
    request = struct.pack(">hhih", DESCRIBE_CLUSTER, 0, 1, -1) + b"\0" + b"\0" + b"\0"
    with socket.create_connection((HOST, port), timeout=120) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        assert connection.recv(1) == b""


def test_the_password_is_in_no_file_and_no_command_line(broker: RunningChild) -> None:
    assert PASSWORD not in " ".join(broker.child.command)
    files = [path for path in folder_of(broker).rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
