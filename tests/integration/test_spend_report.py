"""The spend report equals a recount in plain Python, to the last digit, for any directory and any usage."""

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from pricing.price_table import load_prices
from pricing.terms import require_report
from queries.errors import NoSpendReport, UnknownOrganization
from reports.exports.spend_columns import DAILY
from reports.exports.spend_report import Report, write_spend_report
from reports.periods import Period
from tests.reference.model.prices import Prices
from tests.reference.spend_report import kept, recount, terms_of
from tests.support.random_worlds import random_world
from tests.support.table_rows import Cell, Change, World, database, insert_cells, insert_changes, insert_people

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 12
PERIOD = Period("custom", date(2026, 10, 2), date(2026, 10, 11))
ORGANIZATION = "aaaaaaaa-0000-4000-8000-000000000001"
PERSON = "bbbbbbbb-0000-4000-8000-000000000001"
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    load_prices(client)
    yield client
    client.close()


def report(client: Client, organization: str, period: Period = PERIOD) -> tuple[list[list[str]], Report, bytes]:
    sink = io.BytesIO()
    written = write_spend_report(client, organization, period, sink)
    header, *rows = csv.reader(io.StringIO(sink.getvalue().decode(), newline=""))
    assert header == list(DAILY.columns)
    return rows, written, sink.getvalue()


def put(client: Client, world: World) -> None:
    insert_changes(client, world.changes)
    insert_people(client, world.organizations, world.emails)
    insert_cells(client, world.cells)


@pytest.mark.parametrize("seed", range(6))
def test_equals_a_recount(client: Client, seed: int) -> None:
    world = random_world(seed, FIRST, DAYS * 24)
    put(client, world)
    prices = Prices()
    seen = 0
    for organization in {cell.organization_id for cell in world.cells}:
        rows, written, body = report(client, organization)
        expected = recount(world, prices, organization, PERIOD.begins, PERIOD.ends)
        assert rows == expected
        assert written.sha256 == hashlib.sha256(body).hexdigest()
        assert written.totals.rows == len(rows)
        assert written.totals.requests == sum(int(row[7]) for row in rows)
        seen += len(rows)
    assert seen > 50


def test_the_recount_notices_what_is_wrong_by_one_unit(client: Client) -> None:
    """Controls: a recount of slightly other data must differ, else equality above would prove nothing."""
    world = random_world(77, FIRST, DAYS * 24)
    put(client, world)
    prices = Prices()
    organizations = sorted({cell.organization_id for cell in world.cells})
    rows = {organization: report(client, organization)[0] for organization in organizations}

    def equal(cells: list[Cell], changes: list[Change]) -> bool:
        other = World(cells, changes, world.emails)
        return all(recount(other, prices, one, PERIOD.begins, PERIOD.ends) == rows[one] for one in organizations)

    of_period = (cell for cell in kept(world.cells) if PERIOD.begins <= cell.hour < PERIOD.ends)
    terms = terms_of(world)
    counted = next(cell for cell in of_period if terms.is_reported(cell.organization_id, cell.funding, cell.hour))
    one_more = Cell(**{**counted.__dict__, "output_tokens": counted.output_tokens + 1, "log_offset": 10**6})
    an_hour_late = [Change(**{**change.__dict__, "at": change.at + timedelta(hours=1)}) for change in world.changes]
    assert equal(world.cells, world.changes)
    assert not equal([*world.cells, one_more], world.changes)
    assert not equal([cell for cell in world.cells if cell is not counted], world.changes)
    assert not equal(world.cells, an_hour_late)


def one_cell(client: Client, organization_id: str, **values: Any) -> list[list[str]]:
    insert_cells(client, [Cell(organization_id, NOON, PERSON, **values)])
    return report(client, organization_id)[0]


def test_money_is_exact_where_a_float_is_not(client: Client) -> None:
    organization = "aaaaaaaa-0000-4000-8000-000000000002"
    insert_changes(client, [Change(organization, "discount.changed", FIRST, {"discount": "0.000001"}, 1)])
    (row,) = one_cell(client, organization_id=organization, uncached_input_tokens=10**15 + 1, execution_milliseconds=7)
    with localcontext() as context:
        context.prec = 60
        gross = (10**15 + 1) * Decimal("0.000005") + 7 * Decimal("0.000000013888888889")
        assert Decimal(row[11]) == gross
        assert Decimal(row[10]) == gross - gross * Decimal("0.000001")
    assert "e" not in row[10].lower()
    assert not row[11].endswith("0")


def test_a_forgotten_person_keeps_the_account_and_loses_the_email(client: Client) -> None:
    organization = "aaaaaaaa-0000-4000-8000-000000000003"
    insert_people(client, [organization], {PERSON: "gone@example.com"}, log_offset=1)
    insert_people(client, [], {PERSON: ""}, log_offset=2)
    (row,) = one_cell(client, organization_id=organization, output_tokens=1)
    assert row[2:4] == ["", PERSON]


def test_an_organization_nobody_knows(client: Client) -> None:
    with pytest.raises(UnknownOrganization):
        require_report(client, "aaaaaaaa-0000-4000-8000-00000000dead", PERIOD.begins, PERIOD.ends)


def test_seats_without_extra_usage_have_no_report_and_are_told_why(client: Client) -> None:
    organization = "aaaaaaaa-0000-4000-8000-000000000004"
    insert_changes(client, [Change(organization, "plan.changed", FIRST, {"plan": "enterprise_seat_based"}, 1)])
    with pytest.raises(NoSpendReport, match="seat-based") as told:
        require_report(client, organization, PERIOD.begins, PERIOD.ends)
    assert "extra usage is enabled" in told.value.hint
    insert_changes(client, [Change(organization, "extra_usage.changed", NOON, {"enabled": True}, 2)])
    require_report(client, organization, PERIOD.begins, PERIOD.ends)
    with pytest.raises(NoSpendReport):
        require_report(client, organization, PERIOD.begins, NOON)


def test_usage_from_before_the_first_plan_counts(client: Client) -> None:
    organization = "aaaaaaaa-0000-4000-8000-000000000006"
    later = Change(organization, "plan.changed", NOON + timedelta(hours=1), {"plan": "enterprise_seat_based"}, 1)
    insert_changes(client, [later])
    with pytest.raises(NoSpendReport):
        require_report(client, organization, PERIOD.begins, PERIOD.ends)
    assert len(one_cell(client, organization_id=organization, funding="seat_allotment", output_tokens=1)) == 1
    require_report(client, organization, PERIOD.begins, PERIOD.ends)


def test_nothing_is_a_header(client: Client) -> None:
    _, written, body = report(client, "aaaaaaaa-0000-4000-8000-00000000beef")
    assert body == (",".join(DAILY.columns) + "\r\n").encode()
    assert written.totals.rows == 0


def test_an_unpriced_model_is_named_and_its_money_is_empty(client: Client) -> None:
    organization = "aaaaaaaa-0000-4000-8000-000000000005"
    (row,) = one_cell(client, organization_id=organization, model='a "new",\nmodel', output_tokens=1)
    assert row[5:7] == ['a "new",\nmodel', ""]
    assert row[9:] == ["1", "", ""]
    _, written, _ = report(client, organization)
    assert written.totals.unpriced_models == {'a "new",\nmodel'}
    assert written.totals.gross_spend_usd is None


def test_sources_of_a_replaced_epoch_do_not_count(clickhouse: str) -> None:
    client = database(clickhouse)
    load_prices(client)
    old = Cell(ORGANIZATION, NOON, PERSON, source="tally.token/0@0", output_tokens=7)
    new = Cell(ORGANIZATION, NOON, PERSON, source="tally.token/0@1", output_tokens=9)
    insert_cells(client, [old, new])
    assert report(client, ORGANIZATION)[0][0][9] == "16"
    client.command("INSERT INTO topic_epochs VALUES ('tally.token', 1, 'continue', now64(3))")
    assert report(client, ORGANIZATION)[0][0][9] == "16"
    client.command("INSERT INTO topic_epochs VALUES ('tally.token', 1, 'replace', now64(3))")
    client.command("OPTIMIZE TABLE topic_epochs FINAL")
    assert report(client, ORGANIZATION)[0][0][9] == "9"
