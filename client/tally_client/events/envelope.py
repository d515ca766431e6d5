"""The envelope of every event, and the field types that events share.

Limits are part of the contract: a record with a value past one is a dead letter, so no column can overflow. The length
of an id is checked on decode. Its form (a lower-case hyphenated UUID that is not nil) is checked by the Emitter and
when a cell first sees the id, because a pattern on every field of every event costs more than the rest of the decode.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

MAX_RECORD_BYTES = 1024 * 1024 + 64 * 1024
"""The largest compressed batch that an event topic accepts: one event with a 1 MiB field still fits."""

MAX_COUNT = 1_000_000_000
"""The largest count in one event. A cell takes 2**64 / MAX_COUNT events before a column overflows."""

NIL = "00000000-0000-0000-0000-000000000000"
"""The id that represents `none` in tables; it identifies no one, and no event may carry it."""

UUID_FORM = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MOMENT_FORM = "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})"
PATTERN_END = r"\Z"
"""The end of a text. Python's `$` also matches before a trailing newline. JSON Schema writes it differently
(streams/event_schema.py)."""

CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
"""Control characters and line breaks, which are not allowed in any text."""
PRINTABLE = f"[^{CONTROLS}]"


def text_of(form: str, least: int, most: int, description: str | None = None) -> Meta:
    """Return the constraint on a text of `least` to `most` characters that matches `form` as a whole."""
    return Meta(pattern=f"^{form}{PATTERN_END}", min_length=least, max_length=most, description=description)


Id = Annotated[
    str,
    Meta(
        min_length=36,
        max_length=36,
        description="A UUID in lower-case hyphenated form, and not the nil UUID.",
        extra_json_schema={"format": "uuid", "pattern": f"^{UUID_FORM}{PATTERN_END}", "not": {"const": NIL}},
    ),
]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Name = Annotated[str, text_of(f"{PRINTABLE}+", 1, 512)]
Tag = Annotated[str, text_of(f"{PRINTABLE}+", 1, 128)]
Moment = Annotated[
    datetime,
    Meta(
        tz=True,
        description="RFC 3339 with a time zone; kept in UTC, truncated to microseconds.",
        extra_json_schema={"pattern": f"^{MOMENT_FORM}{PATTERN_END}"},
    ),
]

ActorType = Literal["user", "api_key", "service_account", "federated"]
SessionProduct = Literal[
    "claude_code",
    "cowork",
    "office_agent",
    "claude_in_chrome",
    "claude_design",
    "claude_tag",
    "science",
    "claude_console",
    "managed_agents_api",
    "message_batches_api",
    "messages_api",
    "other",
]
"""Products with sessions. Chat has conversations instead, and activity without a product is counted as chat."""
Product = Literal["chat", SessionProduct]
Surface = Literal["web", "desktop", "mobile", "slack", "excel", "powerpoint", "word", "outlook", "terminal", "ide"]


class Actor(Struct, frozen=True, kw_only=True, gc=False):
    """The actor of an event: for a person, the account's UUID."""

    type: ActorType
    id: Id


class Event(Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """Base of every event. `event_id` is the duplicate key: the same id counts once (docs/events.md).

    Events contain no cycles, so the garbage collector does not have to track the thousands of them in a batch.
    """

    event_id: Id
    occurred_at: Moment
    organization_id: Id


class ActivityEvent(Event, frozen=True, kw_only=True):
    """An event of an actor in a product."""

    actor: Actor
    product: Product | None = None
    surface: Surface | None = None
