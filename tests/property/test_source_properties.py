"""Exact under everything: any split, redelivery, flush, crash, eviction or second worker gives the recount's tables.

The property is worth what it catches, so each rule of a source is also left out in turn, and that must be found.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregators.cell_rows import PageKey
from aggregators.deduplication import Horizon, Occurrence
from aggregators.increments import CellColumns, Change
from aggregators.page_cache import Page, PageCache
from aggregators.prepared_batch import PreparedBatch, Record
from aggregators.source import Snapshot, Source
from tests.support.backends import FORMS, form_name
from tests.support.model_worker import STEP_CHOICES, STEPS, Step, Worker, check
from tests.support.random_logs import DRAW_CHOICES, DRAWS, MAKERS, Draw

LOGS, HISTORIES = st.lists(DRAWS, min_size=12, max_size=40), st.lists(STEPS, min_size=12, max_size=40)


@pytest.mark.parametrize("topic", MAKERS)
@settings(max_examples=50)
@given(LOGS, HISTORIES)
@example([], [])
@example([("fresh", 1, 0, 0, 13)], [("join", 0, 0, ""), ("flush", 0, 0, "")])
def test_tables_equal_the_recount(topic: str, draws: list[Draw], steps: list[Step]) -> None:
    for compiled in FORMS:
        check(of_form(Worker, compiled), topic, draws, steps)


def of_form(worker_class: type[Worker], compiled: bool) -> type[Worker]:
    """Such a worker, of that form."""
    return type(worker_class.__name__, (worker_class,), {"compiled": compiled})


def check_seed(worker_class: type[Worker], topic: str, seed: int) -> None:
    """The property for one long history: the same in every run, so that controls are caught in every run."""
    random = Random(seed)
    draws: list[Any] = [tuple(map(random.choice, DRAW_CHOICES)) for _ in range(40)]
    steps: list[Any] = [tuple(map(random.choice, STEP_CHOICES)) for _ in range(40)]
    check(worker_class, topic, draws, steps)


@pytest.mark.parametrize("topic", MAKERS)
def test_tables_equal_the_recount_of_every_seed(topic: str) -> None:
    for seed in range(100):
        for compiled in FORMS:
            check_seed(of_form(Worker, compiled), topic, seed)


# -- controls: each leaves one rule out --------------------------------------------------------------------


class NoStamp(PageCache):
    """Folds an event into a cell that already holds it."""

    def fold(self, offsets: Sequence[int], changes: Sequence[Change], columns: Sequence[CellColumns] = ()) -> None:
        self._counts[:, 0] = -1
        super().fold(offsets, changes, columns)


class NoReadBack(PageCache):
    """Opens every page empty."""

    def open(self, page_key: PageKey) -> bool:
        self.first_unwritten = 0
        return super().open(page_key)


class EvictsInFlight(PageCache):
    """Lets go pages whose rows have not landed."""

    def evict(self, idle_rounds: int, keep: Iterable[PageKey] = ()) -> int:
        for page in self.pages.values():
            page.in_flight = 0
        return super().evict(idle_rounds, keep)

    def mark_flushed(self, flight: Iterable[Page]) -> None:
        """Nothing to take back."""


class EvictsChanged(PageCache):
    """Lets go pages with changes that nobody has taken."""

    def evict(self, idle_rounds: int, keep: Iterable[PageKey] = ()) -> int:
        for page_key, page in self.pages.items():
            if page.dirty and page_key not in keep:
                page.dirty = False
                page.last_used = self.round - idle_rounds
                self._changed[list(page.cells.values())] = False
        return super().evict(idle_rounds, keep)


class EvictsWaiting(PageCache):
    """Lets go pages of a batch that waits."""

    def evict(self, idle_rounds: int, keep: Iterable[PageKey] = ()) -> int:
        return super().evict(idle_rounds)


class EvictsAndForgets(PageCache):
    """Lets go pages and opens them empty later."""

    def evict(self, idle_rounds: int, keep: Iterable[PageKey] = ()) -> int:
        before = self.first_unwritten
        gone = super().evict(idle_rounds, keep)
        self.first_unwritten = before
        return gone


class RowsChangeInFlight(PageCache):
    """Forgets what changed while a flush was in flight."""

    def mark_flushed(self, flight: Iterable[Page]) -> None:
        super().mark_flushed(flight)
        for page in flight:
            self._changed[list(page.cells.values())] = False


class Unwarmed(Source):
    """Begins at its place, without the ids before it."""

    def _read_from(self) -> int:
        return self.next_offset


class Unsplit(Source):
    """Counts the whole of the batch that straddles the place."""

    def prepare(self, start: int, end: int, records: Sequence[Record]) -> PreparedBatch:
        if start <= self.cursor < self.next_offset < end:
            self.next_offset = self.cursor
        return super().prepare(start, end, records)


class CountsWhileWarming(Source):
    """Counts from the first record that warms the horizon."""

    def prepare(self, start: int, end: int, records: Sequence[Record]) -> PreparedBatch:
        self.next_offset = min(self.next_offset, self.cursor)
        return super().prepare(start, end, records)


class Untrimmed(Source):
    """Takes a redelivered batch whole."""

    def prepare(self, start: int, end: int, records: Sequence[Record]) -> PreparedBatch:
        self.cursor = self.next_offset = min(self.cursor, max(start, 0))
        return super().prepare(start, end, records)


class ForgetsLetters(Source):
    """Snapshots without their dead letters."""

    def snapshot(self) -> Snapshot:
        snapshot = super().snapshot()
        snapshot.rejected.clear()
        return snapshot


class FollowsRecords(Source):
    """Takes the place behind the last record for the end of a batch."""

    def prepare(self, start: int, end: int, records: Sequence[Record]) -> PreparedBatch:
        return super().prepare(start, records[-1].offset + 1 if records else start, records)


class OffGrid(Horizon):
    """Warms from exactly the horizon's length before the place, which is no block's edge."""

    def replay_start(self, place: int) -> int:
        return max(0, place - self.blocks * self.block_size)


class TooShort(Horizon):
    """Warms one block too few."""

    def replay_start(self, place: int) -> int:
        return max(0, place // self.block_size - self.blocks + 1) * self.block_size


class NeverForgets(Horizon):
    """Remembers all that it has read, which a restart does not."""

    def _advance(self, block: int) -> None:
        self.blocks, blocks = 10**6, self.blocks
        super()._advance(block)
        self.blocks = blocks


class RenewsNothing(Horizon):
    """Remembers the first occurrence alone."""

    def classify(self, block: int, ids: Any, payloads: Any) -> list[Occurrence]:
        self._advance(block)
        return [self._judge_one(identity, payload) for identity, payload in zip(ids, payloads, strict=True)]

    def _judge_one(self, identity: int, payload: int) -> Occurrence:
        ids = np.array([identity])
        known = [found for block in self._latest for _, found in block.known(ids)]
        if not known:
            self._latest[-1].add(ids, np.array([payload]))
            return Occurrence.FIRST
        return Occurrence.DUPLICATE if known[-1] == payload else Occurrence.CONFLICT


class PositionAtConfirmation(Worker):
    """Stores the place as it is when the rows are confirmed, and not when they were taken."""

    def store_position(self, flight: Snapshot) -> None:
        self.clickhouse.write_position(self.source.next_offset, self.source.last_record)
        self.check_position()


class PositionFirst(Worker):
    """Stores the position before the cells."""

    def write(self, tables: int) -> None:
        if self.flight is not None:
            self.clickhouse.write_position(self.flight.next_offset, self.flight.last_record)
        super().write(tables)


class NothingWritten(Worker):
    """Believes that ClickHouse holds nothing."""

    def first_unwritten(self) -> dict[str, int]:
        return {}


def with_part(part: type) -> type[Worker]:
    """The worker with one wrong part."""
    for kind, name in ((PageCache, "table_class"), (Source, "source_class"), (Horizon, "horizon_class")):
        if issubclass(part, kind):
            return type(part.__name__, (Worker,), {name: part})
    return part


TABLES = [NoStamp, NoReadBack, EvictsInFlight, EvictsChanged, EvictsWaiting, EvictsAndForgets, RowsChangeInFlight]
SOURCES = [Unwarmed, Unsplit, CountsWhileWarming, Untrimmed, ForgetsLetters, FollowsRecords]
HORIZONS = [OffGrid, TooShort, NeverForgets, RenewsNothing]
WORKERS = [PositionAtConfirmation, PositionFirst, NothingWritten]


@pytest.mark.parametrize("part", [*TABLES, *SOURCES, *HORIZONS, *WORKERS], ids=lambda part: part.__name__)
def test_the_property_catches(part: type) -> None:
    def wrong(seed: int, compiled: bool) -> bool:
        try:
            check_seed(of_form(with_part(part), compiled), "tally.token", seed)
        except (AssertionError, KeyError):
            return True
        return False

    for compiled in FORMS:
        missed = f"without what {part.__name__} leaves out, nothing was missed in the {form_name(compiled)} form"
        assert any(wrong(seed, compiled) for seed in range(1000)), missed
