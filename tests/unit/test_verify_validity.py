"""The second reading of the contract decides like the first: same bytes, same verdict, for every event type."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tally_client import validity
from tally_client.events import EVENTS_BY_TOPIC, TOPIC_BY_TYPE
from tally_client.validity import read
from tests.support.fold_records import LOG_MS, LOG_TIME
from tests.support.odd_records import sample_of
from verify.events import SCHEMAS
from verify.recount import normal
from verify.timestamps import FIRST, LAST, parse_moment
from verify.validity import Invalid, check_record

UUID = "01234567-89ab-cdef-0123-456789abcdef"

SAMPLES = [(topic, kind, sample_of(kind)) for kind, topic in TOPIC_BY_TYPE.items()]
"""(topic, type, a valid event with every field) of every event type."""

FRAGMENTS = [
    *("null", "true", "false", "0", "-0", "1", "1.0", "1e2", "-1", "1000000000", "1000000001", "1e400", "NaN"),
    *("9" * 30, "9" * 5000, "Infinity", "01", "1.", "[]", "{}", "[1,]", '""', '"x"', '["one"]', '{"a":1,"a":2}'),
    *('"0"', '"1.0"', '"1.000001"', '"0.1234567"', '"0.15\\n"', '"a@b"', '"a@b\\n"', '"a b@c"', '"' + "a" * 64 + '"'),
    *(
        f'"{UUID}"',
        f'"{UUID.upper()}"',
        f'"{UUID}0"',
        '"' + "é" * 36 + '"',
        '"\\ud83d\\ude00"',
        '"\\ud800"',
        '"\\udc00"',
    ),
    *('"\\ud800\\u0041"', '"\\\\ud800"', '"\\u0000"', '"\t"', '"\x7f"', '"' + "x" * 128 + '"', '"' + "x" * 129 + '"'),
    *('"' + "x" * 64 + '"', '"' + "x" * 65 + '"', '"' + "x" * 512 + '"', '"' + "x" * 513 + '"', '"\\ud83d'),
    *('"user"', '"us\\u0065r"', '"chat"', '"web"', '"extra_usage"', '{"type":"user"}', '{"id":1,"type":"user"}'),
    f'{{"type":"user","id":"{UUID}"}}',
    f'{{"type":"robot","type":"user","id":"{UUID}"}}',
    f'{{"type":"user","id":"{UUID}","more":[{{"deep":null}}]}}',
    '{"skills":["a"],"is_remote":null}',
    '{"skills":null}',
    '{"workspace_id":"short"}',
    json.dumps({"skills": ["x"] * 33}),
    json.dumps({"skills": ["x"] * 32}),
    *(f'"{moment}"' for moment in ("2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2026-01-01T23:59:60Z")),
    *(f'"{moment}"' for moment in ("2026-01-01t00:00:00z", "2026-01-01 00:00:00+0130", "2026-01-01T00:00:00")),
    *(f'"{moment}"' for moment in ("2026-01-01T24:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00")),
    *(f'"{moment}"' for moment in ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999-01:00")),
    *(f'"{moment}"' for moment in ("2026-01-01T00:00:00.1234565Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z")),
    *(f'"{moment}"' for moment in ("2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+12:60", "2026-01-01T00:00Z")),
    *(f'"{moment}"' for moment in ("２026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "2026-01-01T00:00:00.5\\u0000Z")),
]
BYTES = st.one_of(
    st.sampled_from([b"", b"\xff", b'"', b"\\", b"{", b"}", b",", b":", b" ", b"\xef\xbb\xbf"]), st.binary(max_size=3)
)

Pairs = list[tuple[str, str]]


def as_pairs(event: dict[str, Any]) -> Pairs:
    return [(json.dumps(name), json.dumps(value)) for name, value in event.items()]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """(topic, bytes): an event of any type with some of its fields replaced, removed, repeated or moved."""
    topic, _, event = draw(st.sampled_from(SAMPLES))
    pairs = as_pairs(event)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(pairs) - 1))
        change = draw(st.sampled_from(("replace", "remove", "repeat", "unknown", "move", "nested")))
        fragment = draw(st.sampled_from(FRAGMENTS))
        if change == "replace":
            pairs[at] = pairs[at][0], fragment
        elif change == "remove" and len(pairs) > 1:
            del pairs[at]
        elif change == "repeat":
            pairs.insert(draw(st.integers(0, len(pairs))), (pairs[at][0], fragment))
        elif change == "unknown":
            pairs.insert(at, ('"unknown"', fragment))
        elif change == "move":
            pairs.append(pairs.pop(at))
        else:
            field = draw(st.sampled_from(("type", "id", "skills", "is_remote", "terminal", "agent_id", "unknown")))
            pairs[at] = pairs[at][0], pairs[at][1].replace("{", f'{{"{field}":{fragment},', 1)
    text = "{" + ",".join(f"{name}:{value}" for name, value in pairs) + "}"
    value = text.encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(value)))
        value = value[:at] + draw(BYTES) + value[at + draw(st.integers(0, 2)) :]
    return topic, value


def contract(topic: str, value: bytes) -> Any:
    """The contract's own reading: the event, or None for one that it refuses."""
    try:
        return read(topic, value, LOG_TIME)
    except (validity.InvalidRecord, msgspec.DecodeError, UnicodeDecodeError):
        return None


def second_reading(topic: str, value: bytes) -> tuple[str, dict[str, Any]] | None:
    try:
        return check_record(topic, value, LOG_MS)
    except Invalid:
        return None


def agree(topic: str, value: bytes) -> None:
    first, second = contract(topic, value), second_reading(topic, value)
    assert (first is None) == (second is None), (first, second)
    if first is None or second is None:
        return
    kind, event = second
    assert kind == first.__struct_config__.tag
    meant = msgspec.to_builtins(first, builtin_types=(type(first.occurred_at),))
    for name, found in normal(topic, kind, event).items():
        if name in ("occurred_at", "effective_from", "created_at"):
            check_moment(getattr(first, name), found)
        elif name not in ("actor", "attribution"):
            assert meant[name] == found, name
    if hasattr(first, "actor"):
        assert (first.actor.type, first.actor.id) == (event["actor"]["type"], event["actor"]["id"])


def check_moment(expected: Any, found: int) -> None:
    naive = expected.replace(tzinfo=None)
    ordinal = (naive.toordinal() - 719_163) * 86_400 + naive.hour * 3600 + naive.minute * 60 + naive.second
    offset = expected.utcoffset()
    assert ordinal * 1_000_000 + naive.microsecond - round(offset.total_seconds()) * 1_000_000 == found


@settings(max_examples=1500)
@given(mutated())
@example(("tally.profiles", b"{}"))
@example(("tally.chat", b""))
@example(("tally.chat", b"[]"))
def test_it_takes_and_refuses_the_same_events(case: tuple[str, bytes]) -> None:
    agree(*case)


@pytest.mark.parametrize("fragment", FRAGMENTS)
@pytest.mark.parametrize("topic", SCHEMAS)
def test_every_field_takes_and_refuses_the_same_values(topic: str, fragment: str) -> None:
    for _, _, event in (found for found in SAMPLES if found[0] == topic):
        pairs = as_pairs(event)
        for at, (name, value) in enumerate(pairs):
            variants = [[(name, fragment)], [], [(name, fragment), (name, value)], [(name, value), (name, fragment)]]
            for variant in variants:
                changed = [*pairs[:at], *variant, *pairs[at + 1 :]]
                text = "{" + ",".join(f"{key}:{said}" for key, said in changed) + "}"
                agree(topic, text.encode("utf-8", "surrogatepass"))


def test_every_type_and_field_of_the_contract_is_known() -> None:
    theirs = {
        topic: {
            str(struct.__struct_config__.tag): {
                field.encode_name: field.required for field in msgspec.structs.fields(struct)
            }
            for struct in structs
        }
        for topic, structs in EVENTS_BY_TOPIC.items()
    }
    ours = {
        topic: {kind: {name: name in shape.required for name in shape.fields} for kind, shape in kinds.items()}
        for topic, kinds in SCHEMAS.items()
    }
    assert ours == theirs


@pytest.mark.parametrize("value", [b'{"a":"\xff"}', b'{"\xff":1}'])
def test_bytes_that_are_no_utf8_matter_only_in_a_field_that_is_known(value: bytes) -> None:
    topic, _, event = SAMPLES[0]
    agree(topic, json.dumps(event).encode()[:-1] + b"," + value[1:])
    agree(topic, json.dumps(event).encode().replace(b'"user"', b'"us\xffr"'))
    agree(topic, json.dumps(event).encode().replace(b"01234567", b"0123456\xff", 2))


def test_the_calendars_edges() -> None:
    assert parse_moment("0001-01-01T00:00:00Z") == FIRST
    assert parse_moment("9999-12-31T23:59:59.999999Z") == LAST
    assert parse_moment("0001-01-01T00:00:00+00:01") == FIRST - 60_000_000
