"""What makes a well-formed event also a plausible one: the rules that a type cannot say (docs/events.md).

A producer asks `problem` before it sends, so that it learns of a bad event where the bad event is made, and not
from the dead letters.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import get_args

from msgspec import Struct, structs

from streams.events import EVENT_BY_TYPE, Actor, Attribution, Event
from streams.events.activity import LaterArtifactEvent
from streams.events.directory import DirectoryEvent, PolicyEvent, ProfileUpdated
from streams.events.envelope import Id

EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""Activity and usage before this is refused: it is older than the oldest window that is kept."""

MAX_AHEAD = timedelta(minutes=5)
"""How far an event may lie in the future of the log: clocks of producers differ."""

DIRECTORY_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""The directory is history, as far back as a column can hold it."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def problem(event: Event, now: datetime) -> str | None:
    """Why a decoded `event`, arriving at `now` (aware), would be a dead letter; None if it would be counted."""
    return _bad_id(event) or _bad_moment(event, now)


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the one form that tables hold: lower case, hyphenated."""
    return _UUID.fullmatch(text) is not None


def _bad_id(event: Event) -> str | None:
    for part in ("", "actor", "attribution"):
        owner = getattr(event, part, None) if part else event
        for name in _ID_FIELDS.get(type(owner), ()):
            value = getattr(owner, name)
            if value is not None and not is_uuid(value):
                return f"{part}{'.' if part else ''}{name} is not a lower-case hyphenated UUID"
    return None


def _id_fields(kind: type[Struct]) -> tuple[str, ...]:
    """The names of a Struct's fields that hold an id."""
    return tuple(each.name for each in structs.fields(kind) if each.type == Id or Id in get_args(each.type))


_KINDS: tuple[type[Struct], ...] = (*EVENT_BY_TYPE.values(), Actor, Attribution)
_ID_FIELDS: dict[type, tuple[str, ...]] = {kind: _id_fields(kind) for kind in _KINDS}


def _bad_moment(event: Event, now: datetime) -> str | None:
    directory = isinstance(event, DirectoryEvent | ProfileUpdated)
    found = _out_of_bounds("occurred_at", event.occurred_at, now, DIRECTORY_EARLIEST if directory else EARLIEST)
    if found:
        return found
    if isinstance(event, LaterArtifactEvent):
        return _out_of_bounds("created_at", event.created_at, now, EARLIEST)
    if isinstance(event, PolicyEvent):
        return _not_a_whole_hour(event.effective_from)
    return None


def _out_of_bounds(name: str, moment: datetime, now: datetime, earliest: datetime) -> str | None:
    # Aware datetimes compare without leaving the calendar, where astimezone would overflow.
    if moment < earliest:
        return f"{name} {moment.isoformat()} is before {earliest.date().isoformat()}"
    if moment > now + MAX_AHEAD:
        return f"{name} {moment.isoformat()} is more than {MAX_AHEAD.seconds // 60} minutes in the future"
    return None


def _not_a_whole_hour(moment: datetime) -> str | None:
    since = moment - DIRECTORY_EARLIEST
    whole = since % timedelta(hours=1) == timedelta(0)
    return None if whole else f"effective_from {moment.isoformat()} is not a whole UTC hour"
