"""Prices in ClickHouse are append-only: loading again changes nothing, and a price that was used is never edited."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from reports.errors import PriceListError
from reports.prices import SHIPPED, Loaded, load_prices, prices_revision, read_price_list
from tests.integration.reporting import database


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    yield client
    client.close()


def test_loading_again_changes_nothing(client: Client) -> None:
    first = load_prices(client)
    assert first == Loaded(1, len(read_price_list().rows))
    assert load_prices(client) == Loaded(1, 0)
    assert client.query("SELECT count() FROM prices").result_rows == [(first.added,)]


def test_a_later_price_is_a_new_revision_and_an_edited_one_is_refused(client: Client, tmp_path: Path) -> None:
    load_prices(client)
    shipped = SHIPPED.read_text()
    line = next(line for line in shipped.splitlines() if line.startswith("2026-05-28,claude-opus-4-8,"))
    path = tmp_path / "prices.csv"
    path.write_text(shipped + line.replace("2026-05-28", "2027-01-01").replace(",5,25,", ",4,20,") + "\n")
    assert load_prices(client, path).revision == 2
    query = (
        "SELECT toString(in_force_until) FROM prices_in_force WHERE model = 'claude-opus-4-8' ORDER BY in_force_from"
    )
    assert {row[0] for row in client.query(query).result_rows} == {"2027-01-01 00:00:00", None}
    path.write_text(shipped.replace(line, line.replace(",5,25,", ",6,25,")))
    with pytest.raises(PriceListError, match=r"prices.csv:\d+: claude-opus-4-8 has another price") as told:
        load_prices(client, path)
    assert "later effective_from" in told.value.hint
    assert prices_revision(client) == 2


def test_a_new_name_is_a_revision_too(client: Client, tmp_path: Path) -> None:
    load_prices(client)
    path = tmp_path / "prices.csv"
    path.write_text(SHIPPED.read_text().replace(",Opus,", ",Claude Opus,"))
    assert load_prices(client, path) == Loaded(2, 0)
    assert client.query("SELECT family FROM models FINAL WHERE model = 'claude-opus-4-8'").result_rows == [
        ("Claude Opus",)
    ]


def test_the_table_refuses_a_price_that_begins_within_an_hour(client: Client) -> None:
    with pytest.raises(ClickHouseError, match="whole_hour"):
        client.command("INSERT INTO prices (model, effective_from) VALUES ('claude-x', '2026-01-01 00:30:00')")


def test_a_list_that_cannot_be_read_is_named(client: Client, tmp_path: Path) -> None:
    with pytest.raises(PriceListError, match="Cannot read the price list"):
        load_prices(client, tmp_path / "missing.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PriceListError, match="Cannot read the price list"):
        load_prices(client, tmp_path / "binary.csv")
