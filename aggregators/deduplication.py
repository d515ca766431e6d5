"""Duplicates from producers: one event at two offsets of a partition counts once, within a horizon.

Offsets are divided into blocks at `offset // block_size`. A record is a repeat if its identity (organization, type and
event_id) occurs at an earlier offset in its own block or in the `blocks` blocks before it. Every well-formed record
registers its identity and payload, counted or not. The decision at an offset is therefore a function of at most `blocks
+ 1` blocks of the log, and a replay that starts on a block boundary at least that far back decides the same.

A repeat is a duplicate if all those occurrences have its payload; otherwise it is a conflict. A conflict is never
counted and never dropped silently, however often it is sent again, because the horizon does not show which of the
payloads was counted.

32 bytes per event: 64-bit hashes of identity and payload, and a filter that recognizes nearly every new id as new, so
that a batch without repeats is decided in a few numpy operations. Python's string hash has another key in each process,
which does not matter because the index never leaves the process.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.int64]

FILTER_PLACES_AN_EVENT = 16
FILTER_TESTS = 3
"""Filter bits set per id. With 16 bits per event, one new id in 200 is a suspect in a full block."""
FEW = 16
"""Up to this many suspects are searched for one by one in the block being filled; for more, its hashes are sorted."""


SEVERAL = None
"""Replaces the payload of an identity that occurs with several payloads."""


class Occurrence(Enum):
    """Verdict on an occurrence of an identity."""

    FIRST = "first"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class Block:
    """The identities (`ids`) and payloads of one block of offsets."""

    def __init__(self, number: int, size: int) -> None:
        self.number = number
        self._ids = np.empty(FEW, np.int64)
        self._payloads = np.empty(FEW, np.int64)
        self._count = 0
        self._filter = np.zeros(1 << (size * FILTER_PLACES_AN_EVENT - 1).bit_length(), np.bool_)
        self._is_closed = False

    def add(self, ids: Hashes, payloads: Hashes) -> None:
        """Register occurrences."""
        end = self._count + len(ids)
        if end > len(self._ids):
            self._ids, self._payloads = _grown(self._ids, end), _grown(self._payloads, end)
        self._ids[self._count : end], self._payloads[self._count : end] = ids, payloads
        self._count = end
        for test in range(FILTER_TESTS):
            self._filter[self._places(ids, test)] = True

    def close(self) -> None:
        """Sort the hashes to speed up searches; nothing is added to a closed block."""
        self._ids, self._payloads = self._ordered()
        self._is_closed = True

    def _ordered(self) -> tuple[Hashes, Hashes]:
        """Return ids and payloads sorted by id, then by payload; an id rarely has two payloads."""
        ids, payloads = self._ids[: self._count], self._payloads[: self._count]
        order = np.argsort(ids)
        if _any_equal(ids[order]):
            order = np.lexsort((payloads, ids))
        return ids[order], payloads[order]

    def known(self, ids: Hashes) -> Iterator[tuple[int, int | None]]:
        """Yield (position in `ids`, its payload in this block or SEVERAL) of each id in this block."""
        suspects = np.flatnonzero(self._filter[self._places(ids, 0)])
        for test in range(1, FILTER_TESTS):
            suspects = suspects[self._filter[self._places(ids[suspects], test)]]
        if self._is_closed:
            return _search(self._ids, self._payloads, ids, suspects)
        return self._scan(ids, suspects) if len(suspects) <= FEW else _search(*self._ordered(), ids, suspects)

    def _scan(self, ids: Hashes, suspects: NDArray[np.intp]) -> Iterator[tuple[int, int | None]]:
        for position in suspects.tolist():
            found = self._payloads[: self._count][self._ids[: self._count] == ids[position]]
            if len(found):
                yield position, int(found[0]) if (found == found[0]).all() else SEVERAL

    def _places(self, ids: Hashes, test: int) -> Hashes:
        """Return the filter position of each id; each test uses other bits of its hash."""
        return (ids >> (20 * test)) & (len(self._filter) - 1)


def _search(
    known: Hashes, payloads: Hashes, ids: Hashes, suspects: NDArray[np.intp]
) -> Iterator[tuple[int, int | None]]:
    first = known.searchsorted(ids[suspects], side="left")
    end = known.searchsorted(ids[suspects], side="right")
    is_here = end > first
    least, most = payloads[first[is_here]], payloads[end[is_here] - 1]
    for position, payload, other in zip(suspects[is_here].tolist(), least.tolist(), most.tolist(), strict=True):
        yield position, payload if payload == other else SEVERAL


def _grown(values: Hashes, least: int) -> Hashes:
    grown = np.empty(1 << (least - 1).bit_length(), np.int64)
    grown[: len(values)] = values
    return grown


class Horizon:
    """The latest blocks of one source, filled in order of offsets."""

    def __init__(self, block_size: int, blocks: int) -> None:
        self.block_size = block_size
        self.blocks = blocks
        self._latest: deque[Block] = deque()

    def replay_start(self, place: int) -> int:
        """Return the offset from which to read so that every decision from `place` on is as in the first read."""
        return max(0, place // self.block_size - self.blocks) * self.block_size

    def classify(self, block: int, ids: Sequence[int] | Hashes, payloads: Sequence[int] | Hashes) -> list[Occurrence]:
        """Return the verdict on each record of a run within one block, in order of offsets, and register them all."""
        self._advance(block)
        hashes, contents = np.array(ids, np.int64), np.array(payloads, np.int64)
        earlier: dict[int, int | None] = {}
        for each in self._latest:
            for position, payload in each.known(hashes):
                earlier[position] = payload if earlier.get(position, payload) == payload else SEVERAL
        self._latest[-1].add(hashes, contents)
        if not earlier and not _any_equal(np.sort(hashes)):
            return [Occurrence.FIRST] * len(ids)
        return _verdicts(hashes.tolist(), contents.tolist(), earlier)

    def _advance(self, block: int) -> None:
        if not self._latest or self._latest[-1].number != block:
            if self._latest:
                self._latest[-1].close()
            self._latest.append(Block(block, self.block_size))
        while self._latest[0].number < block - self.blocks:
            self._latest.popleft()


def _any_equal(ordered: Hashes) -> bool:
    return bool((ordered[1:] == ordered[:-1]).any())


def _verdicts(ids: Sequence[int], payloads: Sequence[int], earlier: Mapping[int, int | None]) -> list[Occurrence]:
    """Judge records in order; `earlier` maps positions to the payloads of earlier runs."""
    verdicts = []
    seen: dict[int, int | None] = {}
    for position, (identity, payload) in enumerate(zip(ids, payloads, strict=True)):
        if identity not in seen and position not in earlier:
            verdicts.append(Occurrence.FIRST)
            seen[identity] = payload
            continue
        known = seen.get(identity, earlier.get(position))
        verdicts.append(Occurrence.DUPLICATE if known == payload else Occurrence.CONFLICT)
        seen[identity] = known if known == payload else SEVERAL
    return verdicts
