"""Events in tables without Kafka or workers: the real folds over records in memory, written to the real ClickHouse."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zlib import crc32

from clickhouse_connect.driver.client import Client

from aggregators.deduplication import Horizon
from aggregators.source import Source, mark_flushed
from intake.ndjson import ProducerRecord
from reports.metrics import QueryContext, open_context
from sinks.store import Store
from tally_client.events import EVENTS_BY_TOPIC, PROFILES, TOPIC_BY_TYPE
from tests.support.fold_records import LogRecord, uuid
from tests.support.table_rows import insert_position

PARTITIONS = 2
GRACE = timedelta(hours=2)
SOURCES = [f"{topic}/{partition}@0" for topic in EVENTS_BY_TOPIC for partition in range(PARTITIONS)]

Event = dict[str, Any]


class Folded:
    """A database that takes lines as a log would, and what was said so far, in order, for the recount.

    `events` holds what each line says; a tombstone is an event of type "tombstone".
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.events: list[Event] = []
        self._sources = {name: Source(name.partition("/")[0], name, 0, Horizon(1 << 16, 2)) for name in SOURCES}
        self._next_id = 1 << 24

    def take(self, lines: Iterable[ProducerRecord], logged_at: datetime) -> None:
        """Fold and write these lines, all with this log time."""
        batches: dict[str, list[LogRecord]] = {}
        for line in lines:
            name = f"{line.topic}/{crc32(line.key) % PARTITIONS}@0"
            batch = batches.setdefault(name, [])
            offset = self._sources[name].next_offset + len(batch)
            batch.append(LogRecord(offset, int(logged_at.timestamp() * 1000), line.key, line.value))
            self.events.append(_said(line))
        for name, batch in batches.items():
            self._fold(self._sources[name], batch)

    def say(self, *events: Event) -> None:
        """Fold events that a test has written by hand; what they lack of an envelope is given to them."""
        said = [{"event_id": uuid(self._next_id + number), **event} for number, event in enumerate(events)]
        self._next_id += len(events)
        logged_at = max(datetime.fromisoformat(event["occurred_at"]) for event in said) + timedelta(days=9)
        self.take((_line(event) for event in said), logged_at)

    def reach(self, moment: datetime) -> None:
        """All that the log had received by `moment` is in the tables now."""
        for name, source in self._sources.items():
            insert_position(self.client, name, source.next_offset, moment)

    def look(self, organization_id: str) -> QueryContext:
        """A reading of the organization."""
        return open_context(self.client, organization_id, SOURCES, GRACE)

    def _fold(self, source: Source, records: list[LogRecord]) -> None:
        prepared = source.prepare(source.cursor, records[-1].offset + 1, records)
        assert not prepared.letters, prepared.letters[0]
        source.apply(prepared)
        snapshot = source.snapshot()
        for table, rows in snapshot.rows.items():
            Store(self.client).write(table, rows)
        mark_flushed(snapshot)


def at(day: date, clock: str = "12:00") -> datetime:
    """A moment of a UTC day."""
    return datetime.combine(day, time.fromisoformat(clock), UTC)


def _said(line: ProducerRecord) -> Event:
    if line.value is None:
        return {"type": "tombstone", "event_id": f"tombstone {line.key!r}", "account_id": line.key.decode()}
    event: Event = json.loads(line.value)
    return event


def _line(event: Event) -> ProducerRecord:
    if event["type"] == "tombstone":
        return ProducerRecord(PROFILES, event["account_id"].encode(), None, event["occurred_at"])
    topic = TOPIC_BY_TYPE[event["type"]]
    key = event["actor"]["id"] if "actor" in event else event["organization_id"]
    key = event["account_id"] if topic == PROFILES else key
    return ProducerRecord(topic, key.encode(), json.dumps(event).encode(), event["occurred_at"])
