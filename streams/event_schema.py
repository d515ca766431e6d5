"""The event contract as documents, generated from the Structs: JSON Schema, AsyncAPI 3, and the tables of
docs/events.md.

Nothing is written twice: a field that is added to a Struct appears in all three.
"""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from streams.dead_letters import DeadLetter
from streams.topics import TopicSpec, topic_specs
from tally_client.events import (
    DEAD_LETTERS,
    DIRECTORY,
    EVENT_BY_TYPE,
    EVENTS_BY_TOPIC,
    PROFILES,
    TOPIC_BY_TYPE,
    ActivityEvent,
    Attribution,
    Event,
)
from tally_client.events.envelope import CONTROLS, PATTERN_END

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_ASYNC_REF = "#/components/schemas/{name}"
_BINDING = "0.5.0"
_KAFKA_NUMBERS = ("retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes")

Json = dict[str, Any]


def json_schema() -> Json:
    """Return one JSON Schema (2020-12) of all event types; `x-topic` is the topic of each."""
    references, definitions = _components(EVENT_BY_TYPE.values(), "#/$defs/{name}")
    for kind, struct in EVENT_BY_TYPE.items():
        definitions[struct.__name__]["x-topic"] = TOPIC_BY_TYPE[kind]
    return {
        "$schema": JSON_SCHEMA,
        "title": "Tally events",
        "description": "Every event that may be emitted. Unknown fields are ignored.",
        "oneOf": list(references),
        "$defs": definitions,
    }


def asyncapi() -> Json:
    """Return an AsyncAPI 3.0 document: a channel for each topic, a message for each event type."""
    structs: tuple[type[msgspec.Struct], ...] = (*EVENT_BY_TYPE.values(), DeadLetter)
    _, schemas = _components(structs, _ASYNC_REF)
    specs = {spec.name: spec for spec in topic_specs()}
    kinds = {topic: [tag_of(struct) for struct in structs] for topic, structs in EVENTS_BY_TOPIC.items()}
    kinds[DEAD_LETTERS] = ["dead-letter"]
    messages = {kind: _message(kind, struct, TOPIC_BY_TYPE[kind]) for kind, struct in EVENT_BY_TYPE.items()}
    messages["dead-letter"] = _message("dead-letter", DeadLetter, DEAD_LETTERS)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tally events",
            "version": version("tally-analytics"),
            "description": "Events that product services emit and Tally counts.",
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(specs[topic], names) for topic, names in kinds.items()},
        "operations": {_operation(topic): _send(topic, names) for topic, names in kinds.items()},
        "components": {"messages": messages, "schemas": schemas},
    }


def tag_of(struct: type[Event]) -> str:
    """Return the event type of a Struct, as in its `type` field."""
    return str(struct.__struct_config__.tag)


def fields_markdown() -> str:
    """Return the generated part of docs/events.md: topics, event types and their fields."""
    parts = [
        f"### `{topic}`\n\nKey: {key_of(topic)}.\n\n" + "\n".join(_event_markdown(struct) for struct in structs)
        for topic, structs in EVENTS_BY_TOPIC.items()
    ]
    attribution = "### `attribution`\n\n" + _doc(Attribution) + "\n\n" + _table(Attribution, {})
    return "\n".join([*parts, attribution])


def key_of(topic: str) -> str:
    """Describe the Kafka key of a topic's records."""
    if topic == PROFILES:
        return "the account's id; a null value under it forgets the person"
    return "the organization's id" if topic == DIRECTORY else "the actor's id"


def _components(structs: Iterable[type[msgspec.Struct]], ref_template: str) -> tuple[tuple[Json, ...], dict[str, Json]]:
    """Return references to the schemas of the Structs, and all the schemas."""
    references, definitions = msgspec.json.schema_components(structs, ref_template=ref_template)
    return references, {name: _in_its_own_words(schema) for name, schema in definitions.items()}


def _in_its_own_words(schema: Any) -> Any:
    """Return the schema with its patterns in JSON Schema's dialect, where a text ends at `$`.

    Python's `$` also matches before a trailing line break, so a validator in Python would accept one; the line break is
    therefore rejected separately.
    """
    if isinstance(schema, list | tuple):
        return [_in_its_own_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _in_its_own_words(each) for name, each in schema.items()}
    pattern = schema.get("pattern", "")
    if isinstance(pattern, str) and pattern.endswith(PATTERN_END):
        found["pattern"] = pattern.removesuffix(PATTERN_END) + "$"
        found.setdefault("not", {"pattern": r"\n"})
    return found


def _message(name: str, struct: type[msgspec.Struct], topic: str) -> Json:
    key = {"type": "string"} if topic == DEAD_LETTERS else {"type": "string", "format": "uuid"}
    about = "the record's place" if topic == DEAD_LETTERS else key_of(topic)
    return {
        "name": name,
        "summary": _doc(struct),
        "contentType": "application/json",
        "payload": {"$ref": _ASYNC_REF.format(name=struct.__name__)},
        "bindings": {"kafka": {"key": {**key, "description": about}, "bindingVersion": _BINDING}},
    }


def _channel(spec: TopicSpec, names: list[str]) -> Json:
    configuration: Json = {name: int(spec.config[name]) for name in _KAFKA_NUMBERS if name in spec.config}
    configuration["cleanup.policy"] = [spec.config["cleanup.policy"]]
    kafka = {"topic": spec.name, "topicConfiguration": configuration, "bindingVersion": _BINDING}
    return {
        "address": spec.name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": kafka},
    }


def _send(topic: str, names: list[str]) -> Json:
    """Return the operation on a topic: product services send events, the worker sends dead letters."""
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in names],
    }


def _operation(topic: str) -> str:
    return "send." + topic.removeprefix("tally.")


def _event_markdown(struct: type[Event]) -> str:
    return f"#### `{tag_of(struct)}`\n\n{_doc(struct)}\n\n{_table(struct, _envelope())}"


@cache
def _envelope() -> Json:
    """Return the fields that every event has, or every event of an actor."""
    _, definitions = _components([ActivityEvent], "{name}")
    properties: Json = definitions[ActivityEvent.__name__]["properties"]
    return properties


def _table(struct: type[msgspec.Struct], left_out: Json) -> str:
    _, definitions = _components([struct], "{name}")
    definition = definitions[struct.__name__]
    rows = [
        f"| `{name}` | {_type(schema)} | {'yes' if name in definition.get('required', ()) else _default(schema)} |"
        for name, schema in definition["properties"].items()
        if name != "type" and schema != left_out.get(name)
    ]
    if not rows:
        return "No fields besides the envelope.\n"
    return "\n".join(["| field | type | required, or default |", "|---|---|---|", *rows]) + "\n"


def _type(schema: Json) -> str:
    """Return a field's type in words."""
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return f"`{schema['$ref'].lower()}`"
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}, at most {schema['maxItems']}"
    return str(_FORMATS.get(schema.get("format", ""), schema["type"])) + _bounds(schema)


_FORMATS = {"uuid": "UUID", "date-time": "time (RFC 3339, with a time zone)"}


def _bounds(schema: Json) -> str:
    if "format" not in schema and CONTROLS not in schema.get("pattern", CONTROLS):
        return f" matching `{schema['pattern']}`".replace("|", "\\|")
    if "maximum" in schema:
        return f" {schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema and "format" not in schema:
        return f" of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return ""


def _default(schema: Json) -> str:
    return f"`{msgspec.json.encode(schema.get('default')).decode()}`"


def _doc(struct: type[msgspec.Struct]) -> str:
    return " ".join((struct.__doc__ or "").split())
