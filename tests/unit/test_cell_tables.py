"""The SQL of the cells and of the dimensions is what the folds write: same columns, same order, same key."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

import sinks
from aggregators.cell_tables import CELL_TABLES, ROW_TABLES, TOKEN_CLASSES, CellTable
from aggregators.deduplication import Horizon
from aggregators.source import Source, mark_flushed
from tally_client.events import DIRECTORY, PROFILES, TOKEN
from tests.support.fold_records import THING, entry, record, token

TABLES = Path(str(sinks.__file__)).parent / "schema" / "tables"
WINDOW_TYPES = {"hour": "DateTime('UTC')", "day": "Date", "minute": "DateTime('UTC')"}


COMPUTED = re.compile(r"\s(ALIAS|MATERIALIZED)\s")


class SqlTable(NamedTuple):
    """What a CREATE TABLE says; columns that ClickHouse computes are left out."""

    columns: dict[str, str]
    engine: str
    partition_by: str
    order_by: tuple[str, ...]


def tables_of(file: str) -> dict[str, SqlTable]:
    """The tables that a migration creates."""
    sql = re.sub(r"--[^\n]*", "", (TABLES / file).read_text())
    sql = re.sub(r"COMMENT\s+'(?:[^']|'')*'", "", sql)
    statements = re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\n\) ENGINE = ([^;]*);", sql, re.DOTALL)
    return {name: _table(body, tail) for name, body, tail in statements}


def _table(body: str, tail: str) -> SqlTable:
    columns = dict(column.split(None, 1) for column in _split(body) if not column.startswith("PROJECTION"))
    order = re.search(r"ORDER BY (?:\((.*?)\)|(\w+))", tail, re.DOTALL)
    partition = re.search(r"PARTITION BY (\S+)", tail)
    assert order
    return SqlTable(
        {name: " ".join(kind.split()) for name, kind in columns.items() if not COMPUTED.search(kind)},
        tail.split("\n")[0].strip(),
        partition[1] if partition else "",
        tuple((order[1] or order[2]).replace(",", " ").split()),
    )


def _split(body: str) -> list[str]:
    """Cuts at the commas that stand outside brackets."""
    parts, depth = [""], 0
    for letter in body:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


CELLS = tables_of("001_cells.sql")
DIMENSIONS = tables_of("003_directory.sql")


def test_every_declared_table_is_created_and_no_other() -> None:
    assert list(CELLS) == [declaration.name for declaration in CELL_TABLES]


@pytest.mark.parametrize("declaration", CELL_TABLES, ids=lambda declaration: declaration.name)
class TestCells:
    def test_columns_have_the_declared_names_and_order(self, declaration: CellTable) -> None:
        assert tuple(CELLS[declaration.name].columns) == declaration.columns

    def test_counters_and_the_stamp_are_wide_enough(self, declaration: CellTable) -> None:
        columns = CELLS[declaration.name].columns
        assert {columns[counter] for counter in (*declaration.counters, "log_offset")} == {"UInt64"}

    def test_ids_are_uuids_and_the_window_has_a_zone(self, declaration: CellTable) -> None:
        columns = CELLS[declaration.name].columns
        assert columns[declaration.window] == WINDOW_TYPES[declaration.window]
        assert {kind for name, kind in columns.items() if name.endswith("_id")} == {"UUID"}
        texts = {columns[name] for name in ("source", *declaration.key) if not name.endswith("_id")}
        assert texts <= {"LowCardinality(String)", "String", "UInt8"}

    def test_the_sort_key_is_the_cells_key(self, declaration: CellTable) -> None:
        order = CELLS[declaration.name].order_by
        assert set(order) == {"organization_id", declaration.window, "source", *declaration.key}
        assert len(order) == len(set(order))
        assert order[:2] == ("organization_id", declaration.window), "so that a page is one range"

    def test_the_partition_is_a_function_of_the_window(self, declaration: CellTable) -> None:
        assert re.fullmatch(rf"to\w+\({declaration.window}\)", CELLS[declaration.name].partition_by)

    def test_the_greatest_stamp_wins(self, declaration: CellTable) -> None:
        assert CELLS[declaration.name].engine == "ReplacingMergeTree(log_offset)"

    def test_no_column_is_declared_twice(self, declaration: CellTable) -> None:
        assert len(set(declaration.columns)) == len(declaration.columns)


def test_live_counters_name_nobody() -> None:
    minute = next(declaration for declaration in CELL_TABLES if declaration.name == "minute_cells")
    assert minute.key == ("product", "model")
    assert minute.counters == ("events", "requests", *TOKEN_CLASSES)


ROWS = [
    (TOKEN, token(attribution={"workspace_id": THING}), "attributions"),
    (DIRECTORY, entry("seat.assigned", account_id=THING), "directory"),
    (PROFILES, entry("profile.updated", account_id=THING, email="a@b", name="A"), "profiles"),
]


@pytest.mark.parametrize(("topic", "event", "table"), ROWS, ids=[table for _, _, table in ROWS])
def test_whole_rows_fill_their_tables_columns(topic: str, event: dict[str, object], table: str) -> None:
    source = Source(topic, f"{topic}/0@0", 0, Horizon(4, 2))
    source.apply(source.prepare(0, 1, [record(0, event)]))
    snapshot = source.snapshot()
    mark_flushed(snapshot)
    [row] = snapshot.rows[table]
    columns = tuple(DIMENSIONS[table].columns)
    assert columns == ROW_TABLES[table]
    named = dict(zip(columns, row, strict=True))
    if table == "attributions":
        assert named["workspace_id"] == THING
    else:
        assert (named["source"], named["log_offset"]) == (f"{topic}/0@0", 0)
