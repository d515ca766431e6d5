"""Verification of the audit log's hash chain: no entry was changed, and none was removed from between others.

A hash chain cannot show that its end was cut off or that all of it was rewritten. To detect that, note the head of the
chain somewhere else from time to time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from access.audit_log import COLUMNS, EPOCH, AuditEntry, entry_hash
from queries.sql_files import fetch
from queries.streaming import stream_rows
from sinks.datetimes import clickhouse_timestamp

FOLDER = Path(__file__).parent
MOST_TOLD = 20


@dataclass(frozen=True)
class Chain:
    """The number of entries, the hash of the newest, and the first MOST_TOLD problems, as sentences."""

    entries: int
    head: str
    wrong: tuple[str, ...]


def verify_chain(client: Client, head: str = "") -> Chain:
    """Check every entry, and with the `head` of an earlier check also that its entry is still present."""
    entries, heads, wrong = 0, set[str](), list[str]()
    writer, last = "", 0
    newest: tuple[datetime, int, str] = (EPOCH, 0, "")
    for entry, (of, number, previous, told) in _entries(client):
        entries += 1
        expected = last + 1 if of == writer else 1
        where = f"{clickhouse_timestamp(entry.moment, 'microseconds')}, writer {of}, number {number}"
        if entry_hash(entry, of, number, previous) != told:
            wrong.append(f"The entry of {where} was changed.")
        elif number != expected:
            wrong.append(f"Entries before the one of {where} are missing, from number {expected} on.")
        writer, last = of, number
        newest = max(newest, (entry.moment, number, told))
        heads.update({told} & {head})
    for row in fetch(client, FOLDER / "audit_orphans.sql"):
        moment = clickhouse_timestamp(_moment(row["moment_us"]), "microseconds")
        wrong.append(f"The entry before that of {moment}, writer {row['writer']}, is missing.")
    if head and not heads:
        wrong.append(f"The entry {head} is missing, and possibly all entries after it.")
    return Chain(entries, newest[2], tuple(wrong[:MOST_TOLD]))


def _entries(client: Client) -> Iterator[tuple[AuditEntry, tuple[str, int, str, str]]]:
    width = len(COLUMNS) + 4
    for row in stream_rows(client, FOLDER / "audit_chain.sql", {}, width):
        values: dict[str, Any] = dict(zip(COLUMNS, row, strict=False))
        numbers = {name: None if values[name] is None else int(values[name]) for name in ("moment", "rows")}
        moment = _moment(numbers["moment"] or 0)
        of, number, previous, told = row[len(COLUMNS) :]
        yield AuditEntry(**values | {"moment": moment, "rows": numbers["rows"]}), (of, int(number), previous, told)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
