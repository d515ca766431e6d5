"""Sets of numbers as bits: one set is an array of 64-bit words, sets of several days are the rows of a matrix."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]

WORD = 64


def bits_of(numbers: NDArray[np.integer], size: int) -> Bits:
    """The set of these numbers, all below `size`."""
    flags = np.zeros(-(-size // WORD) * WORD, bool)
    flags[numbers] = True
    return np.packbits(flags, bitorder="little").view(np.uint64)


def numbers_of(bits: Bits) -> NDArray[np.intp]:
    """What is in the set, ascending."""
    return np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little"))


def matrix(rows: Sequence[Iterable[Bits]], words: int) -> Bits:
    """A row for each union of sets, `words` wide; a set may be shorter: it was made when there were fewer numbers."""
    found = np.zeros((len(rows), words), np.uint64)
    for row, sets in zip(found, rows, strict=True):
        for bits in sets:
            row[: len(bits)] |= bits
    return found


def union(rows: Bits) -> Bits:
    """What is in any of the rows."""
    whole: Bits = np.bitwise_or.reduce(rows, axis=0)
    return whole


def count(bits: Bits) -> int:
    """How many are in the set."""
    return int(np.bitwise_count(bits).sum(dtype=np.int64))


def counts(rows: Bits) -> list[int]:
    """How many are in each row."""
    found: list[int] = np.bitwise_count(rows).sum(axis=1, dtype=np.int64).tolist()
    return found


def trailing(rows: Bits, width: int) -> Bits:
    """Row by row the union of it and the `width` - 1 rows before it, as far as there are any.

    A window is the union of two that overlap and are half as wide at least, so it takes few steps.
    """
    found, reach = rows.copy(), 1
    while reach < width:
        step = min(reach, width - reach)
        found[step:] = found[step:] | found[:-step]
        reach += step
    return found


def times_met(rows: Bits) -> list[int]:
    """How many numbers are in exactly 1, 2, ... all rows."""
    met = np.zeros(rows.shape[1] * WORD, np.int32)
    for row in rows:
        met += np.unpackbits(row.view(np.uint8), bitorder="little")
    found: list[int] = np.bincount(met, minlength=len(rows) + 1)[1:].tolist()
    return found
