"""The rules for a valid event that its type cannot express (docs/events.md).

A producer calls `check` before it sends, so that an invalid event is reported where it is created instead of becoming a
dead letter. The workers' folds apply the same rules, each where it costs least.
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
"""The start of the oldest window that is kept; earlier activity and usage is rejected."""

AHEAD = timedelta(minutes=5)
"""How far an event may be ahead of the log's time: producers' clocks differ."""

DIRECTORY_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""The earliest directory event. Columns go back further (DateTime64 to 1900), but no organization is that old."""

POLICY_END = datetime(2200, 1, 1, tzinfo=UTC)
"""Policies may take effect in the future, but before this."""

MAX_DEPTH = 400
"""How deep a record's JSON may nest. The decoder's own limit depends on its caller's stack; without this one, the same
record could count in one process and not in another."""

SHALLOW = 2 * MAX_DEPTH
"""Records up to this many bytes cannot nest too deep, because valid JSON closes every level. Counting brackets costs as
much as decoding, so it is skipped for them."""

_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
"""JSON strings, including an unterminated one: otherwise the search would restart at each of its quotes, in time
quadratic in its length."""

_UUID = re.compile(UUID_FORM).fullmatch
NO_ID = "is not a lower-case hyphenated UUID, or is the nil UUID"


class InvalidRecord(Exception):
    """Well-formed JSON of its type that breaks a rule; `reason` is a stable word for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def read(topic: str, value: bytes, now: datetime) -> Event:
    """Return the event in the bytes of a record that arrives at `now` (aware), if a worker would accept it.

    Raises InvalidRecord, and whatever the decoder raises.
    """
    refuse_deep(value)
    event = decoder(topic).decode(value)
    check(event, now)
    return event


def check(event: Event, now: datetime) -> None:
    """Raise InvalidRecord if a decoded event would be a dead letter when it arrives at `now` (aware)."""
    _check_ids(event)
    _check_moments(event, now)


def is_uuid(text: str) -> bool:
    """Return True if `text` is a UUID in the one form that tables use, lower case and hyphenated, and is not the nil
    UUID, which means "none" there."""
    return _UUID(text) is not None and text != NIL


def refuse_deep(value: bytes) -> None:
    """Raise InvalidRecord if `value` nests deeper than MAX_DEPTH; brackets inside strings do not count."""
    if len(value) <= SHALLOW:
        return
    depth = 0
    for byte in _TEXTS.sub(b"", value):
        depth += (byte in b"[{") - (byte in b"]}")
        if depth > MAX_DEPTH:
            raise InvalidRecord("nested_too_deep", f"the record nests more than {MAX_DEPTH} levels deep")


def policy_hour(moment: datetime) -> datetime:
    """Return the UTC hour from which a policy is in effect. Raises InvalidRecord unless `moment` is a time in 1970 to
    2199."""
    # Comparing aware datetimes cannot leave the calendar; astimezone would overflow.
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
    """Return the names of a Struct's id fields."""
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
    """Return a UUID, which may be in upper case, in the form that tables use. Raises ValueError for anything else, and
    for the nil UUID."""
    found = text.lower()
    if not is_uuid(found):
        raise ValueError(f"{text!r} is not a UUID of a user or organization")
    return found
