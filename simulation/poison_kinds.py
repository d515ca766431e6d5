"""Invalid records of every kind seen in real logs: each must become a dead letter and count nowhere.

A kind derives a record from a real `token.used` event (a dict with a new event_id). Only `conflict` gives a valid
record and keeps the event_id: it is rejected because the same event_id has occurred with another payload.
"""

from collections.abc import Callable
from typing import Any

import orjson

from intake.ndjson import ProducerRecord
from tally_client.events import ARTIFACT, CHAT, CONNECTOR, DIRECTORY, PROFILES, SESSION, TOKEN
from tally_client.events.envelope import NIL

Event = dict[str, Any]
Kind = Callable[[Event], ProducerRecord]


def changed(event: Event, **fields: Any) -> ProducerRecord:
    """Return the event with other fields."""
    return raw(event, orjson.dumps(event | fields))


def raw(event: Event, value: bytes | None, topic: str = TOKEN) -> ProducerRecord:
    """Return a record with these bytes instead of the event, under its actor's key."""
    return ProducerRecord(topic, str(event["actor"]["id"]).encode(), value, event["occurred_at"])


def without(event: Event, field: str) -> ProducerRecord:
    """Return the event without one field."""
    return raw(event, orjson.dumps({name: value for name, value in event.items() if name != field}))


def spelled(event: Event, field: str, json: bytes) -> ProducerRecord:
    """Return the event with this JSON text for a field, which orjson would not write."""
    return raw(event, orjson.dumps(event | {field: "{}"}).replace(b'"{}"', json))


def renamed(event: Event, actor: str) -> ProducerRecord:
    """Return the event under another actor's id."""
    other = event | {"actor": event["actor"] | {"id": actor}}
    return raw(other, orjson.dumps(other))


def envelope(event: Event, type_: str) -> Event:
    """Return the envelope of another event by the same actor at the same moment."""
    return {"type": type_} | {name: event[name] for name in ("event_id", "occurred_at", "organization_id", "actor")}


def activity(event: Event, topic: str, type_: str, **fields: Any) -> ProducerRecord:
    """Return an activity event of the same actor and moment."""
    return raw(event, orjson.dumps(envelope(event, type_) | fields), topic)


def directory(event: Event, type_: str, **fields: Any) -> ProducerRecord:
    """Return a directory event of the same organization and moment."""
    line = activity(event, DIRECTORY, type_, **fields)
    return line._replace(key=str(event["organization_id"]).encode())


NOT_EVENTS: dict[str, Kind] = {
    "not_json": lambda event: raw(event, b"upstream connect error or disconnect/reset before headers"),
    "text_of_several_lines": lambda event: raw(event, b'Traceback:\n  File "service"\nValueError\n'),
    "truncated": lambda event: raw(event, orjson.dumps(event)[:-80]),
    "two_events": lambda event: raw(event, orjson.dumps(event) + b"\n" + orjson.dumps(event)),
    "byte_order_mark": lambda event: raw(event, b"\xef\xbb\xbf" + orjson.dumps(event)),
    "empty_value": lambda event: raw(event, b""),
    "empty_object": lambda event: raw(event, b"{}"),
    "json_array": lambda event: raw(event, orjson.dumps([event])),
    "json_null": lambda event: raw(event, b"null"),
    "null_value": lambda event: raw(event, None, CHAT),
    "unknown_type": lambda event: changed(event, type="token.imagined"),
    "no_type": lambda event: without(event, "type"),
    "wrong_topic": lambda event: raw(event, orjson.dumps(event), CHAT),
    "session_without_a_product": lambda event: activity(
        event, SESSION, "session.started", session_id=event["event_id"]
    ),
}

BAD_FIELDS: dict[str, Kind] = {
    "wrong_type": lambda event: changed(event, output_tokens="many"),
    "actor_is_text": lambda event: raw(event, orjson.dumps(event | {"actor": "somebody"})),
    "missing_field": lambda event: without(event, "model"),
    "null_field": lambda event: changed(event, funding=None),
    "unknown_value": lambda event: changed(event, service_tier="platinum"),
    "empty_name": lambda event: activity(event, CONNECTOR, "connector.called", name=""),
    "too_many_skills": lambda event: changed(event, attribution={"skills": [str(number) for number in range(33)]}),
    "email_without_at": lambda event: activity(
        event, PROFILES, "profile.updated", account_id=event["actor"]["id"], email="nowhere", name="No Where"
    ),
    "discount_above_one": lambda event: directory(
        event, "discount.changed", effective_from="2026-03-01T12:00:00Z", discount="1.5"
    ),
}

BAD_COUNTS: dict[str, Kind] = {
    "negative_count": lambda event: changed(event, uncached_input_tokens=-1),
    "absurd_count": lambda event: changed(event, output_tokens=1_000_000_001),
    "count_beyond_64_bits": lambda event: spelled(event, "output_tokens", b"9" * 40),
    "float_count": lambda event: changed(event, output_tokens=12.5),
    "true_for_a_count": lambda event: changed(event, output_tokens=True),
    "not_a_number": lambda event: spelled(event, "output_tokens", b"NaN"),
}

BAD_MOMENTS: dict[str, Kind] = {
    "no_zone": lambda event: changed(event, occurred_at="2026-03-01T12:00:00"),
    "bad_zone": lambda event: changed(event, occurred_at="2026-03-01T12:00:00+25:00"),
    "zone_by_name": lambda event: changed(event, occurred_at="2026-03-01T12:00:00 Europe/Berlin"),
    "day_that_never_was": lambda event: changed(event, occurred_at="2026-02-29T12:00:00Z"),
    "seconds_since_1970": lambda event: changed(event, occurred_at=1_772_366_400),
    "before_the_calendar": lambda event: changed(event, occurred_at="0001-01-01T00:00:00+01:00"),
    "after_the_calendar": lambda event: changed(event, occurred_at="9999-12-31T23:59:59-01:00"),
    "far_future": lambda event: changed(event, occurred_at="2999-01-01T00:00:00Z"),
    "too_old": lambda event: changed(event, occurred_at="1999-12-31T23:59:59Z"),
    "artifact_too_old": lambda event: activity(
        event,
        ARTIFACT,
        "artifact.viewed",
        artifact_id=event["event_id"],
        artifact_type="other",
        created_at="1999-12-31T23:59:59Z",
    ),
    "policy_of_another_age": lambda event: directory(
        event, "discount.changed", effective_from="2200-01-01T00:00:00Z", discount="0.5"
    ),
    "policy_within_an_hour": lambda event: directory(
        event, "discount.changed", effective_from="2026-03-01T12:30:00Z", discount="0.5"
    ),
}

BAD_IDS: dict[str, Kind] = {
    "upper_case_id": lambda event: renamed(event, "ABCDEF00" + event["actor"]["id"][8:]),
    "short_id": lambda event: renamed(event, "somebody"),
    "id_of_other_letters": lambda event: changed(event, organization_id="z" + event["organization_id"][1:]),
    "nul_in_id": lambda event: changed(event, organization_id="\x00" + event["organization_id"][1:]),
    "short_event_id": lambda event: changed(event, event_id="1"),
    "upper_case_event_id": lambda event: changed(event, event_id="ABCDEF00" + event["event_id"][8:]),
    "nil_event_id": lambda event: changed(event, event_id=NIL),
    "nil_organization": lambda event: changed(event, organization_id=NIL),
    "nil_actor": lambda event: renamed(event, NIL),
    "nil_in_attribution": lambda event: changed(event, attribution={"api_key_id": NIL}),
}

BAD_TEXT: dict[str, Kind] = {
    "line_break_behind_a_discount": lambda event: directory(
        event, "discount.changed", effective_from="2026-03-01T12:00:00Z", discount="0.5\n"
    ),
    "line_break_in_a_name": lambda event: changed(event, model="claude\nopus"),
    "nul_in_api_key": lambda event: directory(event, "api_key.saved", api_key_id="\x00" * 36, name="nul"),
    "raw_control_character": lambda event: spelled(event, "model", b'"claude\x00"'),
    "lone_surrogate": lambda event: spelled(event, "model", b'"claude-\\ud800-x"'),
    "invalid_utf8": lambda event: spelled(event, "model", b'"claude-\xff\xfe"'),
    "megabyte_name": lambda event: activity(event, CONNECTOR, "connector.called", name="m" * 1_000_000),
    "deep_nesting": lambda event: spelled(event, "model", b"[" * 10_000 + b"]" * 10_000),
    "deep_nesting_of_an_unknown_field": lambda event: spelled(event, "extra", b"[" * 10_000 + b"]" * 10_000),
}

CONFLICT = "conflict"

POISONS: dict[str, Kind] = {
    **NOT_EVENTS,
    **BAD_FIELDS,
    **BAD_COUNTS,
    **BAD_MOMENTS,
    **BAD_IDS,
    **BAD_TEXT,
    CONFLICT: lambda event: changed(event, output_tokens=event.get("output_tokens", 0) + 1),
}
"""Every kind, by name."""

LARGE = ("megabyte_name", "deep_nesting", "deep_nesting_of_an_unknown_field")
"""Kinds whose records would make up most of the bytes if they were as frequent as the others."""
