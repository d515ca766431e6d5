"""What makes a well-formed event also a plausible one: the rules that a type cannot say (docs/events.md).

A producer asks `check` before it sends, so that it learns of a bad event where the bad event is made, and not from the
dead letters. The folds of workers apply the same rules, each where it costs least.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import get_args

from msgspec import Struct, structs

from tally_client.events import EVENT_BY_TYPE, Actor, Attribution, Event, decoder
from tally_client.events.activity import LaterArtifactEvent
from tally_client.events.directory import DirectoryEvent, PolicyEvent, ProfileUpdated, ProjectSaved
from tally_client.events.envelope import NIL, UUID_FORM, Id

EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""The start of the oldest window that is kept; activity and usage of an earlier time are refused."""

AHEAD = timedelta(minutes=5)
"""How far an event may lie in the future of the log: clocks of producers differ."""

DIRECTORY_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""The directory is history, as far back as a column can hold it (DateTime64 goes to 1900, but no organization is that
old)."""

POLICY_END = datetime(2200, 1, 1, tzinfo=UTC)
"""Policies may lie in the future, but before this."""

MAX_DEPTH = 400
"""How deep a record's JSON may nest. The decoder's own limit depends on its caller's stack, so without one here the
same record could count in one process and not in another."""

SHALLOW = 2 * MAX_DEPTH
"""Bytes up to which no record can nest deeper: every level is closed again in valid JSON. To count its brackets
costs as much as to decode it, so short records are spared that."""

_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
"""JSON strings, one without end too: sought again from each of its quotes, it would cost the square of its length."""

_UUID = re.compile(UUID_FORM).fullmatch
NO_ID = "is not a lower-case hyphenated UUID, or is the nil UUID"


class InvalidRecord(Exception):
    """A record that is well-formed JSON of its type but breaks a rule; `reason` is a stable word for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def read(topic: str, value: bytes, now: datetime) -> Event:
    """The event in a record's bytes that arrive at `now` (aware), if a worker would take it.

    Raises InvalidRecord, and what the decoder raises.
    """
    refuse_deep(value)
    event = decoder(topic).decode(value)
    check(event, now)
    return event


def check(event: Event, now: datetime) -> None:
    """Raises InvalidRecord for a decoded event that would be a dead letter if it arrived at `now` (aware)."""
    _check_ids(event)
    _check_moments(event, now)


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the one form that tables hold, lower case and hyphenated, and somebody's: the nil
    UUID stands for "none" there."""
    return _UUID(text) is not None and text != NIL


def refuse_deep(value: bytes) -> None:
    """Raises InvalidRecord when `value` nests deeper than MAX_DEPTH; brackets inside of strings do not count."""
    if len(value) <= SHALLOW:
        return
    depth = 0
    for byte in _TEXTS.sub(b"", value):
        depth += (byte in b"[{") - (byte in b"]}")
        if depth > MAX_DEPTH:
            raise InvalidRecord("nested_too_deep", f"the record nests more than {MAX_DEPTH} levels deep")


def policy_hour(moment: datetime) -> datetime:
    """The UTC hour from which a policy is in force. Raises InvalidRecord unless `moment` is a time in 1970 to 2199."""
    # Aware datetimes compare without leaving the calendar, where astimezone would overflow.
    if not DIRECTORY_EARLIEST <= moment < POLICY_END:
        raise InvalidRecord("out_of_calendar", f"effective_from {moment.isoformat()} is not between 1970 and 2200")
    at = moment.astimezone(UTC)
    if at.minute or at.second or at.microsecond:
        detail = f"effective_from {moment.isoformat()} is not a whole UTC hour, and an hour has one price"
        raise InvalidRecord("not_a_whole_hour", detail)
    return at


def _check_ids(event: Event) -> None:
    for part in ("", "actor", "attribution"):
        owner = getattr(event, part, None) if part else event
        for name in _ID_FIELDS.get(type(owner), ()):
            value = getattr(owner, name)
            if value is not None and not is_uuid(value):
                raise InvalidRecord("bad_id", f"{part}{'.' if part else ''}{name} {NO_ID}")


def _id_fields(kind: type[Struct]) -> tuple[str, ...]:
    """The names of a Struct's fields that hold an id."""
    return tuple(each.name for each in structs.fields(kind) if each.type == Id or Id in get_args(each.type))


_KINDS: tuple[type[Struct], ...] = (*EVENT_BY_TYPE.values(), Actor, Attribution)
_ID_FIELDS: dict[type, tuple[str, ...]] = {kind: _id_fields(kind) for kind in _KINDS}


def _check_moments(event: Event, now: datetime) -> None:
    earliest = DIRECTORY_EARLIEST if isinstance(event, DirectoryEvent | ProfileUpdated) else EARLIEST
    _check_bounds("occurred_at", event.occurred_at, now, earliest)
    if isinstance(event, LaterArtifactEvent | ProjectSaved):
        _check_bounds("created_at", event.created_at, now, earliest)
    if isinstance(event, PolicyEvent):
        policy_hour(event.effective_from)


def _check_bounds(name: str, moment: datetime, now: datetime, earliest: datetime) -> None:
    if moment < earliest:
        raise InvalidRecord("too_old", f"{name} {moment.isoformat()} is before {earliest.date().isoformat()}")
    if moment > now + AHEAD:
        minutes = AHEAD.seconds // 60
        raise InvalidRecord(
            "in_the_future", f"{name} {moment.isoformat()} is more than {minutes} minutes in the future"
        )


def bare(text: str) -> str:
    """A UUID as tables hold it, which may be told in capitals. Raises ValueError for anything else, and for nil."""
    found = text.lower()
    if not is_uuid(found):
        raise ValueError(f"{text!r} is nobody's UUID")
    return found
