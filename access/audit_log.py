"""The audit log: who signed in and out, read spend or exported it. Append-only: no entry is changed or removed."""

import hashlib
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

import orjson
from clickhouse_connect.driver.client import Client

from queries.per_client import PerClient
from queries.sql_files import fetch
from sinks.client import insert_rows
from sinks.datetimes import clickhouse_timestamp
from tally_client.events.envelope import NIL

FOLDER = Path(__file__).parent
ENTIRE = 2**63 - 1
"""A limit above the number of entries."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_BYTES = 4096
PLACE = ("writer", "number", "previous", "entry_sha256")

SIGN_IN, SIGN_OUT, READ, EXPORT = "sign-in", "sign-out", "read of spend", "export"
LINK, IDENTITY, KEY, DIRECTORY = "link", "identity", "key", "directory"
MONEY, AUDIT = "money", "audit"
DONE, BEGUN, BROKEN_OFF = "done", "begun", "broken off"


@dataclass(frozen=True)
class AuditEntry:
    """One audited action.

    `actor` is "key ID", "person UUID", "operator NAME" or "system user NAME", never a secret, and empty if unknown;
    `organization_id` is all zeros if unknown.

    `filter`: the parameters as given, as JSON. `rows` and `sha256` describe the response body or file. `outcome` is
    "done", "begun" (a body that is streamed; its end is a separate entry), "broken off", or "refused: " and the reason.
    `address` is the client's.
    """

    moment: datetime
    actor: str
    action: str
    outcome: str
    organization_id: str = NIL
    route: str = ""
    filter: str = ""
    rows: int | None = None
    sha256: str = ""
    request_id: str = ""
    address: str = ""


COLUMNS = tuple(field.name for field in fields(AuditEntry))


def write_entry(client: Client, entry: AuditEntry) -> None:
    """Write the entry and return once ClickHouse has confirmed it. Do not send what it records before that."""
    _writer_of(client).write(client, bounded(entry))


def bounded(entry: AuditEntry) -> AuditEntry:
    """Return the entry with every text cut to MOST_BYTES, since a client may send parameters of any length."""
    texts: dict[str, Any] = {name: _cut(value) for name, value in vars(entry).items() if isinstance(value, str)}
    return replace(entry, **texts)


def entry_hash(entry: AuditEntry, writer: str, number: int, previous: str) -> str:
    """Return the SHA-256 of an entry, its place in the chain and the hash of the entry before it."""
    moment_us = (entry.moment - EPOCH) // timedelta(microseconds=1)
    return hashlib.sha256(orjson.dumps([previous, writer, number, moment_us, *astuple(entry)[1:]])).hexdigest()


class Writer:
    """Appends entries one at a time, each with the hash of the newest entry in the log."""

    def __init__(self) -> None:
        self._id = str(uuid4())
        self._number = 0
        self._writing = Lock()

    def write(self, client: Client, entry: AuditEntry) -> None:
        """Append an entry. After a failed insert it may be in the log or not, so the next one starts a new count."""
        with self._writing:
            newest = fetch(client, FOLDER / "audit_newest.sql")
            previous, number = newest[0]["entry_sha256"] if newest else "", self._number + 1
            place = (self._id, number, previous, entry_hash(entry, self._id, number, previous))
            moment = clickhouse_timestamp(entry.moment, "microseconds")
            try:
                insert_rows(client, "audit_log", COLUMNS + PLACE, [(moment, *astuple(entry)[1:], *place)])
                self._number = number
            except BaseException:
                self._id, self._number = str(uuid4()), 0
                raise


_writer_of = PerClient(Writer)


def _cut(text: str) -> str:
    whole = text.encode("utf-8", "replace")
    if len(whole) <= MOST_BYTES:
        return whole.decode()
    kept, rest = whole[:MOST_BYTES].decode("utf-8", "ignore"), whole[MOST_BYTES:]
    return f"{kept}... and {len(rest)} bytes of SHA-256 {hashlib.sha256(rest).hexdigest()}"


def read_entries(client: Client, organization_id: str, since: datetime, limit: int) -> list[AuditEntry]:
    """Return the newest `limit` entries from `since` on, oldest first; with "", of all organizations and of none."""
    since_us = int(since.timestamp()) * 1_000_000
    parameters = {"organization_id": organization_id, "since_us": since_us, "limit": limit or ENTIRE}
    return [
        AuditEntry(moment=datetime.fromtimestamp(row.pop("moment_us") / 1_000_000, UTC), **row)
        for row in reversed(fetch(client, FOLDER / "audit_entries.sql", parameters))
    ]
