"""An independent recount of the spend report: the price file and the cells, in plain Python with Decimal.

It reads the price list itself and imports nothing of what it checks.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

from aggregators.cell_tables import SPEND
from tests.support.table_rows import CLASSES, LABELS, Cell, World

SEAT_PLANS = {"team", "enterprise_seat_based"}


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
