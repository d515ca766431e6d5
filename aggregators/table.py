"""Cells in memory: a Table holds one declaration's pages for one source.

A page is the cells of one (organization, window): the unit that is read back from ClickHouse and let go. A cell is
`[log_offset, *counters]`; an event whose offset is at or below a cell's stamp is already in that cell and skipped
for that cell alone, which is what makes a re-read after a crash harmless.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import add
from typing import Any

from aggregators.declarations import Declaration
from aggregators.windows import WINDOW_PARSE, WINDOW_TEXT

PageKey = tuple[str, int]
"""(organization id, window number)"""
CellKey = tuple[Any, ...]
"""The declaration's key columns, in order."""
Amounts = tuple[int, ...]
"""A zero for the stamp's place, then one increment for each counter."""


class Page:
    """The cells of one (organization, window), and which of them ClickHouse does not have yet."""

    __slots__ = ("cells", "changed", "flights", "touched")

    def __init__(self, touched: int) -> None:
        self.cells: dict[CellKey, list[int]] = {}
        self.changed: dict[CellKey, list[int]] = {}
        self.flights = 0
        self.touched = touched


class Table:
    """The pages of one declaration and one source.

    `first_unwritten` is the first window of which ClickHouse certainly holds nothing from this source, so that
    pages from there on need no read-back; without it every new hour of every organization costs a query.
    `unflushed` counts the cells that ClickHouse does not have yet, those in flight left out.
    """

    def __init__(self, declaration: Declaration, first_unwritten: int) -> None:
        self.declaration = declaration
        self.pages: dict[PageKey, Page] = {}
        self.dirty: dict[PageKey, Page] = {}
        self.first_unwritten = first_unwritten
        self.round = 0
        self.unflushed = 0

    def open(self, page_key: PageKey) -> bool:
        """Whether the page is here; one that ClickHouse cannot have is opened empty."""
        if page_key in self.pages:
            return True
        if page_key[1] >= self.first_unwritten:
            self.pages[page_key] = Page(self.round)
            return True
        return False

    def load(self, page_keys: Iterable[PageKey], rows: Iterable[Sequence[Any]]) -> None:
        """Open the pages as ClickHouse has them: rows of (organization, window text, *key, log_offset, *counters)."""
        for page_key in page_keys:
            self.pages.setdefault(page_key, Page(self.round))
        width = len(self.declaration.key)
        parse = WINDOW_PARSE[self.declaration.window]
        for organization, window, *rest in rows:
            page = self.pages[organization, parse(window)]
            page.cells.setdefault(tuple(rest[:width]), rest[width:])

    def add(self, page_key: PageKey, key: CellKey, offset: int, amounts: Amounts) -> None:
        """Fold one event's increments into its cell. The page must be open (KeyError: a bug in the caller)."""
        page = self.pages[page_key]
        cell = page.cells.get(key)
        if cell is None:
            cell = page.cells[key] = list(amounts)
        elif offset <= cell[0]:
            return
        else:
            cell[:] = map(add, cell, amounts)
        cell[0] = offset
        changed = page.changed
        before = len(changed)
        if not before:
            self.dirty[page_key] = page
            page.touched = self.round
        changed[key] = cell
        self.unflushed += len(changed) - before

    @property
    def open_cells(self) -> int:
        """How many cells are in memory."""
        return sum(len(page.cells) for page in self.pages.values())

    def take_changes(self, source: str) -> tuple[list[list[Any]], list[Page]]:
        """Absolute rows of all changed cells, in column order, and their pages, which stay until `landed`."""
        self.round += 1
        flight = list(self.dirty.values())
        rows = list(self._rows(source))
        for page in flight:
            page.changed = {}
            page.flights += 1
        self.dirty = {}
        self.unflushed = 0
        return rows, flight

    def _rows(self, source: str) -> Iterator[list[Any]]:
        text = WINDOW_TEXT[self.declaration.window]
        for (organization, window), page in self.dirty.items():
            head = [source, organization, text(window)]
            for key, cell in page.changed.items():
                yield [*head, *key, *cell]

    def landed(self, flight: Iterable[Page]) -> None:
        """ClickHouse has confirmed the rows of these pages."""
        for page in flight:
            page.flights -= 1

    def evict(self, idle_rounds: int, keep: Iterable[PageKey] = ()) -> int:
        """Let go pages that no event has changed for `idle_rounds` flushes; returns how many.

        A page that is dirty, in flight, or of a batch that waits (`keep`) stays: read back before its rows have
        landed, it would lack them.
        """
        kept = set(keep)
        idle = [
            page_key
            for page_key, page in self.pages.items()
            if self.round - page.touched >= idle_rounds
            and not page.changed
            and not page.flights
            and page_key not in kept
        ]
        for page_key in idle:
            self.first_unwritten = max(self.first_unwritten, page_key[1] + 1)
            del self.pages[page_key]
        return len(idle)
