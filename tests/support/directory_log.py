"""Events of directory and profiles, written into any partition in any order, and folded at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from aggregators.deduplication import Horizon
from aggregators.source import Source
from sinks.store import Store
from tests.support.fold_records import LogRecord, to_json, uuid

ACME, OTHER = uuid(0xA), uuid(0xB)


ADA, BOB, GROUP = uuid(0x51), uuid(0x52), uuid(0x60)


LOG_BEGIN = datetime(2026, 11, 30, 12, tzinfo=UTC)


TEN, ELEVEN, NOON = "2026-11-27T10:00:00Z", "2026-11-27T11:00:00Z", "2026-11-27T12:00:00Z"


Said = dict[str, Any] | str
"""An event, or the account that a tombstone forgets."""


class Log:
    """Partitions that are folded as they are written; each record is logged a second after the one before."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._sources: dict[str, Source] = {}
        self._seconds = 0

    def put(self, topic: str, partition: int, *said: Said, first: int | None = None, seconds: int = 1) -> None:
        """Append to a partition, from the offset `first` on, and fold it."""
        name = f"{topic}/{partition}@0"
        source = self._sources.setdefault(name, Source(topic, name, first or 0, Horizon(1 << 16, 4)))
        records = []
        for number, each in enumerate(said):
            self._seconds += seconds
            logged_ms = int((LOG_BEGIN + timedelta(seconds=self._seconds)).timestamp() * 1000)
            key, value = (each.encode(), None) if isinstance(each, str) else (b"key", to_json(each))
            records.append(LogRecord(source.next_offset + number, logged_ms, key, value))
        prepared = source.prepare(source.cursor, records[-1].offset + 1, records)
        assert not prepared.letters, prepared.letters
        source.apply(prepared)
        for table, rows in source.snapshot().rows.items():
            Store(self.client).write(table, rows)

    def people(self) -> list[tuple[str, str, int]]:
        """(organization, e-mail, forgotten) of everybody in the view."""
        query = "SELECT toString(organization_id), email, toUInt8(forgotten) FROM people ORDER BY ALL"
        return [tuple(row) for row in self.client.query(query).result_rows]

    def emails(self, organization: str) -> dict[str, str]:
        """What an organization is shown."""
        query = "SELECT toString(account_id), email FROM people_of(organization_id = {organization:UUID})"
        return dict(self.client.query(query, parameters={"organization": organization}).result_rows)


_numbers = iter(range(1 << 20, 1 << 24))


def says(kind: str, organization: str = ACME, at: str = TEN, **fields: Any) -> dict[str, Any]:
    """An event with an id of its own."""
    envelope = {"type": kind, "event_id": uuid(next(_numbers)), "occurred_at": at, "organization_id": organization}
    return {**envelope, **fields}


def profile(email: str, at: str = TEN, organization: str = ACME, account: str = ADA) -> dict[str, Any]:
    """A profile of a person, named like the e-mail address."""
    return says("profile.updated", organization, at, account_id=account, email=email, name=email.partition("@")[0])
