"""ClickHouse or Kafka away: 503 with retry-after and never a hang; the process stays up and answers again."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError

from api.context import SourcesUnknown
from deploy.api import LogSources
from deploy.embedded.ports import free_port
from deploy.settings import Settings
from deploy.up import environment_of
from simulation import Plan
from sinks.client import connect
from sinks.store import Store
from tests.support.api_server import PREFIX, Served, context_of, make_keys, serve
from tests.support.processes import start as start_process
from tests.support.simulated_world import NOW, UNTIL, World, make_world
from tests.support.stack import start_clickhouse

pytestmark = pytest.mark.slow

PATH = f"{PREFIX}/users"
PLAN = Plan(until=UNTIL, seed=4, organizations=1, users=4, days=3)


def unavailable(response: httpx.Response) -> str:
    """The message of a 503 that says when to come back."""
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["error"]["type"] == "api_error"
    return str(response.json()["error"]["message"])


def test_clickhouse_goes_away_and_comes_back(tmp_path: Path) -> None:
    server = start_clickhouse(tmp_path)
    try:
        world = make_world(server.child.url, "tally", PLAN)
        key = make_keys(world)[world.organizations[0]]
        with serve(context_of(world)) as served:
            assert served.get(PATH, key, date="2026-11-18").status_code == 200
            server.kill()
            assert "cannot be reached" in unavailable(served.get(PATH, key, date="2026-11-18"))
            assert served.get("/health").status_code == 503
            assert served.get("/alive").status_code == 200
            server = start_clickhouse(tmp_path, int(server.child.url.rpartition(":")[2]))
            assert served.get(PATH, key, date="2026-11-18").status_code == 200
            assert served.get("/health").json()["healthy"]
    finally:
        server.stop()


def test_it_starts_without_clickhouse() -> None:
    nowhere = World(f"http://127.0.0.1:{free_port()}", "tally", [], {})
    with serve(context_of(nowhere)) as served:
        assert unavailable(served.get(PATH, f"tally_{'0' * 12}_{'a' * 43}", date="2026-11-18"))
        assert served.get("/alive").text == "ok"
        assert served.get("/health").json()["problems"]


def test_a_clickhouse_that_never_answers_is_given_up(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        context = context_of(world, deadline_seconds=1.0)
        context.connect = lambda: connect(url, timeout=4)
        with serve(context) as served:
            assert "within 1 s" in unavailable(served.get(PATH, f"tally_{'0' * 12}_{'a' * 43}", date="2026-11-18"))
            assert served.get("/alive").status_code == 200


def test_a_database_without_tables_is_no_bug(clickhouse: str, world: World) -> None:
    with serve(context_of(World(clickhouse, f"none_{uuid4().hex}", [], {}))) as served:
        unavailable(served.get(PATH, f"tally_{'0' * 12}_{'a' * 43}", date="2026-11-18"))


def test_unknown_reach_is_503_not_zeros(world: World, organization: str, served: Served) -> None:
    key = served.keys[organization]

    def unknown(_: object) -> set[str]:
        raise SourcesUnknown("Kafka has not reported its partitions yet")

    for sources in (lambda _: {*world.sources, "tally.chat/1@0"}, unknown):
        context = context_of(world)
        context.sources = sources
        with serve(context) as serving:
            unavailable(serving.get(PATH, key, date="2026-11-18"))


def test_a_failure_that_nobody_foresaw_is_500_and_logged(
    world: World, organization: str, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    context = context_of(world)

    def broken(_: object) -> set[str]:
        raise ZeroDivisionError("inner detail")

    context.sources = broken
    with serve(context) as serving, caplog.at_level(logging.ERROR):
        response = serving.get(PATH, served.keys[organization], date="2026-11-18")
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "api_error"
    assert "inner detail" not in response.text
    assert response.headers["request-id"] in caplog.text
    assert "inner detail" in caplog.text


class Kafka:
    """What a LogSources asks; away while `answer` is None."""

    def __init__(self) -> None:
        self.answer: set[str] | None = None
        self.asked = 0

    def __call__(self, _: dict[str, int]) -> set[str]:
        self.asked += 1
        if self.answer is None:
            raise KafkaConnectionError("away")
        return self.answer


def test_what_kafka_last_said_holds_while_it_is_away(world: World) -> None:
    client, kafka, now = world.client(), Kafka(), [0.0]
    sources = LogSources(kafka, lambda: now[0])
    with pytest.raises(SourcesUnknown):
        sources(client)
    kafka.answer, now[0] = {"tally.chat/0@0"}, 2.0
    assert sources(client) == {"tally.chat/0@0"}
    kafka.answer, now[0] = None, 100.0
    assert sources(client) == {"tally.chat/0@0"}
    deadline = time.monotonic() + 5
    while kafka.asked < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert kafka.asked == 3, "it is asked again, beside the request"
    assert sources(client) == {"tally.chat/0@0"}
    client.close()


def test_a_new_epoch_is_asked_for_at_once(clickhouse: str) -> None:
    world = make_world(clickhouse, f"epochs_{uuid4().hex}", PLAN)
    client, kafka = world.client(), Kafka()
    kafka.answer = {"tally.chat/0@0"}
    sources = LogSources(kafka)
    assert sources(client) == {"tally.chat/0@0"}
    Store(client).write_epoch("tally.chat", 1, "continue", NOW)
    kafka.answer = {"tally.chat/0@1"}
    assert sources(client) == {"tally.chat/0@1"}
    client.close()


@pytest.fixture
def api_process(clickhouse: str) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts `tally api` over the session's ClickHouse, without a Kafka."""
    started: list[subprocess.Popen[str]] = []

    def start(**settings: Any) -> "subprocess.Popen[str]":
        given = Settings(clickhouse_url=clickhouse, kafka_bootstrap="127.0.0.1:1", **settings)
        command = [sys.executable, "-m", "cli", "api"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = start_process(command, env={**os.environ, **environment_of(given)}, text=True, **pipes)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def answers(url: str, seconds: float = 20.0) -> httpx.Response:
    """What the address answers, once it does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return httpx.get(url, timeout=25)
        except httpx.TransportError:
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.1)


def test_the_process_starts_says_what_is_away_and_ends_on_sigterm(
    api_process: Callable[..., "subprocess.Popen[str]"], world: World
) -> None:
    port = free_port()
    process = api_process(api_port=port, clickhouse_database=world.database)
    assert answers(f"http://127.0.0.1:{port}/alive").text == "ok"
    health = answers(f"http://127.0.0.1:{port}/health")
    assert health.status_code == 503
    assert "Kafka" in health.json()["problems"][0]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    again = api_process(api_port=port)
    answers(f"http://127.0.0.1:{port}/alive")
    taken = api_process(api_port=port)
    assert taken.wait(20) == 7
    assert "A port is taken" in taken.communicate()[0]
    again.send_signal(signal.SIGINT)
    assert again.wait(10) == 0
