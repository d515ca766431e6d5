"""FOCUS 1.2: charges equal a recount, add up to the spend report, and are the same in CSV and in Parquet."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client

from pricing.price_table import load_prices
from queries.errors import RefusedError
from reports.exports.focus.columns import NAMES
from reports.exports.formats import focus_form
from reports.exports.spend_report import write_spend_report
from reports.product_labels import PRODUCT_LABELS
from tests.reference.focus import Key, recount
from tests.reference.model.money import units
from tests.reference.model.prices import Prices
from tests.support.focus_world import PERIOD, Rows, Step, export, organizations, price_list, put_world, read_csv
from tests.support.table_rows import Cell, World, database, insert_cells

pytestmark = pytest.mark.slow

TYPES = {"User": "user", "API Key": "api_key"}
COUNTED = {"1000000 Tokens": 1_000_000, "Requests": 1, "Seconds": 1000}


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return price_list(tmp_path_factory.mktemp("prices"))


@pytest.fixture(scope="module")
def client(clickhouse: str, prices: Path) -> Iterator[Client]:
    client = database(clickhouse)
    load_prices(client, prices)
    yield client
    client.close()


@pytest.fixture(scope="module", params=(1, 2, 3))
def put(request: pytest.FixtureRequest, client: Client, prices: Path) -> tuple[World, list[Step]]:
    return put_world(client, request.param, prices)


def charges(rows: Rows) -> dict[Key, int]:
    """The rows in the recount's terms."""
    found: dict[Key, int] = {}
    for row in rows:
        details = tuple(orjson.loads(row["SkuPriceDetails"]).values()) if row["SkuPriceDetails"] else ()
        counted = COUNTED[row["PricingUnit"]]
        price = units(Fraction(row["ListUnitPrice"]) / counted)
        key = (
            *(row["ChargePeriodStart"][:10], (row["SubAccountId"] or "").lstrip("'"), TYPES[row["ResourceType"]]),
            *(row["ResourceId"], row["x_Product"] or "", row["x_Model"] or "", row["SkuMeter"], details, price),
            Fraction(row["x_Discount"]),
        )
        assert key not in found, "one charge in two rows"
        found[key] = int(Decimal(row["PricingQuantity"]) * counted)
    return found


def test_equals_a_recount(client: Client, put: tuple[World, list[Step]], prices: Path) -> None:
    world, steps = put
    seen: dict[Key, int] = {}
    for organization in organizations(world):
        expected = recount(world, steps, Prices(prices), organization, PERIOD.begins, PERIOD.ends)
        assert charges(read_csv(export(client, organization, ".csv")[0])) == expected
        seen |= expected
    assert len({key[1] for key in seen}) == 4, "not every cost centre was met"
    assert len(seen) > 300


def test_the_recount_notices_what_is_wrong(client: Client, put: tuple[World, list[Step]], prices: Path) -> None:
    """Controls: one token more, groups half a day late, a person's first group not the first."""
    world, steps = put
    known = Prices(prices)
    found = {one: charges(read_csv(export(client, one, ".csv")[0])) for one in organizations(world)}

    def equal(cells: list[Cell], steps: list[Step]) -> bool:
        other = World(cells, world.changes, world.emails)
        return all(recount(other, steps, known, one, PERIOD.begins, PERIOD.ends) == rows for one, rows in found.items())

    more = [replace(cell, output_tokens=cell.output_tokens + 1) if cell.model else cell for cell in world.cells]
    assert equal(world.cells, steps)
    assert not equal(more, steps)
    assert not equal(world.cells, [replace(step, at=step.at + timedelta(hours=12)) for step in steps])
    assert not equal(world.cells, [step for step in steps if step.type != "group.joined" or step.log_offset % 7])


def grouped(rows: Rows, of: Callable[[dict[str, Any]], Any], amounts: tuple[str, ...]) -> dict[Any, list[Decimal]]:
    sums: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(amounts))
    with localcontext() as context:
        context.prec = 100
        for row in rows:
            added = zip(sums[of(row)], amounts, strict=True)
            sums[of(row)] = [total + Decimal(row[name]) for total, name in added]
    return {key: totals for key, totals in sums.items() if any(totals)}


def test_any_grouping_adds_up_to_the_spend_report(client: Client, put: tuple[World, list[Step]]) -> None:
    world, _ = put
    for organization in organizations(world):
        sink = io.BytesIO()
        report = write_spend_report(client, organization, PERIOD, sink)
        lines = list(csv.DictReader(io.StringIO(sink.getvalue().decode(), newline="")))
        data, written = export(client, organization, ".csv")
        rows = read_csv(data)
        person = [row for row in rows if row["ResourceType"] == "User"]
        assert person or not lines
        for ours, theirs in (
            (lambda row: row["ChargePeriodStart"][:10], lambda row: row["date"]),
            (_person, lambda row: row["account_uuid"]),
            (lambda row: row["x_Model"] or "", lambda row: row["model"]),
            (_label, lambda row: row["product"]),
            (lambda row: (_person(row), _label(row)), lambda row: (row["account_uuid"], row["product"])),
        ):
            costs = grouped(rows, ours, ("ListCost", "BilledCost"))
            assert costs == grouped(lines, theirs, ("total_gross_spend_usd", "total_net_spend_usd"))
        for name in ("total_net_spend_usd", "total_gross_spend_usd", "total_prompt_tokens", "total_completion_tokens"):
            assert written.totals_json[name] == report.totals_json[name]


def _person(row: dict[str, Any]) -> str:
    return str(row["ResourceId"]) if row["ResourceType"] == "User" else ""


def _label(row: dict[str, Any]) -> str:
    assert row["ServiceName"] == PRODUCT_LABELS.get(row["x_Product"] or "", "Unassigned")
    return PRODUCT_LABELS.get(row["x_Product"] or "", "")


def test_parquet_says_the_same_as_csv(client: Client, put: tuple[World, list[Step]]) -> None:
    world, _ = put
    for organization in organizations(world):
        said, wrote = export(client, organization, ".csv")
        data, written = export(client, organization, ".parquet")
        rows = pq.read_table(io.BytesIO(data)).to_pylist()
        assert [{name: _plain(cell) for name, cell in row.items()} for row in rows] == [
            {name: _plain(cell) for name, cell in row.items()} for row in read_csv(said)
        ]
        assert written.totals_json == wrote.totals_json


def _plain(cell: Any) -> Any:
    """A cell without what CSV alone needs: texts for numbers and moments, and an apostrophe before a formula."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(cell, Decimal):
        return f"{cell:f}".rstrip("0").rstrip(".") if cell.as_tuple().exponent else f"{cell:f}"
    return cell.lstrip("'") if isinstance(cell, str) and cell[:2] == "'=" else cell


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_missing_price_refuses_the_whole_and_names_the_model(client: Client, suffix: str) -> None:
    organization = "aaaaaaaa-0000-4000-8000-0000000000f1"
    hour = datetime(2026, 10, 5, 12, tzinfo=UTC)
    for number, model in enumerate(("claude-unheard-of", "claude-opus-4-8", "claude-never-made")):
        insert_cells(client, [Cell(organization, hour, organization, model=model, output_tokens=1, log_offset=number)])
    sink = io.BytesIO()
    with pytest.raises(RefusedError, match=r"for claude-never-made, claude-unheard-of, and") as told:
        focus_form(suffix).write(client, organization, PERIOD, sink, None)
    assert "prices_file" in told.value.hint


def test_nothing_is_a_header(client: Client) -> None:
    nobody = "aaaaaaaa-0000-4000-8000-00000000beef"
    assert export(client, nobody, ".csv")[0] == (",".join(NAMES) + "\r\n").encode()
    table = pq.read_table(io.BytesIO(export(client, nobody, ".parquet")[0]))
    assert (table.num_rows, tuple(table.column_names)) == (0, NAMES)
