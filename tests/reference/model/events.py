"""Which events count, and for which moment."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

Event = dict[str, Any]
"""An event as it was sent. `tombstone` is the type of a record that forgets a person."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def once(events: Iterable[Event]) -> list[Event]:
    """Return each event at its first place in the log; those that repeat its id count nothing, whatever they say.

    docs/events.md, "Duplicates and their horizon": an id belongs to an organization and a type.
    """
    first: dict[tuple[str | None, str, str], Event] = {}
    for event in events:
        first.setdefault((event.get("organization_id"), event["type"], event["event_id"]), event)
    return list(first.values())


@cache
def parse_moment(text: str) -> datetime:
    """Return a moment in UTC; a day is its midnight in UTC."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def moment_of(event: Event) -> datetime:
    """Return the moment at which an event happened. An event counts there, however late it arrives (docs/events.md)."""
    return parse_moment(event["occurred_at"])


def counted_at(event: Event) -> datetime:
    """Return the moment that an event counts for: what befalls an artifact counts on the day of its creation
    (docs/events.md, "Topics")."""
    return parse_moment(event.get("created_at") or event["occurred_at"])


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events in order of time, and of the log at the same instant (docs/events.md, "Records that contradict each
    other")."""
    return sorted(events, key=moment_of)


def before(events: Iterable[Event], moment: datetime) -> list[Event]:
    """Return the events that happened before a moment, in order."""
    return [event for event in in_order(events) if moment_of(event) < moment]


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def start_of(day: date) -> datetime:
    """Return the first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def end_of(day: date) -> datetime:
    """Return the first instant after a day."""
    return start_of(day) + DAY
