"""Rows for tests of the reading side, written straight into the real tables."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import uuid4

import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError

from aggregators.cell_tables import SPEND, CellTable
from pricing.price_table import load_prices
from sinks.client import connect, create_database, insert_rows
from sinks.migrations import migrate

NIL = "00000000-0000-0000-0000-000000000000"
HOUR = timedelta(hours=1)
CLASSES = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "output_tokens",
)


_made: defaultdict[str, list[str]] = defaultdict(list)
"""What `database` has made, by the address of its server."""


def database(url: str) -> Client:
    """A client of a fresh database with all tables, which is there until its module has ended."""
    name = f"t_{uuid4().hex}"
    create_database(url, "default", "", name)
    _made[url].append(name)
    client = connect(url, database=name)
    migrate(client)
    return client


def drop_databases() -> None:
    """Drop the databases that tests were given: a server works for their tables, 0.5 % of a core for each database."""
    for url, names in _made.items():
        with suppress(OperationalError), closing(connect(url, database="default")) as client:  # it may be gone itself
            for name in names:
                client.command(f"DROP DATABASE IF EXISTS {name}")
    _made.clear()


def load_text(client: Client, prices: str) -> None:
    """Put a list of prices in force, whatever was issued by another."""
    with NamedTemporaryFile("w", suffix=".csv") as file:
        file.write(prices)
        file.flush()
        load_prices(client, Path(file.name), revise=True)


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Cell:
    """One row of spend_cells."""

    organization_id: str
    hour: datetime
    actor_id: str
    source: str = "tally.token/0@0"
    actor_type: str = "user"
    product: str = "chat"
    model: str = "claude-opus-4-8"
    service_tier: str = "standard"
    context_window: str = ""
    inference_geo: str = ""
    speed: str = ""
    funding: str = "usage_based"
    attribution_id: str = NIL
    log_offset: int = 0
    requests: int = 1
    uncached_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_5m_input_tokens: int = 0
    cache_creation_1h_input_tokens: int = 0
    output_tokens: int = 0
    web_search_requests: int = 0
    execution_spans: int = 0
    execution_milliseconds: int = 0

    def row(self) -> list[Any]:
        values = {**self.__dict__, "hour": text(self.hour)}
        return [values[column] for column in SPEND.columns]


@dataclass
class Change:
    """One row of directory that prices usage."""

    organization_id: str
    type: str
    at: datetime
    detail: dict[str, Any]
    log_offset: int
    source: str = "tally.directory/0@0"

    def row(self) -> list[Any]:
        detail = orjson.dumps({"type": self.type, **self.detail}).decode()
        return [self.organization_id, self.type, f"{text(self.at)}.000000", "", detail, self.source, self.log_offset]


@dataclass
class World:
    """What the tables hold, for the recount."""

    cells: list[Cell] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    emails: dict[str, str] = field(default_factory=dict)

    @property
    def organizations(self) -> list[str]:
        return sorted({cell.organization_id for cell in self.cells})


def insert_cells(client: Client, cells: Iterable[Cell]) -> None:
    insert_rows(client, "spend_cells", SPEND.columns, [cell.row() for cell in cells])


def insert_changes(client: Client, changes: Iterable[Change]) -> None:
    columns = ("organization_id", "type", "in_force_from", "subject_id", "detail", "source", "log_offset")
    insert_rows(client, "directory", columns, [change.row() for change in changes])


def insert_people(client: Client, organizations: Iterable[str], emails: dict[str, str], log_offset: int = 1) -> None:
    """What these organizations tell of people; an empty e-mail is a tombstone."""
    columns = ("organization_id", "account_id", "email", "name", "forgotten", "source", "log_offset")
    told = [
        [organization, account, email, "Somebody", 0, "tally.profiles/0@0", log_offset]
        for organization in sorted(set(organizations))
        for account, email in emails.items()
        if email
    ]
    forgotten = [
        [NIL, account, "", "", 1, "tally.profiles/0@0", log_offset] for account, email in emails.items() if not email
    ]
    insert_rows(client, "profiles", columns, told + forgotten)


def insert_position(client: Client, source: str, next_offset: int, watermark: datetime) -> None:
    columns = ("source", "next_offset", "watermark", "fold_version", "last_record")
    insert_rows(client, "source_positions", columns, [[source, next_offset, f"{text(watermark)}.000", 1, ""]])


def insert(client: Client, table: CellTable, rows: list[dict[str, Any]]) -> None:
    """Rows by column name; what is not named is empty, nil or 0."""
    columns = ("source", "organization_id", table.window, *table.key, "log_offset", *table.counters)

    def usual(column: str) -> Any:
        if column in (*table.counters, "log_offset", "is_remote"):
            return 0
        return NIL if column.endswith("_id") else ""

    insert_rows(client, table.name, columns, [[row.get(column, usual(column)) for column in columns] for row in rows])
