"""Counts that are added up before they are priced cost what their cells cost, one by one."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from pricing.price_table import load_prices
from tests.support.broken_view import change_days
from tests.support.table_rows import HOUR, Cell, Change, database, insert_cells, insert_changes

pytestmark = pytest.mark.slow

ORGANIZATION = "aaaaaaaa-0000-4000-8000-000000000001"
BEGINS = datetime(2026, 10, 1, tzinfo=UTC)
HOURS = 60
MODELS = ("claude-opus-4-8", "claude-sonnet-5-20260101", "claude-haiku-4-5-20251001", "claude-unheard-of", "")
TOTALS = """
    SELECT toString(model), reported, isNull(list_usd), sum(requests), sum(list_usd), sum(net_usd)
    FROM {source} GROUP BY model, reported, isNull(list_usd) ORDER BY ALL
"""
BY_CELL = TOTALS.replace(
    "{source}", "spend WHERE organization_id = {organization_id:UUID} AND hour >= {begins:DateTime('UTC')} "
    "AND hour < {ends:DateTime('UTC')}"
)  # fmt: skip
BETWEEN = TOTALS.replace(
    "{source}", "spend_by_day(organization_id = {organization_id:UUID}, begins = {begins:DateTime('UTC')}, "
    "ends = {ends:DateTime('UTC')})"
)  # fmt: skip
WINDOW = {"organization_id": ORGANIZATION, "begins": BEGINS, "ends": BEGINS + (HOURS - 5) * HOUR}


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    yield client
    client.close()


def random_cells(dice: random.Random) -> Iterator[Cell]:
    for offset in range(600):
        yield Cell(
            ORGANIZATION,
            BEGINS + dice.randrange(HOURS) * HOUR,
            f"bbbbbbbb-0000-4000-8000-0000000000{dice.randrange(20):02d}",
            model=dice.choice(MODELS),
            service_tier=dice.choice(("standard", "batch")),
            funding=dice.choice(("extra_usage", "seat_allotment")),
            log_offset=offset,
            uncached_input_tokens=dice.randrange(1_000),
            output_tokens=dice.randrange(1_000_000),
            web_search_requests=dice.choice((0, 0, 3)),
            execution_milliseconds=dice.choice((0, 0, 777)),
        )


def random_terms(dice: random.Random) -> Iterator[Change]:
    """Changes on whole hours, and half a second before and after one."""
    terms: list[tuple[str, dict[str, Any]]] = [
        ("plan.changed", {"plan": "enterprise_seat_based"}),
        ("extra_usage.changed", {"enabled": True}),
        ("discount.changed", {"discount": "0.25"}),
        ("plan.changed", {"plan": "enterprise_usage_based"}),
        ("discount.changed", {"discount": "0.333333"}),
    ]
    for number, (kind, detail) in enumerate(terms):
        yield Change(ORGANIZATION, kind, BEGINS + dice.randrange(HOURS) * HOUR, detail, number)


def price_from(client: Client, hour: datetime, model: str = MODELS[0]) -> None:
    """A new price of everything of the model from the hour on; of "", what tools cost."""
    dimensions = "'', '', '', ''" if model == "" else "'standard', '0-200k', 'global', 'standard'"
    units = ", ".join(["0.000007"] * 7)
    row = f"'{model}', {dimensions}, '{hour:%Y-%m-%d %H:%M:%S}', {units}, 'a page'"
    client.command(f"INSERT INTO listed_prices SELECT list, {row} FROM price_list_in_force")


@pytest.mark.parametrize("seed", range(4))
def test_sums_of_costs_are_costs_of_sums(client: Client, seed: int) -> None:
    dice = random.Random(seed)
    load_prices(client)
    if seed % 2:
        client.command("DELETE FROM listed_prices WHERE model = ''")
        price_from(client, BEGINS + 30 * HOUR, "")
    price_from(client, BEGINS + 20 * HOUR)
    for _ in range(3):
        insert_cells(client, random_cells(dice))
    insert_changes(client, random_terms(dice))
    by_cell = client.query(BY_CELL, parameters=WINDOW).result_rows
    assert len(by_cell) > 8
    assert client.query(BETWEEN, parameters=WINDOW).result_rows == by_cell


@pytest.mark.parametrize("late", [timedelta(0), timedelta(milliseconds=500), timedelta(minutes=30)])
def test_terms_of_a_broken_hour_hold_from_the_next_whole_hour(client: Client, late: timedelta) -> None:
    load_prices(client)
    insert_cells(client, random_cells(random.Random(9)))
    detail = '{"discount":"0.5"}'
    moment = f"{BEGINS + 10 * HOUR + late:%Y-%m-%d %H:%M:%S.%f}"
    client.command(
        "INSERT INTO directory (organization_id, type, in_force_from, detail, source, log_offset) "
        f"VALUES ('{ORGANIZATION}', 'discount.changed', '{moment}', '{detail}', 'd/0@0', 1)"
    )
    by_cell = client.query(BY_CELL, parameters=WINDOW).result_rows
    assert client.query(BETWEEN, parameters=WINDOW).result_rows == by_cell


def test_a_view_without_the_change_of_a_price_is_caught(client: Client) -> None:
    """The control: with each day told as a whole, what was used after a change costs what it costs before."""
    load_prices(client)
    price_from(client, BEGINS + 20 * HOUR)
    insert_cells(client, random_cells(random.Random(1)))
    change_days(client, "effective_from != toStartOfDay(effective_from)", "effective_from != effective_from")
    by_cell = client.query(BY_CELL, parameters=WINDOW).result_rows
    assert client.query(BETWEEN, parameters=WINDOW).result_rows != by_cell
