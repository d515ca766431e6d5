"""An organization of many people in the tables, made inside ClickHouse: the same cells for the same size, every time.

`big_world.sql` says what people do. Small organizations stand beside the big one, so that its cells must be found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from access.keys import create_key, ensure_cursor_secret
from pricing.price_table import load_prices
from queries.dependencies import CELLS
from sinks.client import connect, create_database
from sinks.migrations import migrate
from tally_client.events import EVENTS_BY_TOPIC
from tests.support.table_rows import insert_position

BIG = "aaaaaaaa-0000-4000-8000-0000000000ff"
GROUP = "99999999-0000-4000-8000-000000000001"
UNTIL = date(2026, 11, 20)
"""The first day that has no cells; the day before is the newest complete one."""

NOW = datetime.combine(UNTIL, time(12), UTC)
DATABASE = "big"
SOURCES = {f"{topic}/{partition}@0" for topic in EVENTS_BY_TOPIC for partition in range(4)}
DAYS_AT_ONCE = 10
SMALL_ORGANIZATIONS, SMALL_PEOPLE = 200, 20


@dataclass(frozen=True)
class Size:
    """How many people the big organization has, over how many days."""

    people: int = 100_000
    days: int = 90

    @property
    def first(self) -> date:
        """The first day that has cells."""
        return UNTIL - timedelta(days=self.days)


def make(url: str, size: Size) -> str:
    """Fill a new database, or find the one that is there; the key of the big organization's API."""
    create_database(url, "default", "", DATABASE)
    client = connect(url, database=DATABASE, timeout=600)
    migrate(client)
    if not cells_of(client):
        fill(client, size)
    client.command(dict(_statements())["owner"], parameters={"organization": BIG, "first": size.first})
    ensure_cursor_secret(client, NOW)
    key = create_key(client, BIG, "bench", NOW, NOW + timedelta(days=1))[1]
    client.close()
    return key


def cells_of(client: Client) -> int:
    """How many cells the big organization has, newest versions alone."""
    counts = (
        client.query(f"SELECT count() FROM {kind}_cells FINAL WHERE organization_id = '{BIG}'").result_rows[0][0]
        for kind in CELLS
    )
    return sum(counts)


def fill(client: Client, size: Size) -> None:
    """Directory, profiles, prices, cells of every table, and positions that make every day complete."""
    load_prices(client)
    statements = dict(_statements())
    scope = {"organization": BIG, "group": GROUP, "first": size.first, "people": size.people}
    for name in ("seats", "memberships", "profiles", "terms", "things"):
        client.command(statements[name], parameters=scope)
    for parameters in (*_parts(size), _small(size)):
        for kind in CELLS:
            client.command(statements["doings"] + statements[kind], parameters=parameters)
    settle(client)
    for source in sorted(SOURCES):
        insert_position(client, source, 1 << 40, NOW)


def settle(client: Client) -> None:
    """Months that are over become one part, as ClickHouse makes them a day after their last write."""
    for kind in CELLS:
        parts = (
            "SELECT DISTINCT partition FROM system.parts WHERE active AND database = currentDatabase() "
            f"AND table = '{kind}_cells' AND partition < '{UNTIL:%Y%m}'"
        )
        for (month,) in client.query(parts).result_rows:
            client.command(f"OPTIMIZE TABLE {kind}_cells PARTITION {month} FINAL")


def _parts(size: Size) -> Iterator[dict[str, Any]]:
    for begin in range(0, size.days, DAYS_AT_ONCE):
        days = min(DAYS_AT_ONCE, size.days - begin)
        yield {"people": size.people, "first": size.first + timedelta(days=begin), "days": days, "small": 0}


def _small(size: Size) -> dict[str, Any]:
    people = SMALL_ORGANIZATIONS * SMALL_PEOPLE
    return {"people": people, "first": size.first, "days": size.days, "small": SMALL_ORGANIZATIONS}


def _statements() -> Iterator[tuple[str, str]]:
    """The named parts of big_world.sql; a line `-- name: ...` begins one."""
    for part in Path(__file__).with_suffix(".sql").read_text().split("\n-- name: ")[1:]:
        name, text = part.split("\n", 1)
        yield name.strip(), text.strip().rstrip(";")
