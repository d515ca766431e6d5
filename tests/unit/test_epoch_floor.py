"""An epoch is parsed by the tables and nowhere else, and what a replaced epoch left behind is kept out in one place."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregators.cell_tables import CELL_TABLES

ROOT = Path(__file__).parents[2]
TABLES, VIEWS = ROOT / "sinks" / "schema" / "tables", ROOT / "sinks" / "schema" / "views"
READING = ("sinks", "queries", "access", "pricing", "reports", "directory", "api", "deploy", "bench")
COLUMN = "epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)'))"
PARTITION = "extract(source, '/([0-9]+)@')"
WITH_SOURCES = [*(table.name for table in CELL_TABLES), "directory", "profiles"]
"""The tables whose rows belong to a source."""
WHAT_COUNTS = {table: f"{table}_current" for table in WITH_SOURCES} | {"directory": "directory_history"}
"""By table: the view that leaves replaced epochs out."""
READ_PROJECTIONS = {"usage_by_day", "spend_offsets"}
"""Views that read a projection, which a view with FINAL does not."""
FLOOR = re.compile(
    r"\(SELECT max\(epoch\) FROM topic_epochs FINAL WHERE topic = 'tally\.[a-z]+' AND mode = 'replace'\);?"
)
PARSED = re.compile(r"\bsource\b.*'[^'\n]*@[^'\n]*'|'[^'\n]*@[^'\n]*'.*\bsource\b")


def texts() -> Iterator[tuple[str, str]]:
    """Every file that SQL of the product is in, without its comments."""
    for package in READING:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in (".sql", ".py"):
                yield str(path.relative_to(ROOT)), re.sub(r"(^|\s)--.*", "", path.read_text())


def compares(sql: str) -> bool:
    return re.search(r"\bepoch\s*[<>]=?", sql) is not None


@pytest.mark.parametrize("table", WITH_SOURCES)
def test_every_table_of_sources_has_its_epoch(table: str) -> None:
    sql = "\n".join(path.read_text() for path in TABLES.glob("*.sql"))
    found = re.search(rf"CREATE TABLE IF NOT EXISTS {table} \((.*?)\n\) ENGINE", sql, re.DOTALL)
    assert found
    assert COLUMN in found[1]


def test_nothing_else_parses_an_epoch() -> None:
    found = {name: sql.replace(COLUMN, "") for name, sql in texts()}
    assert len(found) > 300
    assert [name for name, sql in found.items() if PARSED.search(sql.replace(PARTITION, ""))] == []


@pytest.mark.parametrize(
    "sql",
    [
        "toUInt32OrZero(extract(source, '@(.*)'))",
        "splitByChar('@', source)[2]",
        "substring(source, position(source, '@') + 1)",
        "extract(toString(source), '^.*@([0-9]+)$')",
    ],
)
def test_an_epoch_that_is_parsed_is_noticed(sql: str) -> None:
    assert PARSED.search(sql)


def test_replaced_epochs_are_left_out_in_the_views_of_what_counts_alone() -> None:
    floors = {path.stem for path in VIEWS.glob("*.sql") if compares(path.read_text())}
    assert floors == {*WHAT_COUNTS.values(), *READ_PROJECTIONS}
    elsewhere = [name for name, sql in texts() if compares(sql) and not name.startswith("sinks/schema/views/")]
    assert elsewhere == []


def test_the_floor_is_the_last_replacement_in_every_view() -> None:
    compared = re.compile(r"\b(?:WHERE|AND) epoch >= (.*)")
    floors = {
        path.stem: compared.findall(path.read_text()) for path in VIEWS.glob("*.sql") if compares(path.read_text())
    }
    assert floors.pop("minute_cells_current") == ["floors[extract(source, '^[^/]+')]"], (
        "its cells are of several topics"
    )
    for view, floor in floors.items():
        assert len(floor) == 1, view
        assert FLOOR.fullmatch(floor[0]), view


@pytest.mark.parametrize("table", WITH_SOURCES)
def test_views_read_what_counts_and_not_the_table(table: str) -> None:
    read = {path.stem for path in VIEWS.glob("*.sql") if re.search(rf"\b(FROM|JOIN) {table}\b", path.read_text())}
    assert read - READ_PROJECTIONS == {WHAT_COUNTS[table]}
