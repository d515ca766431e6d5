"""Rows for tests of the reading side, written straight into the real tables, and a recount of them in plain Python."""

import csv
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
from clickhouse_connect.driver.client import Client

from aggregators.declarations import SPEND
from sinks.clickhouse import connect, create_database, insert_rows
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
SEAT_PLANS = {"team", "enterprise_seat_based"}
LABELS = {"chat": "Chat", "claude_code": "Claude Code", "cowork": "Cowork", "office_agent": "Office Agents", "": ""}


def database(url: str) -> Client:
    """A client of a fresh database with all tables."""
    name = f"t_{uuid4().hex}"
    create_database(url, "default", "", name)
    client = connect(url, database=name)
    migrate(client)
    return client


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


def insert_cells(client: Client, cells: Iterable[Cell]) -> None:
    insert_rows(client, "spend_cells", SPEND.columns, [cell.row() for cell in cells])


def insert_changes(client: Client, changes: Iterable[Change]) -> None:
    columns = ("organization_id", "type", "in_force_from", "subject_id", "detail", "source", "log_offset")
    insert_rows(client, "directory", columns, [change.row() for change in changes])


def insert_people(client: Client, emails: dict[str, str], log_offset: int = 1) -> None:
    columns = ("account_id", "email", "name", "forgotten", "source", "log_offset")
    rows = [
        [account, email, "Somebody" if email else "", int(not email), "tally.profiles/0@0", log_offset]
        for account, email in emails.items()
    ]
    insert_rows(client, "profiles", columns, rows)


def insert_position(client: Client, source: str, next_offset: int, watermark: datetime) -> None:
    columns = ("source", "next_offset", "watermark", "fold_version", "last_record")
    insert_rows(client, "source_positions", columns, [[source, next_offset, f"{text(watermark)}.000", 1, ""]])


# --- an independent recount: the price file and the cells, plain Python, Decimal -------------------------------


class Prices:
    """The price file, read anew: what a unit costs, without the product's expansion."""

    def __init__(self, path: Path) -> None:
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        self.lines: dict[str, list[dict[str, str]]] = defaultdict(list)
        for line in csv.DictReader(lines):
            for model in (line["model"], *line["aliases"].split()):
                self.lines[model].append(line)

    def line(self, model: str, hour: datetime) -> dict[str, str] | None:
        head, _, tail = model.rpartition("-")
        name = head if tail == "latest" or (len(tail) == 8 and tail.isdigit()) else model
        past = [line for line in self.lines[name] if moment(line["effective_from"]) <= hour]
        return max(past, key=lambda line: moment(line["effective_from"]), default=None)

    def tokens(self, cell: Cell) -> list[Decimal] | None:
        """USD of a token of each class, or None."""
        line = self.line(cell.model, cell.hour)
        tier = {"standard": "1", "priority_on_demand": None}.get(cell.service_tier, cell.service_tier)
        if line is None:
            return None
        factors = [tier if tier == "1" else line[tier or "priority"], "1", "1"]
        if cell.inference_geo == "us":
            factors[1] = line["us"]
        if cell.speed == "fast":
            factors[2] = line["fast"]
        long = cell.context_window == "200k-1M"
        if "" in factors or (long and not line["long_input"]):
            return None
        long = long and cell.speed != "fast"
        factor = Decimal(factors[0]) * Decimal(factors[1]) * Decimal(factors[2]) / 1_000_000
        given = Decimal(line["input"]) * factor * (Decimal(line["long_input"]) if long else 1)
        caches = [given * Decimal(line[name]) for name in ("cache_read", "cache_write_5m", "cache_write_1h")]
        return [given, *caches, Decimal(line["output"]) * factor * (Decimal(line["long_output"]) if long else 1)]

    def cost(self, cell: Cell) -> Decimal | None:
        total = Decimal(0)
        if cell.model:
            units = self.tokens(cell)
            if units is None:
                return None
            total += sum((getattr(cell, name) * usd for name, usd in zip(CLASSES, units, strict=True)), Decimal(0))
        tools = self.line("", cell.hour)
        if (cell.web_search_requests or cell.execution_milliseconds) and tools is None:
            return None
        if tools:
            total += cell.web_search_requests * Decimal(tools["web_search"])
            total += cell.execution_milliseconds * Decimal(tools["execution_ms"])
        return total


def moment(day_or_moment: str) -> datetime:
    parsed = datetime.fromisoformat(day_or_moment)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def in_force(world: World, organization: str, kind: str, hour: datetime) -> dict[str, Any]:
    past = [c for c in world.changes if c.organization_id == organization and c.type == kind and c.at <= hour]
    return max(past, key=lambda c: (c.at, c.source, c.log_offset)).detail if past else {}


def kept(cells: Iterable[Cell]) -> list[Cell]:
    """Of several versions of one cell, the one with the greatest stamp."""
    newest: dict[tuple[Any, ...], Cell] = {}
    keys = [name for name in SPEND.columns if name not in SPEND.counters and name != "log_offset"]
    for cell in cells:
        key = tuple(getattr(cell, name) for name in keys)
        if key not in newest or newest[key].log_offset < cell.log_offset:
            newest[key] = cell
    return list(newest.values())


def is_reported(world: World, cell: Cell) -> bool:
    plan = in_force(world, cell.organization_id, "plan.changed", cell.hour).get("plan", "")
    extra = in_force(world, cell.organization_id, "extra_usage.changed", cell.hour).get("enabled", False)
    return plan not in SEAT_PLANS or (cell.funding == "extra_usage" and extra)


def recount(world: World, prices: Prices, organization: str, begins: datetime, ends: datetime) -> list[list[str]]:
    """The rows of the spend report, the header left out."""
    sums: dict[tuple[str, ...], list[Any]] = {}
    for cell in kept(world.cells):
        if cell.organization_id != organization or not begins <= cell.hour < ends or not is_reported(world, cell):
            continue
        account = cell.actor_id if cell.actor_type == "user" else ""
        key = (f"{cell.hour:%Y-%m-%d}", world.emails.get(account, ""), account, LABELS[cell.product], cell.model)
        row = sums.setdefault(key, [0, 0, 0, Decimal(0), Decimal(0)])
        with localcontext() as context:
            context.prec = 100
            gross = prices.cost(cell)
            discount = Decimal(in_force(world, organization, "discount.changed", cell.hour).get("discount", "0"))
            row[0] += cell.requests
            row[1] += sum(getattr(cell, name) for name in CLASSES[:4])
            row[2] += cell.output_tokens
            row[3] = None if gross is None or row[3] is None else row[3] + gross * (1 - discount)
            row[4] = None if gross is None or row[4] is None else row[4] + gross
    return [
        [key[0], organization, *map(safe, key[1:5]), family(prices, key[4]), *map(str, row[:3]), *map(plain, row[3:])]
        for key, row in sorted(sums.items(), key=lambda item: [part.encode() for part in item[0]])
    ]


def safe(cell: str) -> str:
    return "'" + cell if cell[:1] in ("=", "+", "-", "@") and cell else cell


def family(prices: Prices, model: str) -> str:
    line = prices.line(model, datetime(2100, 1, 1, tzinfo=UTC)) if model else None
    return line["family"] if line else ""


def plain(amount: Decimal | None) -> str:
    if amount is None:
        return ""
    shown = f"{amount:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


# --- random lives ------------------------------------------------------------------------------------------------

MODELS = (
    *("claude-opus-4-8", "claude-opus-4-5-20251101", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2"),
    *("claude-opus-4-6-latest", "claude-unheard-of-1", "=1+1"),
)


def random_world(seed: int, first: datetime, hours: int, cells: int = 400) -> World:
    """Three organizations with changing terms, six people and machines, and every price dimension."""
    dice = random.Random(seed)
    organizations = [str(UUID(int=dice.getrandbits(128))) for _ in range(3)]
    people = [str(UUID(int=dice.getrandbits(128))) for _ in range(6)]
    world = World()
    world.emails = {person: f"p{number}@example.com" for number, person in enumerate(people[:4])}
    world.emails[people[4]] = "=cmd@example.com"
    for organization in organizations:
        world.changes.extend(random_changes(dice, organization, first, hours))
    for number in range(cells):
        world.cells.extend(random_cell(dice, number, dice.choice(organizations), people, first, hours))
    return world


def random_changes(dice: random.Random, organization: str, first: datetime, hours: int) -> Iterator[Change]:
    plans = ("team", "enterprise_usage_based", "enterprise_seat_based")
    for number in range(10):
        at = first + dice.randrange(-24, hours) * HOUR
        kind = dice.choice(("plan.changed", "extra_usage.changed", "discount.changed"))
        detail: dict[str, Any] = {"plan": dice.choice(plans)}
        if kind == "extra_usage.changed":
            detail = {"enabled": dice.random() < 0.6}
        if kind == "discount.changed":
            detail = {"discount": dice.choice(("0", "0.15", "0.333333", "1", "0.000001"))}
        yield Change(organization, kind, at, detail, number)
        if dice.random() < 0.3:  # a second change of the same kind, in force from the same hour
            yield Change(
                organization, kind, at, detail | {"plan": "team", "enabled": False, "discount": "0.5"}, 50 + number
            )


def random_cell(
    dice: random.Random, number: int, organization: str, people: list[str], first: datetime, hours: int
) -> Iterator[Cell]:
    cell = Cell(
        organization,
        first + dice.randrange(hours) * HOUR,
        dice.choice(people),
        source=f"tally.token/{dice.randrange(3)}@0",
        actor_type=dice.choice(("user", "user", "user", "api_key")),
        product=dice.choice(tuple(LABELS)),
        model=dice.choice(MODELS),
        service_tier=dice.choice(("standard", "standard", "batch", "priority", "priority_on_demand", "flex")),
        context_window=dice.choice(("", "0-200k", "200k-1M")),
        inference_geo=dice.choice(("", "global", "us")),
        speed=dice.choice(("", "", "standard", "fast")),
        funding=dice.choice(("usage_based", "seat_allotment", "extra_usage")),
        attribution_id=dice.choice((NIL, people[0])),
        log_offset=1000 + number,
        requests=dice.randrange(1, 50),
        web_search_requests=dice.choice((0, 0, 3)),
        **{name: dice.choice((0, 1, dice.randrange(10**12))) for name in CLASSES},
    )
    if dice.random() < 0.2:
        cell = Cell(
            **{**cell.__dict__, "model": "", "service_tier": "", "context_window": "", "inference_geo": "", "speed": ""}
            | {"requests": 0, "web_search_requests": 0, "execution_milliseconds": dice.randrange(10**10)}
            | dict.fromkeys(CLASSES, 0)
        )
    yield cell
    if dice.random() < 0.3:  # an older version of the same cell, as a stale writer leaves it
        yield Cell(**{**cell.__dict__, "log_offset": cell.log_offset - 500, "requests": 10**6})
