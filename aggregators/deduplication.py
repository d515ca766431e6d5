"""Duplicates from producers: one event at two offsets of a partition counts once, within a horizon.

Offsets are cut into blocks at `offset // block_size`. A record is a repeat if its identity (organization, type and
event_id) stands at an earlier offset in its own block or in the `blocks` blocks before it. Every well-formed record
registers its identity and payload, counted or not. So the decision at an offset is a function of at most `blocks + 1`
blocks of the log, and a replay that begins on a block's edge at least that far back decides the same.

A repeat is a duplicate if all those occurrences have its payload; otherwise it is a conflict, which is never counted
and never dropped in silence, however often it is sent again: which of the payloads counted cannot be told from within
the horizon.

32 bytes an event: 64-bit hashes of identity and payload, and a filter that tells of nearly every new id that it is
new, so that a batch without repeats is judged in a few steps of numpy. Python's own string hash is keyed anew in each
process, which is no matter since the index never leaves it.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.int64]

FILTER_PLACES_AN_EVENT = 16
FILTER_TESTS = 3
"""Places that an id marks: with 16 an event, one new id in 200 is taken for a suspect by a full block."""
FEW = 16
"""Suspects that are sought one by one in the block that is being filled; for more its hashes are sorted."""


SEVERAL = None
"""Instead of the payload of an identity that stands with several ones."""


class Occurrence(Enum):
    """What an occurrence of an identity is."""

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
        """Nothing will be added: keep the hashes sorted, so that each search in them is short."""
        self._ids, self._payloads = self._ordered()
        self._is_closed = True

    def _ordered(self) -> tuple[Hashes, Hashes]:
        """By id; the payloads of one id, which are hardly ever two, by their value."""
        ids, payloads = self._ids[: self._count], self._payloads[: self._count]
        order = np.argsort(ids)
        if _any_equal(ids[order]):
            order = np.lexsort((payloads, ids))
        return ids[order], payloads[order]

    def known(self, ids: Hashes) -> Iterator[tuple[int, int | None]]:
        """(position in `ids`, its payload here or SEVERAL) of those that are here."""
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
        """The place in the filter that each id marks: other bits of its hash for each test."""
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
    """The ids of the latest blocks of one source, fed in order of offsets."""

    def __init__(self, block_size: int, blocks: int) -> None:
        self.block_size = block_size
        self.blocks = blocks
        self._latest: deque[Block] = deque()

    def replay_start(self, place: int) -> int:
        """The offset from which reading must start so that every decision from `place` on is as in a first read."""
        return max(0, place // self.block_size - self.blocks) * self.block_size

    def classify(self, block: int, ids: Sequence[int] | Hashes, payloads: Sequence[int] | Hashes) -> list[Occurrence]:
        """The verdict on each record of a run that lies within one block, in order of offsets; registers them all."""
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
    """One after another; `earlier` has the payloads of earlier runs by position."""
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
