"""The examples of the README and of the guide for services do what they say."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import Any
from uuid import uuid4

import pytest

from deploy.embedded.kafka import KAFKA_USER
from deploy.embedded.stack import publish_settings
from deploy.settings import Settings, load, texts_of
from streams.log import KafkaLog
from streams.topics import ensure_topics, topic_specs
from tests.support.code_blocks import code_blocks
from tests.support.stack import start_kafka

README = Path(__file__).parents[2] / "README.md"
PAGES = sorted(page for folder in ("docs", "examples") for page in README.parent.glob(f"{folder}/**/*.md"))
EXAMPLES = [page.read_text() for page in (README, README.parent / "docs" / "guides" / "send-events.md")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the folder of a stack."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".tally").mkdir()
    return tmp_path


async def test_the_emitter_examples_emit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the folder of a stack, whose Kafka asks for a login."""
    broker = await asyncio.to_thread(start_kafka, folder / "kafka", password="generated")
    login = {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_username": KAFKA_USER}
    flags = {"kafka_bootstrap": broker.child.url, "kafka_sasl_password": "generated", **login}
    running = load(flags=flags)
    try:
        await ensure_topics(broker.child.url, topic_specs(), **running.client_options())
        with publish_settings(Path(".tally"), texts_of(running)):
            for page in EXAMPLES:
                await run_example(page)
        assert await records_in(running) == len(EXAMPLES)
        assert capsys.readouterr().out == ""
    finally:
        broker.stop()


async def records_in(settings: Settings) -> int:
    """How many records the topics of events have."""
    async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
        partitions = [(spec.name, number) for spec in topic_specs() for number in range(spec.partitions)]
        return sum(ends.end for ends in (await log.end_offsets(partitions)).values())


async def run_example(page: str) -> None:
    (example,) = code_blocks(page, "python")
    imports, _, body = example.partition("\n\n")
    ids = {name: str(uuid4()) for name in ("organization_id", "account_id", "conversation_id")}
    scope: dict[str, Any] = {"uuid4": uuid4, "datetime": datetime, "UTC": UTC, **ids}
    exec(f"{imports}\nasync def example():\n{indent(body, '    ')}", scope)
    await scope["example"]()


@pytest.mark.parametrize("document", ["README.md", *(str(path.relative_to(README.parent)) for path in PAGES)])
def test_links_lead_somewhere(document: str) -> None:
    path = README.parent / document
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", path.read_text()):
        if "://" not in target:
            page = path.parent / target if target else path
            assert page.exists(), f"{document} links to {target}, which is not there"
            assert not anchor or anchor in anchors(page), f"{document} links to {target}#{anchor}, which is not there"


def anchors(page: Path) -> set[str]:
    """What can be linked in a page: its headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
