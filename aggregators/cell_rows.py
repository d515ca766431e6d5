"""Cells on their way to ClickHouse: unchanged keys, counters in one array, converted to rows only on access."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from aggregators.cell_tables import CellTable
from aggregators.windows import WINDOW_TEXT

PageKey = tuple[str, int]
"""(organization id, window number)"""
CellKey = tuple[Any, ...]
"""The declaration's key columns, in order."""
Counts = NDArray[np.int64]
"""One row per cell: log_offset, then the counters."""
Joiner = Callable[[list[CellKey], int, Callable[[Any], bytes]], bytes]
"""(keys, index in each key, encoding) to the concatenated encodings of all the values at that index."""


def join_in_python(keys: list[CellKey], at: int, encode: Callable[[Any], bytes]) -> bytes:
    """Return the concatenated encodings of one value of each key; equal values are encoded once."""
    values = [key[at] for key in keys]
    encoded = {value: encode(value) for value in set(values)}
    return b"".join([encoded[value] for value in values])


class CellRows(Sequence[list[Any]]):
    """Absolute rows of one table, in the order of its columns.

    A row is built only when it is accessed: a flush writes columns, and building lists of lists for it took a quarter
    of a worker's time. Sources, page keys, keys and counts are parallel and never change; `join` turns keys into
    columns.
    """

    def __init__(
        self,
        declaration: CellTable,
        sources: list[str],
        page_keys: list[PageKey],
        keys: list[CellKey],
        counts: Counts,
        join: Joiner = join_in_python,
    ) -> None:
        self.declaration = declaration
        self.sources = sources
        self.page_keys = page_keys
        self.keys = keys
        self.counts = counts
        self.join = join

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, place: int) -> list[Any]: ...

    @overload
    def __getitem__(self, place: slice) -> "CellRows": ...

    def __getitem__(self, place: int | slice) -> "list[Any] | CellRows":
        if isinstance(place, slice):
            parallel = self.sources[place], self.page_keys[place], self.keys[place], self.counts[place]
            return CellRows(self.declaration, *parallel, self.join)
        organization, window = self.page_keys[place]
        text = WINDOW_TEXT[self.declaration.window](window)
        return [self.sources[place], organization, text, *self.keys[place], *self.counts[place].tolist()]

    def __iter__(self) -> Iterator[list[Any]]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


Rows = Sequence[Sequence[Any]]
"""Whole rows of one table: CellRows, or lists for tables without counters."""


def concat_rows(parts: Sequence[Rows]) -> Rows:
    """Concatenate the rows that several sources have of one table."""
    cells = [part for part in parts if isinstance(part, CellRows)]
    if not cells:
        return [row for part in parts for row in part]
    return CellRows(
        cells[0].declaration,
        [source for part in cells for source in part.sources],
        [page_key for part in cells for page_key in part.page_keys],
        [key for part in cells for key in part.keys],
        np.concatenate([part.counts for part in cells]),
        cells[0].join,
    )
