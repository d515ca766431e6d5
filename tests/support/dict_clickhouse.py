"""ClickHouse made of dicts, for properties that need thousands of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aggregators.cell_rows import PageKey
from aggregators.cell_tables import CELL_TABLES, CellTable
from aggregators.windows import WINDOW_PARSE, WINDOW_TEXT
from tests.reference.known_log import Tables

DECLARATIONS = {declaration.name: declaration for declaration in CELL_TABLES}


@dataclass
class ClickHouse:
    """Tables as FINAL would show them: of the rows of one key the greatest log_offset wins, of profiles the newest."""

    tables: Tables = field(default_factory=Tables)
    next_offset: int = 0
    last_record: str = ""

    def write(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows as they come from a snapshot."""
        for row in rows:
            if table == "directory":
                self.tables.directory[row[-1]] = (*row[:4], *row[6:8])
            elif table == "attributions":
                self.tables.attributions[row[0]] = tuple(row)
            elif table == "profiles":
                organization, account, email, name, forgotten, _, occurred_at, logged_at, _, offset = row
                self.tables.tell((organization, account, forgotten), (occurred_at, logged_at, offset, email, name))
            else:
                self._write_cell(table, row)

    def _write_cell(self, table: str, row: Sequence[Any]) -> None:
        width = 3 + len(DECLARATIONS[table].key)
        key, cell = tuple(row[1:width]), tuple(row[width:])
        cells = self.tables.cells.setdefault(table, {})
        stored = cells.get(key, (-1,))
        assert stored[0] != cell[0] or stored == cell, f"one stamp, two values in {table} at {key}: {stored}, {cell}"
        cells[key] = max(stored, cell)

    def write_position(self, next_offset: int, last_record: str) -> None:
        """Store a place; the greatest wins."""
        self.next_offset = max(self.next_offset, next_offset)
        self.last_record = max(self.last_record, last_record)

    def read_pages(self, declaration: CellTable, pages: Iterable[PageKey]) -> list[Sequence[Any]]:
        """The cells of these pages."""
        text = WINDOW_TEXT[declaration.window]
        wanted = {(organization, text(window)) for organization, window in pages}
        cells = self.tables.cells.get(declaration.name, {})
        return [(*key, *cell) for key, cell in cells.items() if key[:2] in wanted]

    def first_unwritten(self) -> dict[str, int]:
        """The first window of each table of which it holds nothing."""
        newest = {name: max(key[1] for key in cells) for name, cells in self.tables.cells.items()}
        return {name: WINDOW_PARSE[DECLARATIONS[name].window](text) + 1 for name, text in newest.items()}
