"""The contract's documents are those of the Structs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import tally_client
from cli.main import run
from streams.event_schema import asyncapi, fields_markdown, json_schema, tag_of
from tally_client.events import DEAD_LETTERS, EVENT_BY_TYPE, EVENTS_BY_TOPIC, TOPIC_BY_TYPE

EVENTS_PAGE = Path(__file__).parents[2] / "docs" / "events.md"
BEGIN, END = "<!-- generated: fields -->\n", "<!-- end of generated -->"


def references(document: Any) -> Iterator[str]:
    """Every $ref of a document."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(document, list):
        for each in document:
            yield from references(each)


def resolved(document: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    for part in reference[2:].split("/"):
        document = document[part]
    return document


@pytest.mark.parametrize("document", [json_schema(), asyncapi()], ids=["json-schema", "asyncapi"])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = list(references(document))
    assert len(found) > len(EVENT_BY_TYPE)
    for reference in found:
        assert isinstance(resolved(document, reference), dict)


def test_the_json_schema_has_every_type_with_every_field() -> None:
    schema = json_schema()
    assert len(schema["oneOf"]) == len(EVENT_BY_TYPE)
    for kind, struct in EVENT_BY_TYPE.items():
        definition = schema["$defs"][struct.__name__]
        assert definition["properties"]["type"]["enum"] == [kind]
        assert set(definition["properties"]) == {
            "type",
            *(field.encode_name for field in msgspec.structs.fields(struct)),
        }
        assert {"type", "event_id", "occurred_at", "organization_id"} <= set(definition["required"])
        assert definition["x-topic"] == TOPIC_BY_TYPE[kind]
        assert definition["description"]


def test_every_event_is_at_hand_in_the_client() -> None:
    """`from tally_client import ...`: what is listed there a second time leaves none out."""
    assert [each.__name__ for each in EVENT_BY_TYPE.values() if each.__name__ not in tally_client.__all__] == []
    assert all(getattr(tally_client, each.__name__) is each for each in EVENT_BY_TYPE.values())


def test_the_asyncapi_document_has_every_topic_with_its_messages() -> None:
    document = asyncapi()
    assert document["asyncapi"].startswith("3.")
    assert set(document["channels"]) == {*EVENTS_BY_TOPIC, DEAD_LETTERS}
    for topic, structs in EVENTS_BY_TOPIC.items():
        channel = document["channels"][topic]
        assert channel["address"] == topic
        assert set(channel["messages"]) == {tag_of(struct) for struct in structs}
    sent = {message["$ref"] for operation in document["operations"].values() for message in operation["messages"]}
    assert len(sent) == len(EVENT_BY_TYPE) + 1
    configuration = document["channels"]["tally.profiles"]["bindings"]["kafka"]["topicConfiguration"]
    assert configuration["cleanup.policy"] == ["compact"]


def test_both_are_printed_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, expected in ((["schema"], json_schema()), (["schema", "--asyncapi"], asyncapi())):
        assert run(arguments) == 0
        assert json.loads(capsys.readouterr().out) == json.loads(msgspec.json.encode(expected))


def test_the_events_page_says_what_the_structs_say() -> None:
    """After a change: `python -m tests.unit.test_event_schema` writes the generated part again."""
    page = EVENTS_PAGE.read_text()
    generated = page.partition(BEGIN)[2].partition(END)[0]
    assert generated.strip() == fields_markdown().strip(), "docs/events.md is not of these Structs"


def write_page() -> None:
    """Put the Structs' tables into docs/events.md."""
    page = EVENTS_PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    EVENTS_PAGE.write_text(f"{head}{BEGIN}\n{fields_markdown()}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    write_page()
