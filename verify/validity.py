"""Validity of a record: a function of its bytes and its log time alone (docs/verify.md)."""

import re
from functools import lru_cache
from typing import Any

from verify.directory_events import POLICIES
from verify.events import ATTRIBUTION_IDS, SCHEMAS
from verify.json_parser import Malformed, pairs_of, parse
from verify.timestamps import FIRST, HOUR, LAST, MINUTE, parse_moment, start_of_day

Event = dict[str, Any]
"""An event's JSON object. Absent fields have their default (FieldRules.defaults)."""

LATER_ARTIFACT_EVENTS = ("artifact.shared", "artifact.published", "artifact.viewed")
USAGE_EVENTS = ("token.used", "execution.used")

AHEAD = 5 * MINUTE
EARLIEST = start_of_day(2025, 1, 1)
EARLIEST_OF_DIRECTORY = start_of_day(1970, 1, 1)
LATEST_POLICY = start_of_day(2200, 1, 1)

NIL = "00000000-0000-0000-0000-000000000000"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Invalid(Exception):
    """The record is a dead letter; `reason` is one word, `detail` is what is wrong."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def read_event(topic: str, value: bytes) -> tuple[str, Event]:
    """Return the event type and the event in a record's bytes. Raises Invalid if the contract has no such event."""
    try:
        event = parse(value)
    except Malformed as error:
        raise Invalid("not_json", str(error)) from None
    if not isinstance(event, dict):
        raise Invalid("schema", f"expected an object, found {type(event).__name__}")
    kind = _kind(topic, event)
    problem = SCHEMAS[topic][kind].problem(event)
    if problem:
        raise Invalid("schema", problem)
    return kind, event


def check_record(topic: str, value: bytes, timestamp_ms: int) -> tuple[str, Event]:
    """Return the event type and the event of a record that is valid at its log time. Raises Invalid otherwise."""
    kind, event = read_event(topic, value)
    log_time = timestamp_ms * 1000
    if topic == "tally.directory":
        _check_directory_times(kind, event, log_time)
    elif topic == "tally.profiles":
        _check_moment(event, "occurred_at", EARLIEST_OF_DIRECTORY, log_time)
    else:
        _check_activity(kind, event, log_time)
    for field in SCHEMAS[topic][kind].ids:
        check_uuid(event.get(field), field)
    return kind, event


def check_uuid(value: str | None, field: str) -> None:
    """Raise Invalid unless `value` is a lower-case hyphenated UUID other than the nil UUID, or None."""
    if value is not None and not _is_uuid(value):
        raise Invalid("bad_id", f"{field} {value!r:.80} is not a lower-case hyphenated UUID, or is the nil UUID")


@lru_cache(maxsize=1 << 17)
def _is_uuid(value: str) -> bool:
    return value != NIL and _UUID.fullmatch(value) is not None


def _kind(topic: str, event: Event) -> str:
    """Return the event's type; if it is repeated, all occurrences must be equal."""
    kinds = SCHEMAS[topic]
    kind = event.get("type")
    said = [value for name, value in pairs_of(event) if name == "type"] if type(event) is not dict else [kind]
    if type(kind) is not str or kind not in kinds or any(value != kind for value in said):
        raise Invalid("schema", f"type may not be {kind!r:.80}")
    return kind


def _check_activity(kind: str, event: Event, log_time: int) -> None:
    _check_moment(event, "occurred_at", EARLIEST, log_time)
    check_uuid(event["actor"]["id"], "actor.id")
    if kind in LATER_ARTIFACT_EVENTS:
        _check_moment(event, "created_at", EARLIEST, log_time)
    if kind in USAGE_EVENTS and event.get("attribution"):
        for field in ATTRIBUTION_IDS:
            check_uuid(event["attribution"].get(field), f"attribution.{field}")


def _check_directory_times(kind: str, event: Event, log_time: int) -> None:
    _check_moment(event, "occurred_at", EARLIEST_OF_DIRECTORY, log_time)
    if kind == "project.saved":
        _check_moment(event, "created_at", EARLIEST_OF_DIRECTORY, log_time)
    if kind not in POLICIES:
        return
    effective_from = parse_moment(event["effective_from"])
    if effective_from is None or not EARLIEST_OF_DIRECTORY <= effective_from < LATEST_POLICY:
        raise Invalid("out_of_calendar", f"effective_from {event['effective_from']} is not from 1970 to 2200")
    if effective_from % HOUR:
        raise Invalid("not_a_whole_hour", f"effective_from {event['effective_from']} is not a whole UTC hour")


def _check_moment(event: Event, field: str, earliest: int, log_time: int) -> None:
    moment = parse_moment(event[field])
    if moment is None or not FIRST <= moment <= LAST:
        raise Invalid("out_of_calendar", f"{field} {event[field]} has no UTC form")
    if moment < earliest:
        raise Invalid("too_old", f"{field} {event[field]} is older than the data that is kept")
    if moment > log_time + AHEAD:
        raise Invalid("in_the_future", f"{field} {event[field]} is more than 5 minutes ahead of its log time")
