"""A world whose usage all has a price, with groups that stand for cost centres, and its export in FOCUS."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from pricing.price_table import DEFAULT_PRICE_LIST
from reports.exports.focus.columns import NAMES
from reports.exports.formats import focus_form
from reports.exports.manifest import WrittenReport
from reports.periods import Period
from tests.reference.focus import Step, insert_steps, random_steps
from tests.reference.spend_report import Prices
from tests.support.random_worlds import random_world
from tests.support.table_rows import World, insert_cells, insert_changes, insert_people

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
PERIOD = Period("custom", date(2026, 10, 2), date(2026, 10, 11))
Rows = list[dict[str, Any]]


def price_list(folder: Path) -> Path:
    """The shipped list, and one model that costs more from an afternoon on."""
    path = folder / "prices.csv"
    lines = DEFAULT_PRICE_LIST.read_text().splitlines()
    listed = list(csv.reader(line for line in lines if line and not line.startswith("#")))
    cells = dict(zip(listed[0], [line for line in listed if line[1] == "claude-opus-4-8"][-1], strict=True))
    cells |= {"input": "7.77", "effective_from": "2026-10-05T13:00Z"}
    text = io.StringIO()
    csv.writer(text).writerow(cells.values())
    path.write_text("\n".join([*lines, text.getvalue()]))
    return path


def priced_world(seed: int, prices: Path) -> tuple[World, list[Step]]:
    """A random world whose usage all has a price, and its groups."""
    world, known = random_world(seed, FIRST, 12 * 24, cells=900), Prices(prices)
    cells = [cell for cell in world.cells if known.cost(cell) is not None]
    named = {account for account, email in world.emails.items() if email.startswith("=")}
    people = sorted({cell.actor_id for cell in cells}, key=lambda account: (account in named, account))
    steps = [
        step
        for organization in sorted({cell.organization_id for cell in cells})
        for step in random_steps(seed, organization, people, FIRST, 12)
    ]
    return World(cells, world.changes, world.emails), steps


def put_world(client: Client, seed: int, prices: Path) -> tuple[World, list[Step]]:
    """The world of `seed`, in ClickHouse."""
    world, steps = priced_world(seed, prices)
    insert_changes(client, world.changes)
    insert_steps(client, steps)
    insert_people(client, world.organizations, world.emails)
    insert_cells(client, world.cells)
    return world, steps


def organizations(world: World) -> list[str]:
    return world.organizations


def export(client: Client, organization: str, suffix: str, period: Period = PERIOD) -> tuple[bytes, WrittenReport]:
    sink = io.BytesIO()
    written = focus_form(suffix).write(client, organization, period, sink, None)
    return sink.getvalue(), written


def read_csv(data: bytes) -> Rows:
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    assert tuple(rows.fieldnames or ()) == NAMES
    return [{name: cell or None for name, cell in row.items()} for row in rows]
