"""What many events add to cells, as columns, and how it is added."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aggregators.cell_rows import CellKey, Counts, PageKey


class CellColumns(NamedTuple):
    """What events at ascending offsets add to cells of one table, without an object for each of them.

    `cells` are numbers below `numbers`, and `name` gives the (page key, key) of one; `pages` are all that they lie in.
    """

    offsets: NDArray[np.int64]
    cells: NDArray[np.int64]
    amounts: Counts
    pages: Sequence[PageKey]
    numbers: int
    name: Callable[[int], tuple[PageKey, CellKey]]


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
