"""A world whose usage all has a price, with groups that stand for cost centres, and its export in FOCUS."""

import csv
import io
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from clickhouse_connect.driver.client import Client

from pricing.price_table import DEFAULT_PRICE_LIST
from reports.exports.focus.columns import NAMES
from reports.exports.formats import focus_form
from reports.exports.manifest import WrittenReport
from reports.periods import Period
from sinks.client import insert_rows
from tests.reference.model.prices import Prices
from tests.reference.spend_report import usage_of
from tests.support.random_worlds import random_world
from tests.support.table_rows import World, insert_cells, insert_changes, insert_people

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
PERIOD = Period("custom", date(2026, 10, 2), date(2026, 10, 11))
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """A row of the directory about groups: what, when, of whom."""

    organization_id: str
    type: str
    at: datetime
    subject_id: str
    detail: dict[str, Any]
    log_offset: int


def random_steps(seed: int, organization: str, people: list[str], first: datetime, days: int) -> list[Step]:
    """Groups that stand for cost centres and change them, and people who come and go, at any instant."""
    dice = random.Random(f"{seed} {organization}")
    groups = [str(UUID(int=dice.getrandbits(128))) for _ in range(4)]
    steps: list[Step] = []

    def put(kind: str, subject: str, **detail: Any) -> None:
        at = first + timedelta(seconds=dice.randrange(-86400, days * 86400), microseconds=dice.randrange(10**6))
        steps.append(Step(organization, kind, at, subject, detail, len(steps)))

    for group in groups * 3:
        put("group.saved", group, name="G", cost_center=dice.choice(("CC-1", "CC-2", "=CC", None)))
    for _ in range(60):
        group = dice.choice(groups)
        put(dice.choice(("group.joined", "group.joined", "group.left")), group, account_id=dice.choice(people))
    put("group.deleted", groups[0])
    put("member.removed", people[0])
    put("account.deleted", people[1])
    return steps


def insert_steps(client: Client, steps: Iterable[Step]) -> None:
    """Write the steps as rows of the directory."""
    columns = ("organization_id", "type", "in_force_from", "subject_id", "detail", "source", "log_offset")
    rows = [
        [
            *(step.organization_id, step.type, f"{step.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}", step.subject_id),
            *(orjson.dumps({"type": step.type, **step.detail}).decode(), "tally.directory/7@0", step.log_offset),
        ]
        for step in steps
    ]
    insert_rows(client, "directory", columns, rows)


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
    cells = [cell for cell in world.cells if known.cost(usage_of(cell)) is not None]
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
