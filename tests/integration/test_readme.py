"""The examples of the README do what they say."""

import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import Any
from uuid import uuid4

import pytest

from streams.topics import ensure_topics, topic_specs

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    """The README's code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


async def test_the_emitter_example_emits(kafka: str) -> None:
    await ensure_topics(kafka, topic_specs())
    (example,) = blocks("python")
    imports, _, body = example.partition("\n\n")
    ids = {name: str(uuid4()) for name in ("organization_id", "account_id", "conversation_id")}
    scope: dict[str, Any] = {"uuid4": uuid4, "datetime": datetime, "UTC": UTC, **ids}
    exec(f"{imports}\nasync def example():\n{indent(body, '    ')}".replace("127.0.0.1:9092", kafka), scope)
    await scope["example"]()


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{path.name}" for path in README.parent.glob("docs/*.md"))])
def test_links_lead_somewhere(document: str) -> None:
    path = README.parent / document
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{document} links to {target}, which is not there"
