"""Duplicates from producers: one event_id at two offsets of a partition counts once, within a horizon.

Offsets are cut into blocks at `offset // block_size`. A record is a repeat if its id stands at an earlier offset in
its own block or in the `blocks` blocks before it. Every well-formed record registers its id and payload, counted or
not. So the decision at an offset is a function of at most `blocks + 1` blocks of the log, and a replay that begins
on a block's edge at least that far back decides the same.

A repeat with the payload of the latest occurrence is a duplicate; with another payload it is a conflict, which is
never counted and never dropped in silence.

Sixteen bytes an event: 64-bit hashes of id and payload, closed blocks in sorted arrays. Python's own string hash is
keyed anew in each process, which is no matter since the index never leaves it.
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.int64]


class Verdict(Enum):
    """What an occurrence of an event_id is."""

    FIRST = "first"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class Horizon:
    """The ids of the latest blocks of one source, fed in order of offsets."""

    def __init__(self, block_size: int, blocks: int) -> None:
        self.block_size = block_size
        self.blocks = blocks
        self._closed: deque[tuple[int, Hashes, Hashes]] = deque()
        self._block = -1
        self._current: dict[int, int] = {}

    def warm_from(self, place: int) -> int:
        """The offset from which reading must start so that every decision from `place` on is as in a first read."""
        return max(0, place // self.block_size - self.blocks) * self.block_size

    def judge(self, block: int, ids: Sequence[int], payloads: Sequence[int]) -> list[Verdict]:
        """The verdict on each record of a run that lies within one block, in order of offsets; registers them all."""
        self._advance(block)
        earlier = self._latest_in_closed(ids)
        current = self._current
        if not earlier and current.keys().isdisjoint(ids) and len(set(ids)) == len(ids):
            current.update(zip(ids, payloads, strict=True))
            return [Verdict.FIRST] * len(ids)
        verdicts = []
        for position, (identity, payload) in enumerate(zip(ids, payloads, strict=True)):
            known = current.get(identity)
            if known is None:
                known = earlier.get(position)
            current[identity] = payload
            if known is None:
                verdicts.append(Verdict.FIRST)
            else:
                verdicts.append(Verdict.DUPLICATE if known == payload else Verdict.CONFLICT)
        return verdicts

    def _advance(self, block: int) -> None:
        if block == self._block:
            return
        if self._current:
            ids = np.fromiter(self._current.keys(), np.int64, len(self._current))
            payloads = np.fromiter(self._current.values(), np.int64, len(self._current))
            order = np.argsort(ids)
            self._closed.append((self._block, ids[order], payloads[order]))
        self._current = {}
        self._block = block
        while self._closed and self._closed[0][0] < block - self.blocks:
            self._closed.popleft()

    def _latest_in_closed(self, ids: Sequence[int]) -> dict[int, int]:
        """Position in `ids` to the payload of its latest occurrence in the closed blocks; most runs have none."""
        if not self._closed:
            return {}
        wanted = np.fromiter(ids, np.int64, len(ids))
        order = np.argsort(wanted)
        wanted = wanted[order]  # sought in order, each search begins in the cache lines of the one before
        found: dict[int, int] = {}
        for _, known_ids, known_payloads in self._closed:
            at = known_ids.searchsorted(wanted)
            at[at == len(known_ids)] = 0
            for position in np.flatnonzero(known_ids[at] == wanted):
                found[int(order[position])] = int(known_payloads[at[position]])
        return found
