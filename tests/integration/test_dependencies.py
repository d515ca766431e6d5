"""What an answer is said to be made of is what ClickHouse reads for it."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from queries.dependencies import CELLS, TABLES_BY_VIEW, tables_read
from tests.support.table_rows import database

pytestmark = pytest.mark.slow

TABLES = {kind: table.name for kind, table in CELLS.items()}
TABLES |= {"directory": "directory", "terms": "directory", "profiles": "profiles", "prices": "price_lists"}
TABLES |= {"models": "price_lists", "epochs": "topic_epochs"}
WRITTEN_BEFORE = {"topic_epochs", "listed_prices", "listed_models"}
"""What is there before anything is made of it: a list of prices has come in force with its row in price_lists."""


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    yield client
    client.close()


def tables_of(client: Client, name: str) -> set[str]:
    """The tables that a view reads, through other views too; a table is its own."""
    queries = "SELECT name, engine, as_select FROM system.tables WHERE database = currentDatabase()"
    known = {table: (engine, select) for table, engine, select in client.query(queries).result_rows}
    engine, select = known[name]
    if engine != "View":
        return {name}
    read = set(re.findall(r"\b(?:FROM|JOIN)\s+(?:\w+\.)?(\w+)", select)) & set(known)
    assert read, select
    return set().union(*(tables_of(client, other) for other in read))


@pytest.mark.parametrize("name", sorted(set(TABLES_BY_VIEW) - {"numbers"}))
def test_a_view_reads_the_tables_of_its_kinds(client: Client, name: str) -> None:
    assert tables_of(client, name) - WRITTEN_BEFORE == {TABLES[kind] for kind in TABLES_BY_VIEW[name]}


@pytest.mark.parametrize(("kind", "view"), [("terms", "terms"), ("groups", "group_memberships")])
def test_a_view_is_made_of_the_changes_that_its_state_is_of(client: Client, kind: str, view: str) -> None:
    [(select,)] = client.query(
        "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {view:String}",
        parameters={"view": view},
    ).result_rows
    state = (Path(__file__).parents[2] / "queries" / "data_version.sql").read_text()
    (branch,) = (part for part in state.split("UNION ALL") if f"SELECT '{kind}'," in part)
    changes = set(re.findall(r"'([a-z_]+\.[a-z]+)'", select))
    assert changes
    assert changes == set(re.findall(r"'([a-z_]+\.[a-z]+)'", branch))


READ = {
    "WITH mine AS (SELECT 1) SELECT * FROM mine JOIN chat_cells_current USING day -- FROM nowhere": {"epochs", "chat"},
    "SELECT * FROM chat_cells_current JOIN chat_of_tomorrow USING day": None,
    "SELECT * FROM chat_cells_current, seat_changes": None,
    "SELECT * FROM chat_cells_current AS chats, seat_changes": None,
}


@pytest.mark.parametrize(("text", "kinds"), READ.items())
def test_what_is_not_known_is_made_of_everything(tmp_path: Path, text: str, kinds: set[str] | None) -> None:
    path = tmp_path / "new.sql"
    path.write_text(text)
    assert tables_read(path) == kinds


def test_no_metric_is_made_of_everything() -> None:
    """Else it is slow for a reason that nobody sees."""
    for file in (files("reports.metrics") / "sql").iterdir():
        assert tables_read(Path(str(file))) is not None, file.name
