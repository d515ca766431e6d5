"""What the tests of bad days share: events to count, what the views count, a worker's health, and Kafka's topics."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

from deploy.connections import report_client
from deploy.settings import Settings
from deploy.up import environment_of
from intake.ndjson import ProducerRecord
from streams.topics import ensure_topics, topic_specs
from tests.support.processes import start as start_process

Event = dict[str, Any]

EVENTS: dict[str, Callable[[], Event]] = {
    "tally.token": lambda: {
        "type": "token.used",
        "request_id": "r",
        "model": "claude-sonnet-4-5",
        "funding": "usage_based",
        "output_tokens": 1,
    },
    "tally.chat": lambda: {"type": "chat.message", "conversation_id": str(uuid4())},
    "tally.project": lambda: {"type": "project.created", "project_id": str(uuid4())},
    "tally.artifact": lambda: {
        "type": "artifact.created",
        "artifact_id": str(uuid4()),
        "artifact_type": "other",
    },
    "tally.connector": lambda: {"type": "skill.used", "name": "docx"},
    "tally.session": lambda: {
        "type": "session.activity",
        "product": "cowork",
        "session_id": str(uuid4()),
        "tool_uses": 1,
    },
}

COUNTS = {
    "tally.token": "SELECT sum(requests) FROM spend WHERE organization_id = {id:UUID}",
    "tally.chat": "SELECT sum(messages) FROM activity WHERE organization_id = {id:UUID}",
    "tally.project": "SELECT sum(projects_created) FROM activity WHERE organization_id = {id:UUID}",
    "tally.artifact": "SELECT sum(artifacts_created) FROM activity WHERE organization_id = {id:UUID}",
    "tally.connector": "SELECT sum(skill_uses) FROM activity WHERE organization_id = {id:UUID}",
    "tally.session": "SELECT sum(tool_uses) FROM activity WHERE organization_id = {id:UUID}",
}
"""What the views say was counted of a topic; each event counts one."""


def lines(topic: str, organization: str, number: int, keys: int = 8) -> Iterator[ProducerRecord]:
    """Valid events of a topic, by `keys` people of the organization in turn."""
    for each in range(number):
        person = f"00000000-0000-4000-8000-{each % keys:012x}"
        now = datetime.now(UTC).isoformat()
        envelope = {"event_id": str(uuid4()), "occurred_at": now, "organization_id": organization, "product": "chat"}
        event = {**envelope, **EVENTS[topic](), "actor": {"type": "user", "id": person}}
        yield ProducerRecord(topic, person.encode(), json.dumps(event).encode(), now)


def query(settings: Settings, sql: str, **parameters: Any) -> list[Any]:
    """The rows of an answer."""
    client = report_client(settings)
    try:
        return list(client.query(sql, parameters=parameters).result_rows)
    finally:
        client.close()


def counted(settings: Settings, topic: str, organization: str) -> int:
    """How many of the organization's events of a topic the views count."""
    return int(query(settings, COUNTS[topic], id=organization)[0][0])


def eventually(condition: Callable[[], Any], seconds: float = 120.0, told: Callable[[], Any] = lambda: "") -> Any:
    """What `condition` gives once it is true; fails after `seconds`, with what `told` says."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {told()}"
        time.sleep(0.2)
    return found


def health(port: int, timeout: float = 8.0) -> tuple[int, str]:
    """The status of a worker's health and its problems as text; 0 while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=timeout) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def tally(settings: Settings, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """A command as a process of its own, with these settings."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env={**os.environ, **environment_of(settings), **options.pop("env", {})},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        stdin=subprocess.DEVNULL,
        **options,
    )


def recreate(settings: Settings, topic: str) -> None:
    """Delete the topic, and make it again."""
    _administer(settings, lambda admin: admin.delete_topics([topic]))
    specs = [spec for spec in topic_specs(settings.partitions) if spec.name == topic]
    eventually(lambda: asyncio.run(ensure_topics(settings.kafka_bootstrap, specs)).created)


def remove_before(settings: Settings, topic: str, partition: int, offset: int) -> None:
    """What retention does: the partition's log begins at `offset` from now on."""
    wanted = {TopicPartition(topic, partition): RecordsToDelete(before_offset=offset)}
    _administer(settings, lambda admin: admin.delete_records(wanted))


def add_partitions(settings: Settings, topic: str, total: int) -> None:
    """Give the topic more partitions."""
    _administer(settings, lambda admin: admin.create_partitions({topic: NewPartitions(total)}))


def _administer(settings: Settings, work: Callable[[Any], Awaitable[Any]]) -> None:
    async def run() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
        await admin.start()
        try:
            await work(admin)
        finally:
            await admin.close()

    asyncio.run(run())


def start_up(settings: Settings) -> "subprocess.Popen[bytes]":
    """`tally up` as a process, its output in `up.log` of its data folder."""
    log = (settings.data_dir / "up.log").open("wb")
    command = [sys.executable, "-m", "cli", "up"]
    return start_process(command, env={**os.environ, **environment_of(settings)}, stdout=log, stderr=subprocess.STDOUT)
