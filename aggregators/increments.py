"""Increments of many events to cells, as columns, and how they are added."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aggregators.cell_rows import CellKey, Counts, PageKey
from aggregators.cell_tables import CellTable

BY_OFFSET = itemgetter(0)
"""Sort key for tuples that begin with an offset: the order of the log."""

NO_ROW = -1
"""The row of a number that has no row yet."""

Wanted = tuple[int, int, PageKey, CellKey]
"""(offset of the first use, number or NO_ROW, page key, key) of a cell whose row is needed."""


class CellColumns(NamedTuple):
    """Increments that events at ascending offsets make to cells of one table, without an object per event.

    `cells` are numbers less than `numbers`; `pages` are all their pages, each with the offset of its first use.
    `unknown(row of each number, cells, offsets)` returns each cell whose row is NO_ROW, once and in order, and marks it
    differently in that array.
    """

    offsets: NDArray[np.int64]
    cells: NDArray[np.int64]
    amounts: Counts
    pages: Sequence[tuple[int, PageKey]]
    numbers: int
    unknown: Callable[[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]], list[Wanted]]


Adder = Callable[[Counts, NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], Counts], None]
"""(all counts, flags of changed rows, then the row, offset and amounts of each event)"""


def add_in_numpy(
    counts: Counts, changed: NDArray[np.uint8], rows: NDArray[np.int64], offsets: NDArray[np.int64], amounts: Counts
) -> None:
    """Add to each row the amounts of events with offsets after the row's stamp. Offsets ascend."""
    fresh = offsets > counts[rows, 0]
    if not fresh.all():
        rows, offsets, amounts = rows[fresh], offsets[fresh], amounts[fresh]
    width = counts.shape[1]
    places = rows[:, np.newaxis] * width + np.arange(width)
    np.add.at(counts.reshape(-1), places.reshape(-1), amounts.reshape(-1))
    counts[rows, 0] = offsets  # for a row that is named twice the last assignment wins, which has the greatest offset
    changed[rows] = True


Amounts = tuple[int, ...]
"""A zero in the place of the stamp, then one increment per counter."""

Change = tuple[CellTable, PageKey, CellKey, Amounts]
"""Increments of one cell. A plain tuple: a named one takes ten times as long to create, twice for every event."""


class Row(NamedTuple):
    """A whole row of a table without counters (attributions, directory, profiles); the first value is its id.

    Rows of "attributions" are immutable and written once. Other tables have one row per record; the source adds its
    name and the record's offset.
    """

    table: str
    values: tuple[Any, ...]


Folded = tuple[Sequence[Change], Sequence[Row]]
"""Everything that one event adds."""

Fold = Callable[[Any, int], Folded]
"""(event, log timestamp of its record in milliseconds) to what it adds. Raises InvalidRecord."""
