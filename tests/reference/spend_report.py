"""A recount of the spend report from the rows of the tables: charges for the newest version of each cell."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.reference.model.money import usd_text
from tests.reference.model.prices import Prices
from tests.reference.model.terms import FIELDS, Change, Charge, Terms, charges
from tests.reference.model.usage import TOKENS, Usage

if TYPE_CHECKING:
    from tests.support.table_rows import Cell, World

COUNTERS = (*TOKENS, "requests", "web_search_requests", "execution_spans", "execution_milliseconds")
LABELS = {"chat": "Chat", "claude_code": "Claude Code", "cowork": "Cowork", "office_agent": "Office Agents", "": ""}


def kept(cells: Iterable["Cell"]) -> list["Cell"]:
    """Return of several versions of one cell the one with the greatest stamp."""
    newest: dict[tuple[Any, ...], Cell] = {}
    for cell in cells:
        key = tuple(value for name, value in asdict(cell).items() if name not in (*COUNTERS, "log_offset"))
        if key not in newest or newest[key].log_offset < cell.log_offset:
            newest[key] = cell
    return list(newest.values())


def usage_of(cell: "Cell") -> Usage:
    """Return what a cell holds."""
    return Usage(
        organization_id=cell.organization_id,
        at=cell.hour,
        actor_type=cell.actor_type,
        actor_id=cell.actor_id,
        product=cell.product,
        model=cell.model,
        service_tier=cell.service_tier,
        context_window=cell.context_window,
        inference_geo=cell.inference_geo,
        speed=cell.speed,
        funding=cell.funding,
        requests=cell.requests,
        spans=cell.execution_spans,
        counts=(*(getattr(cell, name) for name in TOKENS), cell.web_search_requests, cell.execution_milliseconds),
        attribution={"id": cell.attribution_id},
    )


def terms_of(world: "World") -> Terms:
    """Return the terms that rows of the directory say."""
    return Terms(
        Change(row.organization_id, row.type, row.at, (row.source, row.log_offset), row.detail[FIELDS[row.type]])
        for row in world.changes
    )


def charged(
    world: "World", prices: Prices, organization: str, begins: datetime, ends: datetime
) -> Iterator[Charge]:  # fmt: skip
    """Yield what is charged for the cells of a period."""
    cells = (cell for cell in kept(world.cells) if cell.organization_id == organization and begins <= cell.hour < ends)
    return charges(map(usage_of, cells), terms_of(world), prices)


def recount(world: "World", prices: Prices, organization: str, begins: datetime, ends: datetime) -> list[list[str]]:
    """Return the rows of the spend report, the header left out."""
    sums: dict[tuple[str, ...], list[Any]] = {}
    for charge in charged(world, prices, organization, begins, ends):
        used = charge.used
        email = world.emails.get(used.person, "")
        key = (f"{used.at:%Y-%m-%d}", email, used.person, LABELS[used.product], used.model)
        counts = (used.requests, used.prompt_tokens, used.output_tokens, charge.net, charge.listed)
        sums[key] = added(sums.get(key, [0] * 5), counts)
    return [
        [key[0], organization, *map(safe, key[1:]), prices.family(key[4]), *map(str, row[:3]), *map(plain, row[3:])]
        for key, row in sorted(sums.items(), key=lambda item: [part.encode() for part in item[0]])
    ]


def added(row: Iterable[int | None], counts: Iterable[int | None]) -> list[int | None]:
    """Return the sums, place by place. What includes something unknown is unknown."""
    return [None if a is None or b is None else a + b for a, b in zip(row, counts, strict=True)]


def safe(text: str) -> str:
    """Return a text as a cell that no spreadsheet executes."""
    return "'" + text if text[:1] in ("=", "+", "-", "@") and text else text


def plain(amount: int | None) -> str:
    """Return units of money as the report writes them."""
    return "" if amount is None else usd_text(amount)
