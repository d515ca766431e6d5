"""Events and records for tests of folds, as a producer would send them, and what folds give in readable form."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aggregators.folds import fold_for
from aggregators.increments import Folded
from aggregators.validity import IdInterner
from aggregators.windows import WINDOW_TEXT
from tally_client.events import decoder
from tally_client.validity import InvalidRecord

NIL = "00000000-0000-0000-0000-000000000000"

LOG_TIME = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
LOG_MS = int(LOG_TIME.timestamp() * 1000)


def uuid(number: int) -> str:
    """A UUID that a reader can tell from others."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


ORGANIZATION, PERSON, PROJECT, THING = uuid(0xA), uuid(0xB), uuid(0xC), uuid(0xD)


@dataclass
class LogRecord:
    """One record of a log; `timestamp` is the broker's, in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def entry(kind: str, **fields: Any) -> dict[str, Any]:
    """A directory or profile event."""
    envelope = {"event_id": uuid(1), "occurred_at": "2026-03-01T12:00:00Z", "organization_id": ORGANIZATION}
    return {"type": kind, **envelope, **fields}


def activity(kind: str, **fields: Any) -> dict[str, Any]:
    """An activity or usage event of PERSON."""
    return entry(kind, **{"actor": {"type": "user", "id": PERSON}, **fields})


def token(**fields: Any) -> dict[str, Any]:
    """A token.used event."""
    return activity("token.used", **{"request_id": "r", "model": "m", "funding": "usage_based", **fields})


def record(offset: int, event: Any, *, timestamp: int = LOG_MS, key: bytes | None = None) -> LogRecord:
    """A record whose value is the event as JSON; bytes and None stand for themselves."""
    return LogRecord(offset, timestamp, key, event if event is None or type(event) is bytes else to_json(event))


def to_json(event: Any) -> bytes:
    """The bytes of a record's value."""
    return json.dumps(event).encode()


def fold(topic: str, event: dict[str, Any], log_ms: int = LOG_MS) -> Folded:
    """What a new fold of the topic gives for one event. Raises InvalidRecord."""
    return fold_for(topic)(decoder(topic).decode(to_json(event)), log_ms)


def refusal(topic: str, event: dict[str, Any], log_ms: int = LOG_MS) -> str:
    """The reason for which the fold refuses the event, or "" if it does not."""
    try:
        fold(topic, event, log_ms)
    except InvalidRecord as error:
        return error.reason
    return ""


def cells(folded: Folded, table: str) -> dict[tuple[Any, ...], dict[str, int]]:
    """(organization, window text, *key) to the counters that gain, of one table."""
    found: dict[tuple[Any, ...], dict[str, int]] = {}
    for declaration, (organization, window), key, (zero, *amounts) in folded[0]:
        if declaration.name != table:
            continue
        assert zero == 0, "the first amount stands where the stamp is, and must leave it alone"
        assert len(key) == len(declaration.key)
        gains = dict(zip(declaration.counters, amounts, strict=True))
        place = (organization, WINDOW_TEXT[declaration.window](window), *key)
        assert place not in found, "an event is one change of a cell"
        found[place] = {counter: gain for counter, gain in gains.items() if gain}
    return found


def rows(folded: Folded) -> list[tuple[str, tuple[Any, ...]]]:
    """The whole rows that an event adds."""
    return [(row.table, row.values) for row in folded[1]]


def ids() -> IdInterner:
    """A memory of ids that is empty."""
    return IdInterner()
