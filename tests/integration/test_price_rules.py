"""Which price usage has, and which usage is spend: the columns `price_key` and `covered_by_seats`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import get_args

import pytest
from clickhouse_connect.driver.client import Client

from pricing.price_list import undated_model
from tally_client.events.directory import Plan
from tally_client.events.usage import Funding
from tests.support.table_rows import Cell, Change, database, insert_cells, insert_changes

HOUR = datetime(2026, 10, 1, tzinfo=UTC)
MODELS = (
    *("claude-opus-4-5-20251101", "claude-opus-4-5-latest", "claude-opus-4-5", "claude-opus-4-5-2025110", ""),
    *("20251101", "-20251101", "x-19991231", "x-latest-20251101", "x-20251101-latest", "x-20251101\n", "ü-latest"),
)
FUNDINGS = ("", *get_args(Funding))
"""Live counters, which do not keep the funding, have ''."""


@pytest.fixture(scope="module")
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    yield client
    client.close()


def organization(number: int) -> str:
    return f"aaaaaaaa-0000-4000-8000-{number:012d}"


def test_a_model_has_the_same_name_without_its_date_everywhere(client: Client) -> None:
    insert_cells(client, [Cell(organization(1), HOUR, organization(2), model=model) for model in MODELS])
    client.insert(
        "minute_cells",
        [["tally.token/0@0", organization(1), datetime.now(UTC), "chat", model, 1] for model in MODELS],
        column_names=["source", "organization_id", "minute", "product", "model", "events"],
    )
    for table in ("spend_cells", "minute_cells"):
        query = f"SELECT model, undated_model FROM {table} WHERE organization_id = {{id:UUID}}"
        found = dict(client.query(query, parameters={"id": organization(1)}).result_rows)
        assert found == {model: undated_model(model) for model in MODELS}


@pytest.mark.parametrize(
    ("model", "dimensions", "key"),
    [
        ("m", ("standard", "", "", ""), ("m", "standard", "0-200k", "global", "standard")),
        ("m-latest", ("batch", "0-200k", "global", "standard"), ("m", "batch", "0-200k", "global", "standard")),
        ("m-20260101", ("batch", "200k-1M", "us", "fast"), ("m", "batch", "200k-1M", "us", "fast")),
        ("", ("", "", "", ""), ("", "", "", "", "")),
        ("", ("", "", "us", ""), ("", "", "", "us", "")),
    ],
)
def test_usage_has_the_price_of_its_dimensions_or_of_the_usual_ones(
    client: Client, model: str, dimensions: tuple[str, str, str, str], key: tuple[str, ...]
) -> None:
    tier, window, geo, speed = dimensions
    cell = Cell(
        organization(3),
        HOUR,
        organization(4),
        model=model,
        service_tier=tier,
        context_window=window,
        inference_geo=geo,
        speed=speed,
    )
    client.command("TRUNCATE TABLE spend_cells")
    insert_cells(client, [cell])
    ((values,),) = client.query(
        "SELECT [price_key.model, price_key.service_tier, price_key.context_window, price_key.inference_geo, "
        "price_key.speed] FROM spend_cells_current"
    ).result_rows
    assert tuple(values) == key


def test_seats_cover_all_usage_but_extra_usage_while_it_is_enabled(client: Client) -> None:
    """The rule of the spend report, for every plan and funding that events may have."""
    expected: dict[tuple[str, str], bool] = {}
    changes: list[Change] = []
    cases = list(product(("", *get_args(Plan)), (None, False, True)))
    for number, (plan, enabled) in enumerate(cases):
        mine = organization(100 + number)
        if plan:
            changes.append(Change(mine, "plan.changed", HOUR, {"plan": plan}, len(changes)))
        if enabled is not None:
            changes.append(Change(mine, "extra_usage.changed", HOUR, {"enabled": enabled}, len(changes)))
        for funding in FUNDINGS:
            has_seats = plan in ("team", "enterprise_seat_based")
            expected[mine, funding] = not has_seats or (funding == "extra_usage" and bool(enabled))
    insert_changes(client, changes)
    fundings = ", ".join(f"'{funding}'" for funding in FUNDINGS)
    found = client.query(
        f"SELECT toString(organization_id), funding, NOT has(covered_by_seats, funding) FROM terms "
        f"ARRAY JOIN [{fundings}] AS funding"
    ).result_rows
    assert {(mine, funding): bool(is_spend) for mine, funding, is_spend in found} == {
        case: is_spend for case, is_spend in expected.items() if case[0] in {row[0] for row in found}
    }
    without_terms = {organization(100 + number) for number, case in enumerate(cases) if case == ("", None)}
    assert {mine for mine, _ in expected} - {row[0] for row in found} == without_terms
