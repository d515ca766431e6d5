"""What many events add to cells, as columns, and how it is added."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aggregators.cell_rows import CellKey, Counts, PageKey
from aggregators.cell_tables import CellTable

BY_OFFSET = itemgetter(0)
"""The order of the log, of tuples that begin with an offset."""

NO_ROW = -1
"""The row of a number of which none is known."""

Wanted = tuple[int, int, PageKey, CellKey]
"""(offset at which it is first named, number or NO_ROW, page key, key) of a cell whose row is sought."""


class CellColumns(NamedTuple):
    """What events at ascending offsets add to cells of one table, without an object for each of them.

    `cells` are numbers below `numbers`; `pages` all that they lie in, each with the offset at which it is first named.
    `unknown(row of each number, cells, offsets)` gives each cell whose row is NO_ROW, once and in order, and puts
    another mark there.
    """

    offsets: NDArray[np.int64]
    cells: NDArray[np.int64]
    amounts: Counts
    pages: Sequence[tuple[int, PageKey]]
    numbers: int
    unknown: Callable[[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]], list[Wanted]]


Adder = Callable[[Counts, NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], Counts], None]
"""(all counts, the marks of changed rows, and of each event its row, offset and amounts)"""


def add_in_numpy(
    counts: Counts, changed: NDArray[np.uint8], rows: NDArray[np.int64], offsets: NDArray[np.int64], amounts: Counts
) -> None:
    """Add to each row what events bring whose offset is beyond the row's stamp. Offsets ascend."""
    fresh = offsets > counts[rows, 0]
    if not fresh.all():
        rows, offsets, amounts = rows[fresh], offsets[fresh], amounts[fresh]
    width = counts.shape[1]
    places = rows[:, np.newaxis] * width + np.arange(width)
    np.add.at(counts.reshape(-1), places.reshape(-1), amounts.reshape(-1))
    counts[rows, 0] = offsets  # of a row that is named twice the last one stands, which is the greatest
    changed[rows] = True


Amounts = tuple[int, ...]
"""A zero for the stamp's place, then one increment for each counter."""

Change = tuple[CellTable, PageKey, CellKey, Amounts]
"""Increments of one cell. A plain tuple: a named one takes ten times as long to make, twice for every event."""


class Row(NamedTuple):
    """A whole row of a table without counters (attributions, directory, profiles), its first value its id.

    The rows of "attributions" are immutable and written once; the others are one for each record, and the source
    adds its name and the record's offset.
    """

    table: str
    values: tuple[Any, ...]


Folded = tuple[Sequence[Change], Sequence[Row]]
"""What one event adds."""

Fold = Callable[[Any, int], Folded]
"""(event, its record's log timestamp in milliseconds) to what it adds. Raises Invalid."""
