"""Faults of what is folded into which cell, and of which pages are in memory."""

import asyncio
from typing import Any

import aggregators.activity
import aggregators.live
from aggregators.increments import CellColumns
from aggregators.page_cache import PageCache
from aggregators.prepared_batch import OffsetGap, TopicRecreated
from aggregators.source import Source
from tests.simulation.faults.planting import Plant, fault
from worker.assignment import Assignments, Stopped


def chosen(columns: CellColumns, which: Any) -> CellColumns:
    """Some of the events, in the order in which they are named."""
    return columns._replace(**{name: getattr(columns, name)[which] for name in ("offsets", "cells", "amounts")})


@fault
def one_stamp_for_each_partition(plant: Plant) -> None:
    """What is at or below the greatest stamp that was read back is taken for folded, in every cell."""
    load, fold = Source.load, PageCache.fold

    def load_stamp(self: Any, declaration: Any, page_keys: Any, rows: Any) -> None:
        stamp = max((row[2 + len(declaration.key)] for row in rows), default=-1)
        for table in self.tables.values():
            table.greatest = max(stamp, getattr(table, "greatest", -1))
        load(self, declaration, page_keys, rows)

    def fold_beyond(self: Any, offsets: Any, changes: Any, columns: Any = ()) -> None:
        greatest = getattr(self, "greatest", -1)
        beyond = [(offset, change) for offset, change in zip(offsets, changes, strict=True) if offset > greatest]
        columns = [chosen(each, each.offsets > greatest) for each in columns]
        fold(self, [offset for offset, _ in beyond], [change for _, change in beyond], columns)

    plant(Source, "load", load_stamp)
    plant(PageCache, "fold", fold_beyond)


@fault
def no_check_of_place_or_assignment(plant: Plant) -> None:
    """Whatever batch comes is folded."""
    process, prepare = Assignments.process, Source.prepare

    async def process_any(self: Any, batch: Any) -> Any:
        owned = self._owned.get(batch[:2])
        return await process(self, batch._replace(assignment=owned.assignment) if owned else batch)

    def prepare_any(self: Any, start: int, end: int, records: Any) -> Any:
        self.cursor = max(self.cursor, start)
        return prepare(self, start, end, records)

    plant(Assignments, "process", process_any)
    plant(Source, "prepare", prepare_any)


@fault
def fold_resumed_after_an_await_without_a_check(plant: Plant) -> None:
    """After the read-back, the batch is folded into whatever source the partition has by then."""

    async def process(self: Any, batch: Any) -> Any:
        partition = (batch.topic, batch.partition)
        await self._wait_for_room()
        owned = self._owned.get(partition)
        if owned is None or owned.assignment != batch.assignment:
            return None
        try:
            prepared = owned.source.prepare(batch.start, batch.end, batch.records)
        except OffsetGap as gap:
            return gap.wanted
        except TopicRecreated as recreated:
            return self._stop(partition, Stopped(owned.source.name, str(recreated), owned.database_identity))
        before = owned.source
        read = [
            (declaration, pages, await self._call(self._store.read_pages, declaration, before.name, pages))
            for declaration, pages in prepared.missing.items()
        ]
        owned = self._owned.get(partition, owned)
        for declaration, pages, rows in read:
            owned.source.load(declaration, pages, rows)
        for declaration, table in before.tables.items():
            owned.source.load(declaration, table.pages, [])
        owned.source.apply(prepared)
        return None

    plant(Assignments, "process", process)


@fault
def unordered_fold(plant: Plant) -> None:
    """A batch is folded in another order than the log's."""
    original = Source.apply

    def apply(self: Any, prepared: Any) -> None:
        for offsets, changes in prepared.changes.values():
            offsets.reverse()
            changes.reverse()
        for columns in prepared.columns.values():
            columns[:] = [chosen(each, slice(None, None, -1)) for each in columns]
        original(self, prepared)

    plant(Source, "apply", apply)


@fault
def fold_reads_the_clock(plant: Plant) -> None:
    """Whether an event is live depends on when it is folded."""
    original = aggregators.live.live_change

    def live_change(*args: Any) -> Any:
        return original(*args) if asyncio.get_running_loop().time() < 1.5 else []

    plant(aggregators.activity, "live_change", live_change)


@fault
def no_read_back(plant: Plant) -> None:
    """Pages are opened empty, whatever ClickHouse has of them."""
    plant(PageCache, "open", lambda self, page_key: self.load([page_key], []) or True)


@fault
def windows_read_before_positions(plant: Plant) -> None:
    """Which windows are unwritten is asked first, so what is written between the two answers counts as unwritten."""
    original = Assignments.assign

    async def assign(self: Any, partitions: Any, assignment: int) -> Any:
        wanted = list(partitions)
        names = [f"{topic}/{number}@0" for topic, number in wanted]
        windows = await self._call(self._store.first_unwritten, names)
        await asyncio.sleep(0.2)
        starts = await original(self, wanted, assignment)
        for partition in starts:
            if partition in self._owned:
                source = self._owned[partition].source
                for declaration, table in source.tables.items():
                    table.first_unwritten = windows[source.name].get(declaration.name, 0)
        return starts

    plant(Assignments, "assign", assign)


@fault
def eviction_of_a_page_in_flight(plant: Plant) -> None:
    """A page is let go while its rows are on their way."""
    original = Source.snapshot

    def snapshot(self: Any) -> Any:
        taken = original(self)
        for table, pages in taken.flights:
            table.mark_flushed(pages)
        self.evict(0)
        for _, pages in taken.flights:
            for page in pages:
                page.in_flight += 1
        return taken

    plant(Source, "snapshot", snapshot)


@fault
def eviction_of_a_page_of_a_waiting_batch(plant: Plant) -> None:
    """A page is let go that a batch is about to fold into."""
    original = PageCache.evict
    plant(PageCache, "evict", lambda self, idle_rounds, keep=(): original(self, idle_rounds))


@fault
def changed_page_let_go(plant: Plant) -> None:
    """A page is let go with cells that no flush has taken."""
    original = PageCache.evict

    def evict(self: Any, idle_rounds: int, keep: Any = ()) -> int:
        for page in [page for page_key, page in self.pages.items() if page_key not in set(keep)]:
            page.dirty = False
            self._changed[list(page.cells.values())] = False
        return original(self, 0, keep)

    plant(PageCache, "evict", evict)
