"""A recount of FOCUS charges in plain Python: cells, the price file, and the directory's groups, replayed."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

import orjson
from clickhouse_connect.driver.client import Client

from sinks.client import insert_rows
from tests.reference.spend_report import Prices, in_force, is_reported, kept
from tests.support.table_rows import CLASSES, Cell, World

METERS = dict(
    zip(
        CLASSES,
        (
            *("Uncached Input Tokens", "Cache Read Input Tokens", "Cache Write 5m Input Tokens"),
            *("Cache Write 1h Input Tokens", "Output Tokens"),
        ),
        strict=True,
    )
)
SEARCH, EXECUTION = Decimal("0.01"), Decimal("0.000000013888888889")
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Step:
    """An event about groups: what, when, of whom."""

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
    columns = ("organization_id", "type", "in_force_from", "subject_id", "detail", "source", "log_offset")
    rows = [
        [
            *(step.organization_id, step.type, f"{step.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}", step.subject_id),
            *(orjson.dumps({"type": step.type, **step.detail}).decode(), "tally.directory/7@0", step.log_offset),
        ]
        for step in steps
    ]
    insert_rows(client, "directory", columns, rows)


def cost_center(steps: Iterable[Step], organization: str, account: str, hour: datetime) -> str:
    """The cost centre of a person as an hour begins, by replaying all that happened until then."""
    centers: dict[str, str | None] = {}
    since: dict[tuple[str, str], datetime] = {}
    past = [step for step in steps if step.organization_id == organization and step.at <= hour]
    for step in sorted(past, key=lambda step: (step.at, step.log_offset)):
        kind, subject = step.type, step.subject_id
        if kind == "group.saved":
            centers[subject] = step.detail["cost_center"]
        elif kind == "group.joined":
            since.setdefault((subject, step.detail["account_id"]), step.at)
        elif kind == "group.left":
            since.pop((subject, step.detail["account_id"]), None)
        else:
            place = 0 if kind == "group.deleted" else 1
            since = {key: at for key, at in since.items() if key[place] != subject}
    mine = [(at, group) for (group, person), at in since.items() if person == account and centers.get(group)]
    return str(centers[min(mine)[1]]) if mine else ""


def recount(
    world: World, steps: list[Step], prices: Prices, organization: str, begins: datetime, ends: datetime
) -> dict[Key, int]:
    """(day, cost centre, actor type and id, product, model, meter, price dimensions, price, discount) to a quantity."""
    charges: dict[Key, int] = defaultdict(int)
    for cell in kept(world.cells):
        if cell.organization_id != organization or not begins <= cell.hour < ends or not is_reported(world, cell):
            continue
        center = cost_center(steps, organization, cell.actor_id, cell.hour) if cell.actor_type == "user" else ""
        discount = Decimal(in_force(world, organization, "discount.changed", cell.hour).get("discount", "0"))
        who = (f"{cell.hour:%Y-%m-%d}", center, cell.actor_type, cell.actor_id, cell.product, cell.model)
        for meter, dimensions, price, quantity in units(cell, prices):
            if quantity:
                charges[*who, meter, dimensions, price, discount] += quantity
    return dict(charges)


def units(cell: Cell, prices: Prices) -> Iterable[tuple[str, tuple[str, ...], Decimal, int]]:
    """What a cell's counts are priced by."""
    window, geo, speed = cell.context_window or "0-200k", cell.inference_geo or "global", cell.speed or "standard"
    with localcontext() as context:
        context.prec = 60
        for name, price in zip(CLASSES, prices.tokens(cell) or [] if cell.model else [], strict=False):
            yield METERS[name], (cell.service_tier, window, geo, speed), price.normalize(), getattr(cell, name)
    yield "Web Searches", (), SEARCH, cell.web_search_requests
    yield "Code Execution", (), EXECUTION, cell.execution_milliseconds
