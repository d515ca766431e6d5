"""The report in the columns of October 2026: by channel, equal to a recount, and adding up to the daily report."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

import pytest
from clickhouse_connect.driver.client import Client

from pricing.price_table import load_prices
from reports.exports.spend_columns import CLAUDE_2026_10, DAILY, Layout
from reports.exports.spend_report import write_spend_report
from reports.periods import Period
from sinks.client import insert_rows
from tests.reference.model.ids import USER, tagged
from tests.reference.model.prices import Prices
from tests.reference.spend_report import LABELS, added, charged, kept, plain, safe, terms_of
from tests.support.random_worlds import random_world
from tests.support.table_rows import (
    NIL,
    Cell,
    World,
    database,
    insert_cells,
    insert_changes,
    insert_people,
)

pytestmark = pytest.mark.slow

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
PERIOD = Period("custom", date(2026, 10, 2), date(2026, 10, 11))
HEADER = (
    "user_email,account_uuid,product,model,total_requests,total_prompt_tokens,total_completion_tokens,"
    "total_net_spend_usd,total_gross_spend_usd,user_id,total_uncached_input_tokens,total_cache_read_tokens,"
    "total_cache_write_5m_tokens,total_cache_write_1h_tokens,total_web_search_count,slack_channel_id,teams_channel_id"
)
CHANNELS = {NIL: "", **{str(UUID(int=0xC0 + n)): channel for n, channel in enumerate(("C1", "=C2", "", "C1"))}}
"""Attributions to their channels: one has none, and two have the same."""


def world_of(seed: int) -> World:
    """A random world whose usage has attributions, the same one for all versions of a cell."""
    world = random_world(seed, FIRST, 12 * 24)
    marks = list(CHANNELS)
    cells = [replace(cell, attribution_id=marks[cell.hour.hour % len(marks)]) for cell in world.cells]
    return World(cells, world.changes, world.emails)


@pytest.fixture(scope="module")
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    load_prices(client)
    marked = [[mark, channel] for mark, channel in CHANNELS.items() if mark != NIL]
    for _ in range(2):  # a worker that starts again writes its attributions again
        insert_rows(client, "attributions", ("attribution_id", "slack_channel_id"), marked)
    yield client
    client.close()


@pytest.fixture(scope="module", params=(3, 4))
def world(request: pytest.FixtureRequest, client: Client) -> World:
    world = world_of(request.param)
    insert_changes(client, world.changes)
    insert_people(client, world.organizations, world.emails)
    insert_cells(client, world.cells)
    return world


def written(client: Client, organization: str, layout: Layout) -> list[list[str]]:
    sink = io.BytesIO()
    write_spend_report(client, organization, PERIOD, sink, layout=layout)
    return list(csv.reader(io.StringIO(sink.getvalue().decode(), newline="")))


def recount(world: World, prices: Prices, organization: str) -> list[list[str]]:
    """The rows, in plain Python."""
    sums: dict[tuple[str, ...], list[Any]] = defaultdict(lambda: [0] * 9)
    for charge in charged(world, prices, organization, PERIOD.begins, PERIOD.ends):
        used = charge.used
        email, channel = world.emails.get(used.person, ""), CHANNELS[used.attribution["id"]]
        key = (email, used.person, LABELS[used.product], used.model, channel)
        sums[key] = added(sums[key], (used.requests, *used.counts[:6], charge.net, charge.listed))
    ordered = sorted(sums.items(), key=lambda item: [part.encode() for part in item[0]])
    return [_shown(key, row) for key, row in ordered]


def _shown(key: tuple[str, ...], row: list[Any]) -> list[str]:
    requests, uncached, read, short, long, output, searches, net, gross = row
    email, account, product, model, channel = key
    tokens = [uncached, read, short, long, searches]
    return [
        *(safe(email), account, product, safe(model)),
        *map(str, (requests, uncached + read + short + long, output)),
        *(plain(net), plain(gross), account and tagged(USER, account)),
        *(*map(str, tokens), safe(channel), ""),
    ]


def test_equals_a_recount(client: Client, world: World) -> None:
    prices, seen = Prices(), 0
    for organization in {cell.organization_id for cell in world.cells}:
        header, *rows = written(client, organization, CLAUDE_2026_10)
        assert ",".join(header) == HEADER
        assert rows == recount(world, prices, organization)
        seen += len(rows)
    assert seen > 50


def test_the_recount_notices_a_channel_that_is_wrong(client: Client, world: World) -> None:
    """Control: the same usage, one cell of it in another channel, is another report."""
    prices = Prices()
    terms = terms_of(world)
    moved = next(
        cell
        for cell in kept(world.cells)
        if PERIOD.begins <= cell.hour < PERIOD.ends
        and not CHANNELS[cell.attribution_id]
        and terms.is_reported(cell.organization_id, cell.funding, cell.hour)
    )
    in_c1 = next(mark for mark, channel in CHANNELS.items() if channel == "C1")
    cells = [replace(cell, attribution_id=in_c1) if is_same(cell, moved) else cell for cell in world.cells]
    other = World(cells, world.changes, world.emails)
    assert written(client, moved.organization_id, CLAUDE_2026_10)[1:] != recount(other, prices, moved.organization_id)


def is_same(some: Cell, other: Cell) -> bool:
    return replace(some, log_offset=0, requests=0) == replace(other, log_offset=0, requests=0)


def test_lines_that_differ_by_channel_add_up_to_the_daily_report(client: Client, world: World) -> None:
    for organization in {cell.organization_id for cell in world.cells}:
        added = [added_up(written(client, organization, layout)) for layout in (CLAUDE_2026_10, DAILY)]
        assert added[0] == added[1]
        assert added[0]


def added_up(rows: list[list[str]]) -> dict[tuple[str, ...], list[Any]]:
    """The rows by person, product and model; money is None where a row has none."""
    header, *lines = rows
    sums: dict[tuple[str, ...], list[Any]] = defaultdict(lambda: [0] * 5)
    totals = [name for name in DAILY.columns if name.startswith("total_")]
    with localcontext() as context:
        context.prec = 100
        for line in lines:
            cells = dict(zip(header, line, strict=True))
            row = sums[cells["user_email"], cells["account_uuid"], cells["product"], cells["model"]]
            amounts = [Decimal(cells[name]) if cells[name] else None for name in totals]
            row[:] = [None if None in pair else sum(pair) for pair in zip(row, amounts, strict=True)]
    return sums
