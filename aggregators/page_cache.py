"""Cells in memory: a PageCache has the pages of one table for one source.

A page consists of the cells of one (organization, window) and is read back from ClickHouse and evicted as a unit. The
counts of all cells are in one array with a row per cell: its log_offset, then its counters. A page maps keys to rows. A
batch is therefore added in one step, and a flush takes columns. An event whose offset is at or below a cell's stamp is
already in that cell and is skipped for that cell only, which makes a re-read after a crash harmless.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from aggregators.cell_rows import CellKey, CellRows, Counts, Joiner, PageKey, join_in_python
from aggregators.cell_tables import CellTable
from aggregators.increments import BY_OFFSET, NO_ROW, Adder, CellColumns, Change, Wanted, add_in_numpy
from aggregators.windows import WINDOW_PARSE

FIRST_ROWS = 64
NO_STAMP = -1
"""The stamp of an empty cell: less than offset 0."""


class Page:
    """The rows of the cells of one (organization, window), and whether any has changed since the latest flush."""

    __slots__ = ("cells", "dirty", "in_flight", "key", "last_used")

    def __init__(self, key: PageKey, last_used: int) -> None:
        self.key = key
        self.cells: dict[CellKey, int] = {}
        self.dirty = False
        self.in_flight = 0
        self.last_used = last_used


class PageCache:
    """The pages of one table and one source.

    `first_unwritten` is the first window for which ClickHouse certainly has nothing from this source. Pages from there
    on need no read-back; without it every new hour of every organization would cost a query.
    """

    def __init__(
        self, declaration: CellTable, first_unwritten: int, add: Adder = add_in_numpy, join: Joiner = join_in_python
    ) -> None:
        self.declaration = declaration
        self.pages: dict[PageKey, Page] = {}
        self.first_unwritten = first_unwritten
        self.round = 0
        self._width = 1 + len(declaration.counters)
        self._add = add
        self._join = join
        self._changed_pages: list[Page] = []
        self._row_of = np.empty(0, np.int32)
        self._clear()

    def _clear(self) -> None:
        """Remove all cells and free their memory."""
        self._counts = _no_counts(FIRST_ROWS, self._width)
        self._changed = np.zeros(FIRST_ROWS, np.bool_)
        self._page_keys: list[PageKey | None] = []
        self._keys: list[CellKey | None] = []
        self._free: list[int] = []
        self.reset_row_index()

    def open(self, page_key: PageKey) -> bool:
        """Return True if the page is in memory; a page that ClickHouse cannot have is opened empty."""
        if page_key in self.pages:
            return True
        if page_key[1] >= self.first_unwritten:
            self.pages[page_key] = Page(page_key, self.round)
            return True
        return False

    def load(self, page_keys: Iterable[PageKey], rows: Iterable[Sequence[Any]]) -> None:
        """Open pages with what ClickHouse has: rows of (organization, window text, *key, log_offset, *counters).

        A cell that is already in memory is newer and stays unchanged.
        """
        for page_key in page_keys:
            self.pages.setdefault(page_key, Page(page_key, self.round))
        width = len(self.declaration.key)
        parse = WINDOW_PARSE[self.declaration.window]
        loaded: dict[int, Sequence[int]] = {}
        for organization, window, *rest in rows:
            page, key, unused = self.pages[organization, parse(window)], tuple(rest[:width]), self._unused_row()
            if page.cells.setdefault(key, unused) == unused:
                self._use_row(unused, page.key, key)
                loaded[unused] = rest[width:]
        if loaded:
            self._counts[list(loaded)] = list(loaded.values())

    def fold(self, offsets: Sequence[int], changes: Sequence[Change], columns: Sequence[CellColumns] = ()) -> None:
        """Add events to their cells: changes at these ascending offsets, and events in columns.

        All pages must be open; a KeyError is a bug in the caller.
        """
        if columns:
            self._find_rows(offsets, changes, columns)
        parts = [(self._row_of[each.cells].astype(np.int64), each.offsets, each.amounts) for each in columns]
        if changes:
            _, page_keys, keys, amounts = zip(*changes, strict=True)
            rows = np.fromiter(self._rows_of(page_keys, keys), np.int64, len(keys))
            added = np.fromiter(chain.from_iterable(amounts), np.int64, len(keys) * self._width)
            parts.append((rows, np.fromiter(offsets, np.int64, len(offsets)), added.reshape(-1, self._width)))
        if len(parts) == 1:
            self._add(self._counts, self._changed.view(np.uint8), *parts[0])
        elif parts:
            rows, stamps, added = (np.concatenate(part) for part in zip(*parts, strict=True))
            order = np.argsort(stamps, kind="stable")
            self._add(self._counts, self._changed.view(np.uint8), rows[order], stamps[order], added[order])

    def _find_rows(self, offsets: Sequence[int], changes: Sequence[Change], columns: Sequence[CellColumns]) -> None:
        """Find the row of each number. New cells get rows in log order, however the log is divided into batches."""
        wanted: list[Wanted] = [
            (offset, NO_ROW, page_key, key) for offset, (_, page_key, key, _) in zip(offsets, changes, strict=True)
        ]
        for each in columns:
            for _, page_key in each.pages:
                self._touch(self.pages[page_key])
            if each.numbers > len(self._row_of):
                more = np.full(2 * each.numbers - len(self._row_of), NO_ROW, np.int32)
                self._row_of = np.concatenate((self._row_of, more))
            wanted += each.unknown(self._row_of, each.cells, each.offsets)
        if changes or len(columns) > 1:
            wanted.sort(key=BY_OFFSET)
        if wanted:
            _, numbers, page_keys, keys = zip(*wanted, strict=True)
            rows, found = np.array(self._rows_of(page_keys, keys), np.int32), np.array(numbers)
            self._row_of[found[found != NO_ROW]] = rows[found != NO_ROW]

    def reset_row_index(self) -> None:
        """Forget the row of each number, after numbering of cells has restarted or their rows have changed."""
        self._row_of = np.empty(0, np.int32)

    def _rows_of(self, page_keys: Iterable[PageKey], keys: Iterable[CellKey]) -> list[int]:
        """Return the row of each cell. A new cell gets a row, and every page is marked as changed."""
        pages, unused = self.pages, self._unused_row()
        rows = []
        for page_key, key in zip(page_keys, keys, strict=True):
            page = pages[page_key]
            row = page.cells.setdefault(key, unused)
            if row == unused:
                self._use_row(row, page.key, key)
                unused = self._unused_row()
            rows.append(row)
            if not page.dirty:
                self._touch(page)
        return rows

    def _touch(self, page: Page) -> None:
        if not page.dirty:
            page.dirty = True
            page.last_used = self.round
            self._changed_pages.append(page)

    def _unused_row(self) -> int:
        """Return the row that the next new cell will get."""
        return self._free[-1] if self._free else len(self._keys)

    def _use_row(self, row: int, page_key: PageKey, key: CellKey) -> None:
        if self._free:
            self._free.pop()
            self._page_keys[row], self._keys[row] = page_key, key
            return
        self._page_keys.append(page_key)
        self._keys.append(key)
        if row == len(self._counts):
            self._counts = np.concatenate((self._counts, _no_counts(row, self._width)))
            self._changed = np.concatenate((self._changed, np.zeros(row, np.bool_)))

    @property
    def unflushed(self) -> int:
        """The number of cells whose changes ClickHouse does not have, not counting those in flight."""
        return int(np.count_nonzero(self._changed)) if self._changed_pages else 0

    @property
    def open_cells(self) -> int:
        """The number of cells in memory."""
        return len(self._keys) - len(self._free)

    def take_dirty_rows(self, source: str) -> tuple[CellRows, list[Page]]:
        """Return absolute rows of all changed cells, and their pages, which cannot be evicted until `mark_flushed`."""
        self.round += 1
        flight, self._changed_pages = self._changed_pages, []
        for page in flight:
            page.dirty = False
            page.in_flight += 1
        rows = np.flatnonzero(self._changed)
        self._changed[rows] = False
        places = rows.tolist()
        page_keys: list[Any] = [self._page_keys[row] for row in places]
        keys: list[Any] = [self._keys[row] for row in places]
        parallel = [source] * len(places), page_keys, keys, self._counts[rows]
        return CellRows(self.declaration, *parallel, self._join), flight

    def mark_flushed(self, flight: Iterable[Page]) -> None:
        """Record that ClickHouse has confirmed the rows of these pages."""
        for page in flight:
            page.in_flight -= 1

    def evict(self, idle_rounds: int, keep: Iterable[PageKey] = ()) -> int:
        """Evict pages that no event has changed for `idle_rounds` flushes; return their number.

        Pages that are changed, in flight or needed by a waiting batch (`keep`) stay: if such a page were read back
        before its rows were written, it would lack them.
        """
        kept = set(keep)
        idle = [
            page
            for page in self.pages.values()
            if self.round - page.last_used >= idle_rounds
            and not page.dirty
            and not page.in_flight
            and page.key not in kept
        ]
        for page in idle:
            self.first_unwritten = max(self.first_unwritten, page.key[1] + 1)
            del self.pages[page.key]
        self._let_go([row for page in idle for row in page.cells.values()])
        return len(idle)

    def _let_go(self, rows: list[int]) -> None:
        if not self.pages:
            self._clear()
            return
        gone = np.zeros(len(self._keys) + 1, np.bool_)  # the last element is for NO_ROW
        gone[rows] = True
        self._row_of[gone[self._row_of]] = NO_ROW
        self._counts[rows] = 0
        self._counts[rows, 0] = NO_STAMP
        for row in rows:
            self._page_keys[row] = self._keys[row] = None
        self._free += rows


def _no_counts(rows: int, width: int) -> Counts:
    """Return counts of empty cells."""
    counts = np.zeros((rows, width), np.int64)
    counts[:, 0] = NO_STAMP
    return counts
