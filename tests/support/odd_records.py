"""A corpus of odd records, made of the event types themselves: what each field may and may not be, and beyond."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from msgspec import inspect

from tally_client.events import EVENT_BY_TYPE, TOPIC_BY_TYPE
from tally_client.events.envelope import MAX_COUNT, NIL
from tests.support.fold_records import uuid

UUID = uuid(0xABCDEF)


class Odd(NamedTuple):
    """A record, what is odd about it, and whether only a reader of its bytes, calendar or clock can refuse it."""

    kind: str
    what: str
    value: bytes
    beyond_schema: bool = False

    @property
    def topic(self) -> str:
        """Where it is sent."""
        return TOPIC_BY_TYPE[self.kind]


IDS: list[Any] = [
    UUID.upper(), UUID.title(), NIL, UUID + "\n", "\n" + UUID, f"{{{UUID}}}", UUID.replace("-", ""),
    f"urn:uuid:{UUID}", UUID[:-1], UUID + "0", UUID.replace("-", "_"), "z" * 36, " " * 36, "0" * 36, UUID[:-1] + "٣",
    UUID[:-1] + "\n", "é" * 36, "", None, 7, [UUID], {"id": UUID}, "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "00000000-0000-0000-0000-000000000001", UUID[:-1] + "\u0000",
]  # fmt: skip
TEXTS: list[Any] = [
    "x", "x" * 64, "x" * 65, "x" * 128, "x" * 129, "x" * 320, "x" * 321, "x" * 512, "x" * 513, "", " ", "\u3000",
    "a\n", "\n", "a\nb", "a\r", "a\r\n", "a\tb", "\u0000", "a\u001b[2Jb", "a\u007fb", "a\u0085b", "a\u009bb",
    "a\u2028b",
    "a\u2029b", "a\u200bb", "\ufeffa", "模型", "😀" * 128, "😀" * 129, "=1+1", "<b>", '"', "\\", "null", None, 1, True,
    ["x"], {"x": 1}, "0", "1", "0.15", "0.15\n", "1\n", "1.0", "1.000000", "1.0000000", "1.000001", "00", "-0", ".5",
    "0.",
    "0.1234567", "5e-1", " 0.15", "0.15 ", "٠.٥", "a" * 64, "a" * 64 + "\n", "A" * 64, "g" * 64, "a" * 63, "a@b",
    "a@b\n",
    "a@b@c", "@b", "a@", "a b@c", "a@b\u00a0", "a@b\u2003", "a@b\ufeff", "a@b\u0000", "ä@ö", "x" * 318 + "@x",
    "x" * 319 + "@x", "user", "User", "user\n", "usage_based", "chat", "standard", "text/html", "owner", "aws",
]  # fmt: skip
NUMBERS: list[str] = [
    "0", "1", "-0", "-1", str(MAX_COUNT), str(MAX_COUNT + 1), "1.5", "1E400",
    "9" * 30, "9" * 5000, "01", "+1", "1.", ".1", "0x1", "NaN", "Infinity", "-Infinity", "null", "true", "false", '"1"',
    "[1]", "{}", "1_000", "", "18446744073709551616", "-9223372036854775809",
]  # fmt: skip
WHOLE_BUT_WITH_A_POINT = ["1.0", "-0.0", "1e3", "10e-1", "1.0000000000000001"]
"""JSON Schema takes these for integers; a count is written in digits alone."""
MOMENTS: list[str] = [
    "2026-03-01T12:00:00Z", "2026-03-01t12:00:00z", "2026-03-01 12:00:00Z", "2026-03-01T12:00:00+00:00",
    "2026-03-01T12:00:00-00:00", "2026-03-01T13:30:00+01:30", "2026-03-01T13:00:00+0100", "2026-03-01T12:00:00.0Z",
    "2026-03-01T11:00:00.000000000Z", 
    "2026-02-28T22:00:00-14:00", "2026-03-02T00:00:00+14:00", "2025-01-01T00:00:00Z",
    "2026-03-01T12:00:00", "2026-03-01T12:00Z", "2026-03-01", "20260301T120000Z", "2026-03-01T12:00:00,5Z",
    "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00Z\\n", "\\n2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z ",
    "2026-03-01T12:00:00 Z", "2026-03-01T12:00:00+1:00", "2026-03-01T12:00:00+01", "2026-03-01T12:00:00 +01:00",
    "26-03-01T12:00:00Z", "02026-03-01T12:00:00Z", "+2026-03-01T12:00:00Z", "-2026-03-01T12:00:00Z",
    "2026-3-1T12:00:00Z", "２026-03-01T12:00:00Z", "2026-03-01T12:00:00Europe/Berlin", "now", "",
    "2026-W09-7T12:00:00Z",
    "1772366400", "Sun, 01 Mar 2026 12:00:00 GMT",
]  # fmt: skip
CALENDAR: list[str] = [
    "2026-03-01T11:59:59.9999999Z", "2026-03-01T11:00:00.123456789123Z",
    "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-03-00T00:00:00Z",
    "2026-03-32T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "2026-03-01T12:00:60Z",
    "2016-12-31T23:59:60Z", "2026-03-01T12:00:00+24:00", "2026-03-01T12:00:00+12:60", "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.9999999Z", "1970-01-01T00:00:00Z", "1970-01-01T00:30:00Z",
    "1899-12-31T00:00:00Z", "2024-12-31T23:59:59.9999999Z", "2026-03-01T12:05:30Z", "2026-03-01T12:05:30.000001Z",
    "2026-03-01T12:05:30.0000009Z", "2026-03-01T12:05:31Z", "2026-03-01T12:30:00Z", "2026-03-01T12:00:00.000001Z",
    "2026-03-01T12:00:00.0000001Z", "2199-12-31T23:00:00Z", "2200-01-01T00:00:00Z", "2200-01-01T00:00:00+01:00",
    "2262-04-12T00:00:00Z", "2300-01-01T00:00:00Z", "2026-02-28T23:59:59+05:30", "2026-03-01T05:30:00+05:30",
]  # fmt: skip
"""What of a moment hangs on the calendar, on the clock, or on whole hours."""
VALUES = ["null", "true", "0", '""', '"x"', "[]", "{}", "[[]]", '[{"a":1}]', '{"type":"user"}', f'"{UUID}"']
"""For a field that is neither text, number nor moment."""


PATTERNED = {"{64}": "a" * 64, "0{1,6}": "0.15", "@": "ada@a.example"}
"""What a text is whose pattern holds this."""


def sample(kind: Any) -> Any:
    """A value that the contract's type information allows."""
    if isinstance(kind, inspect.Metadata):
        return sample(kind.type)
    if isinstance(kind, inspect.StrType):
        if kind.max_length == 36:
            return UUID
        told = kind.pattern or ""
        return (
            "a" * 64 if "{64}" in told else "0.15" if "0{1,6}" in told else "ada@a.example" if "@" in told else "text"
        )
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.StructType):
        return {field.encode_name: sample(field.type) for field in kind.fields}
    if isinstance(kind, inspect.UnionType):
        return sample(kind.types[0])
    simple: dict[type[inspect.Type], Any] = {
        inspect.IntType: 3,
        inspect.BoolType: True,
        inspect.DateTimeType: "2026-03-01T10:00:00Z",
    }
    return simple.get(type(kind), ["one", "two"])


def oddities(kind: Any) -> Iterator[tuple[str, bool]]:
    """(JSON text, whether JSON Schema cannot judge it) of odd values of a field."""
    if isinstance(kind, inspect.Metadata):
        yield from oddities(kind.type)
    elif isinstance(kind, inspect.UnionType):
        yield from oddities(next(each for each in kind.types if not isinstance(each, inspect.NoneType)))
    elif isinstance(kind, inspect.StrType):
        yield from ((json.dumps(value), False) for value in (IDS if kind.max_length == 36 else TEXTS))
        yield from (('"\\ud800"', True), ('"a\\udc00b"', True), ('"\t"', True), ('"\x00"', True), ('"\\x"', True))
    elif isinstance(kind, inspect.IntType):
        yield from ((text, False) for text in NUMBERS)
        yield from ((text, True) for text in WHOLE_BUT_WITH_A_POINT)
    elif isinstance(kind, inspect.DateTimeType):
        yield from ((f'"{moment}"', False) for moment in MOMENTS)
        yield from ((f'"{moment}"', True) for moment in CALENDAR)
        yield from ((text, False) for text in ("null", "1772366400", "1772366400.5", "[]", "{}"))
    elif isinstance(kind, inspect.LiteralType):
        yield from ((json.dumps(value), False) for value in (*kind.values, f"{kind.values[0]}\n", "", None, 1, ["x"]))
        yield json.dumps(str(kind.values[0]).upper()), False
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            for text, beyond in oddities(field.type):
                yield with_field(sample(kind), field.encode_name, text), beyond
        yield from ((value, False) for value in VALUES)
    else:
        yield from ((value, False) for value in VALUES)
        yield from ((json.dumps(["x"] * count), False) for count in (1, 32, 33))
        yield from ((json.dumps([text]), False) for text in ("", "a\n", None, 1, "x" * 129))


def with_field(event: dict[str, Any], name: str, text: str) -> str:
    """The event's JSON with this JSON text as one of its fields."""
    pairs = [f"{json.dumps(key)}:{text if key == name else json.dumps(value)}" for key, value in event.items()]
    return "{" + ",".join(pairs) + "}"


def sample_of(kind: str) -> dict[str, Any]:
    """A valid event of this type with every field."""
    return {"type": kind, **sample(inspect.type_info(EVENT_BY_TYPE[kind]))}


def whole_records(kind: str, event: dict[str, Any]) -> Iterator[Odd]:
    """Oddities that are no field's own."""
    text = json.dumps(event)
    deep = "[" * 500 + "]" * 500
    for what, value in {
        "as it should be": text, "spaces": f" \n{text}\t\r", "no type": text.replace('"type"', '"typ"', 1),
        "another type": text.replace(kind, "chat.imagined", 1), "type in capitals": text.replace(kind, kind.upper(), 1),
        "an unknown field": text[:-1] + ',"unknown":{"a":[1,{"b":null}]}}', "an array": f"[{text}]", "null": "null",
        "an empty object": "{}", "a text": '"x"', "a number": "1",
    }.items():  # fmt: skip
        yield Odd(kind, what, value.encode())
    for what, value_ in {
        "a byte order mark": b"\xef\xbb\xbf" + text.encode(), "no UTF-8": text.encode().replace(b"a", b"\xff", 1),
        "UTF-16": text.encode("utf-16"), "two events": (text + text).encode(), "cut off": text.encode()[:-1],
        "nothing": b"", "a comma behind": (text[:-1] + ",}").encode(), "single quotes": text.replace('"', "'").encode(),
        "too deep": (text[:-1] + f',"unknown":{deep}}}').encode(),
        "half a pair": (text[:-1] + ',"u":"\\ud800"}').encode(),
        "deep enough": (text[:-1] + ',"unknown":' + "[" * 399 + "]" * 399 + "}").encode(),
        "a comment": (text[:-1] + "/* */}").encode(), "a repeated type": (text[:-1] + f',"type":"{kind}"}}').encode(),
        "another type behind": (text[:-1] + ',"type":"x"}').encode(),
        "a repeated id": (text[:-1] + f',"event_id":"{UUID}"}}').encode(),
        "a bad one before": ('{"organization_id":7,' + text[1:]).encode(),
    }.items():  # fmt: skip
        yield Odd(kind, what, value_, beyond_schema=True)
    for name in event:
        less = {key: value for key, value in event.items() if key != name}
        yield Odd(kind, f"without {name}", json.dumps(less).encode())


@cache
def corpus() -> tuple[Odd, ...]:
    """Every odd record."""
    found: list[Odd] = []
    for kind, struct in EVENT_BY_TYPE.items():
        event = sample_of(kind)
        found += whole_records(kind, event)
        for field in inspect.type_info(struct).fields:  # type: ignore[attr-defined]
            for text, beyond in oddities(field.type):
                value = with_field(event, field.encode_name, text).encode("utf-8", "surrogatepass")
                found.append(Odd(kind, f"{field.encode_name}: {text[:60]}", value, beyond))
    return tuple(found)
