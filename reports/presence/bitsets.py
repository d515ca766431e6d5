"""Sets of numbers as bits: a set is an array of 64-bit words; sets of several days are the rows of a matrix."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]

WORD = 64


def bits_of(numbers: NDArray[np.integer], size: int) -> Bits:
    """Return the set of these numbers, all below `size`."""
    flags = np.zeros(-(-size // WORD) * WORD, bool)
    flags[numbers] = True
    return np.packbits(flags, bitorder="little").view(np.uint64)


def numbers_of(bits: Bits) -> NDArray[np.intp]:
    """Return the numbers in the set, ascending."""
    return np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little"))


def matrix(rows: Sequence[Iterable[Bits]], words: int) -> Bits:
    """Return a row per union of sets, `words` wide. A set may be shorter, if it dates from when there were fewer."""
    found = np.zeros((len(rows), words), np.uint64)
    for row, sets in zip(found, rows, strict=True):
        for bits in sets:
            row[: len(bits)] |= bits
    return found


def union(rows: Bits) -> Bits:
    """Return the union of the rows."""
    whole: Bits = np.bitwise_or.reduce(rows, axis=0)
    return whole


def count(bits: Bits) -> int:
    """Return the size of the set."""
    return int(np.bitwise_count(bits).sum(dtype=np.int64))


def counts(rows: Bits) -> list[int]:
    """Return the size of each row."""
    found: list[int] = np.bitwise_count(rows).sum(axis=1, dtype=np.int64).tolist()
    return found


def trailing(rows: Bits, width: int) -> Bits:
    """Return for each row its union with the `width` - 1 rows before it, as far as they exist.

    A window is the union of two overlapping windows of at least half its width, so this takes few steps.
    """
    found, reach = rows.copy(), 1
    while reach < width:
        step = min(reach, width - reach)
        found[step:] = found[step:] | found[:-step]
        reach += step
    return found


def times_met(rows: Bits) -> list[int]:
    """Return how many numbers are in exactly 1, 2, ... all rows."""
    met = np.zeros(rows.shape[1] * WORD, np.int32)
    for row in rows:
        met += np.unpackbits(row.view(np.uint8), bitorder="little")
    found: list[int] = np.bincount(met, minlength=len(rows) + 1)[1:].tolist()
    return found
