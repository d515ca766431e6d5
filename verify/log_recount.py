"""Recount of a log, which moves its counts to the scratch database piece by piece."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from verify.dead_letters import TOPIC as LETTERS
from verify.dead_letters import letter_rows
from verify.log import Log, Partition
from verify.recount import Options, Recount
from verify.scratch import Scratch
from verify.snapshot import Snapshot
from verify.time_range import TimeRange
from verify.validity import AHEAD

HELD = 50_000
"""The number of cells and rows in memory before they are moved to the scratch database."""

OnProgress = Callable[[str, int, int], None]
"""(step, amount done, total amount)"""


@dataclass(frozen=True)
class LogRecount:
    """A recount of one log."""

    log: Log
    on_progress: OnProgress

    async def starts(self, partitions: Iterable[Partition], span: TimeRange) -> dict[Partition, int]:
        """Return the offsets from which records can count in `span`; {} for a span without a beginning.

        An event happens at most 5 minutes after its log time, so no earlier record adds to the span.
        """
        if span.since is None:
            return {}
        return await self.log.first_since(partitions, int(span.since.timestamp() * 1000) - AHEAD // 1000)

    async def recount(
        self, snapshot: Snapshot, options: Options, sources: Iterable[str], keep: Scratch | None, show: int = 0
    ) -> Recount:
        """Count the sources up to their positions; the counts are moved to `keep`, or dropped if it is None."""
        recount, reached = Recount(options), snapshot.reached()
        spans = {source: self._span(snapshot, source, reached[source]) for source in sorted(sources)}
        done, total = 0, sum(max(0, end - start) for start, end in spans.values())
        with _without_collector():
            for source, (start, end) in spans.items():
                partition = snapshot.sources[source]
                async for records in self.log.read(partition, start, end):
                    for record in records:
                        recount.add(record)
                    done += len(records)
                    self.on_progress(f"recounting {partition[0]}", done, total)
                    _make_room(recount, keep)
                if keep is not None:
                    keep.end_source(recount, source, show)
                recount.forget_ids()
        return recount

    def _span(self, snapshot: Snapshot, source: str, end: int) -> tuple[int, int]:
        partition = snapshot.sources[source]
        return max(snapshot.bounds[partition][0], snapshot.needed.get(partition, 0)), end

    async def letters(self, keep: Scratch) -> None:
        """Read all dead letters into `keep`."""
        read = 0
        bounds = await self.log.bounds([LETTERS])
        hidden = await self.log.hidden(bounds)
        for partition, (start, written) in bounds.items():
            end = hidden.get(partition, written)
            async for batch in self.log.read(partition, start, end):
                keep.put("found_letters", letter_rows(batch))
                read += len(batch)
                self.on_progress("reading dead letters", read, end - start)


def warmed(options: Options, snapshot: Snapshot, starts: Mapping[Partition, int]) -> tuple[Options, Snapshot]:
    """Adapt both to a recount that counts from `starts` on: it reads the event_ids of a whole horizon before."""
    size, blocks = options.block_size, options.blocks
    needed = {partition: max(0, (start // size - blocks) * size) for partition, start in starts.items()}
    named = {source: starts[each] for source, each in snapshot.sources.items() if each in starts}
    return replace(options, first=named), replace(snapshot, needed=needed)


def _make_room(recount: Recount, keep: Scratch | None) -> None:
    """Move or drop the counts if there are many. Letters contain whole records, so they are moved immediately."""
    if recount.held < HELD and not recount.letters:
        return
    if keep is None:
        recount.let_go()
    else:
        keep.take(recount)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Disable Python's cyclic collector, which repeatedly scans many cells; a recount creates no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
