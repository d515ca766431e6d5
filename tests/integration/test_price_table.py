"""Lists of prices in ClickHouse: the last one is in force, whole and alone, and none is ever lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from deploy.errors import ExitCode, explain
from pricing.price_table import DEFAULT_PRICE_LIST, LoadResult, is_in_force, load_prices, loaded_lists, read_price_list
from queries.errors import PriceListError
from tests.support.table_rows import database


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    yield client
    client.close()


def names(client: Client) -> set[str]:
    """The models that have a price in force."""
    return {row[0] for row in client.query("SELECT DISTINCT model FROM prices_in_force").result_rows}


def test_loading_again_changes_nothing(client: Client) -> None:
    first = load_prices(client)
    assert first == LoadResult(1, len(read_price_list().rows), changed=True)
    assert load_prices(client) == LoadResult(1, first.prices, changed=False)
    assert client.query("SELECT count() FROM prices").result_rows == [(first.prices,)]
    assert len(loaded_lists(client)) == 1


def test_what_is_in_force_is_the_list_that_was_loaded_last_and_nothing_else(client: Client, tmp_path: Path) -> None:
    shipped, path = DEFAULT_PRICE_LIST.read_text(), tmp_path / "prices.csv"
    load_prices(client)
    everything = names(client)
    line = next(line for line in shipped.splitlines() if line.startswith("2026-05-28,claude-opus-4-8,"))
    path.write_text("\n".join([*head_and_tools(), line.replace(",5,25,", ",6,25,")]))
    loaded = load_prices(client, path, by="ada@desk")
    assert (loaded.revision, names(client)) == (2, {"", "claude-opus-4-8"})
    assert is_in_force(client, path)
    assert not is_in_force(client, None)
    assert load_prices(client).revision == 3
    assert names(client) == everything
    assert [(held.source, held.loaded_by) for held in loaded_lists(client)] == [
        ("shipped", ""),
        (str(path), "ada@desk"),
        ("shipped", ""),
    ]
    kept = "SELECT count() FROM listed_prices FINAL WHERE list = {list:String}"
    [two] = [held for held in loaded_lists(client) if held.revision == 2]
    assert client.query(kept, parameters={"list": two.list}).result_rows == [(loaded.prices,)]


def test_a_later_price_ends_the_one_before(client: Client, tmp_path: Path) -> None:
    shipped, path = DEFAULT_PRICE_LIST.read_text(), tmp_path / "prices.csv"
    line = next(line for line in shipped.splitlines() if line.startswith("2026-05-28,claude-opus-4-8,"))
    path.write_text(shipped + line.replace("2026-05-28", "2027-01-01").replace(",5,25,", ",4,20,") + "\n")
    load_prices(client, path)
    query = (
        "SELECT toString(in_force_until) FROM prices_in_force WHERE model = 'claude-opus-4-8' ORDER BY in_force_from"
    )
    assert {row[0] for row in client.query(query).result_rows} == {"2027-01-01 00:00:00", None}


def test_a_list_that_was_kept_by_half_is_not_in_force(client: Client, tmp_path: Path) -> None:
    """A load that was cut short before its last row; the next one makes it whole."""
    load_prices(client)
    path = tmp_path / "prices.csv"
    path.write_text(DEFAULT_PRICE_LIST.read_text().replace(",Opus,", ",Claude Opus,"))
    load_prices(client, path)
    client.command("DELETE FROM price_lists WHERE revision = 2")
    client.command("DELETE FROM listed_prices WHERE model = 'claude-opus-4-8'")
    client.command("INSERT INTO listed_prices SELECT * FROM listed_prices LIMIT 10")
    assert is_in_force(client, None)
    assert load_prices(client, path).changed
    assert client.query("SELECT count() FROM prices").result_rows == [(len(read_price_list(path).rows),)]


def test_a_new_name_is_another_list(client: Client, tmp_path: Path) -> None:
    load_prices(client)
    path = tmp_path / "prices.csv"
    path.write_text(DEFAULT_PRICE_LIST.read_text().replace(",Opus,", ",Claude Opus,"))
    assert load_prices(client, path).revision == 2
    assert client.query("SELECT family FROM models WHERE model = 'claude-opus-4-8'").result_rows == [("Claude Opus",)]


def head_and_tools() -> list[str]:
    """The header of the shipped list, and the prices of tools."""
    lines = [line for line in DEFAULT_PRICE_LIST.read_text().splitlines() if not line.startswith("#")]
    return [lines[0], *(line for line in lines[1:] if line.split(",")[1] == "")]


def test_the_table_refuses_a_price_that_begins_within_an_hour(client: Client) -> None:
    with pytest.raises(ClickHouseError, match="whole_hour"):
        client.command("INSERT INTO listed_prices (model, effective_from) VALUES ('claude-x', '2026-01-01 00:30:00')")


def test_a_list_that_cannot_be_read_is_named(client: Client, tmp_path: Path) -> None:
    with pytest.raises(PriceListError, match="Cannot read the price list") as told:
        load_prices(client, tmp_path / "missing.csv")
    line = explain(told.value)
    assert line is not None
    assert line.exit_code == ExitCode.FILE
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PriceListError, match="Cannot read the price list"):
        load_prices(client, tmp_path / "binary.csv")
