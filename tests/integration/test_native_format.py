"""Cells written as columns are, to ClickHouse, the rows that they were: of every table, every window and any text."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from aggregators.backend import joiner_of
from aggregators.cell_rows import CellRows, concat_rows
from aggregators.cell_tables import CELL_TABLES, CellTable
from aggregators.windows import WINDOW_PARSE
from deploy.connections import open_store
from deploy.database import prepare_database
from deploy.settings import Settings
from sinks.client import CELLS_AN_INSERT
from sinks.native_format import NUMBERS, varint
from sinks.store import Store
from tally_client.events.envelope import MAX_COUNT
from tests.support.backends import FORMS, form_name
from tests.support.fold_records import uuid

pytestmark = pytest.mark.slow

WINDOWS = {
    "hour": ("2025-01-01 00:00:00", "2028-02-29 23:00:00", "2100-12-31 23:00:00"),
    "minute": ("2026-11-25 06:44:00", "2028-02-29 23:59:00", "2100-12-31 00:00:00"),
    "day": ("2025-01-01", "2028-02-29", "2100-12-31"),
}
TEXTS = ("", "claude-sonnet-5", "naïve Ω 🙂", "a\tb\nc\x00d\"'\\", "x" * 127, "y" * 128, "z" * 20_000)
LARGEST = MAX_COUNT * 9 * 10**9  # nine thousand million events of the largest count


@pytest.fixture(scope="module")
def store(clickhouse: str) -> Iterator[Store]:
    """A store of its own database, with all tables."""
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"native_{uuid4().hex[:8]}")
    prepare_database(settings)
    made = open_store(settings)
    yield made
    made.client.command(f"DROP DATABASE {settings.clickhouse_database}")
    made.client.close()


def value_of(column: str, number: int) -> Any:
    """A value of a key column: each row has another of most."""
    if column in NUMBERS:
        return number % 2
    if column.endswith("_id"):
        return uuid(number)
    text = TEXTS[number % len(TEXTS)]
    return text and f"{text}{number}"


def cells(declaration: CellTable, source: str, numbers: range, compiled: bool = False) -> CellRows:
    windows = [WINDOW_PARSE[declaration.window](text) for text in WINDOWS[declaration.window]]
    keys = [tuple(value_of(column, number + at) for at, column in enumerate(declaration.key)) for number in numbers]
    counts = [[n, *((n * at) % LARGEST for at in range(len(declaration.counters)))] for n in numbers]
    counts[-1][-1] = LARGEST
    page_keys = [(uuid(number % 3), windows[number % 3]) for number in numbers]
    join = joiner_of(compiled)
    return CellRows(declaration, [source] * len(keys), page_keys, keys, np.array(counts, np.int64), join)


def stored(store: Store, rows: CellRows) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for source in sorted(set(rows.sources)):
        pages = {page for page, of in zip(rows.page_keys, rows.sources, strict=True) if of == source}
        found += [(source, *row) for row in store.read_pages(rows.declaration, source, pages)]
    return found


@pytest.mark.parametrize("compiled", FORMS, ids=form_name)
@pytest.mark.parametrize("declaration", CELL_TABLES, ids=lambda declaration: declaration.name)
def test_columns_are_stored_as_their_rows(store: Store, declaration: CellTable, compiled: bool) -> None:
    sources = (f"{form_name(compiled)}/{number}@0" for number in range(2))
    first, second = (cells(declaration, name, range(1 + at, 200), compiled) for at, name in enumerate(sources))
    rows = concat_rows([first, second])
    assert list(rows) == [*first, *second]
    store.write(declaration.name, rows)
    assert isinstance(rows, CellRows)
    expected = sorted(map(tuple, rows))
    assert sorted(stored(store, rows)) == expected
    assert sorted(stored(store, rows)) != sorted(map(tuple, first)), "the control: other rows are told apart"


@pytest.mark.parametrize("declaration", CELL_TABLES, ids=lambda declaration: declaration.name)
def test_columns_and_json_give_the_same(store: Store, declaration: CellTable) -> None:
    rows = cells(declaration, "json/0@0", range(1, 50))
    store.write(declaration.name, [list(row) for row in rows])
    as_json = stored(store, rows)
    store.write(declaration.name, rows)
    assert sorted(stored(store, rows)) == sorted(as_json)


def test_more_cells_than_one_insert_takes_all_arrive(store: Store) -> None:
    declaration = next(each for each in CELL_TABLES if each.name == "minute_cells")
    numbers = range(CELLS_AN_INSERT + 10)
    keys = [("chat", f"model-{number}") for number in numbers]
    page_keys = [(uuid(1), WINDOW_PARSE["minute"]("2026-11-25 06:44:00"))] * len(keys)
    counts = np.ones((len(keys), 1 + len(declaration.counters)), np.int64)
    store.write("minute_cells", CellRows(declaration, ["many/0@0"] * len(keys), page_keys, keys, counts))
    found = store.client.query("SELECT count() FROM minute_cells WHERE source = 'many/0@0'").first_row[0]
    assert found == len(keys)


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02"), (1 << 14, b"\x80\x80\x01")],
)
def test_lengths_are_leb128(number: int, encoded: bytes) -> None:
    assert varint(number) == encoded
