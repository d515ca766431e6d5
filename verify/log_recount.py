"""Reads the log into a recount, and what that counts into the scratch, piece by piece."""

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
"""Cells and rows that are in memory before they go into the scratch."""

OnProgress = Callable[[str, int, int], None]
"""(what goes on, how much of it is done, of how much)"""


@dataclass(frozen=True)
class LogRecount:
    """One log, as far as it is asked about."""

    log: Log
    on_progress: OnProgress

    async def starts(self, partitions: Iterable[Partition], span: TimeRange) -> dict[Partition, int]:
        """From which offset on records can count in `span`; nothing for one without a beginning.

        An event happens at most 5 minutes after its log time, so no record before that adds to what comes later.
        """
        if span.since is None:
            return {}
        return await self.log.first_since(partitions, int(span.since.timestamp() * 1000) - AHEAD // 1000)

    async def recount(
        self, snapshot: Snapshot, options: Options, sources: Iterable[str], keep: Scratch | None, show: int = 0
    ) -> Recount:
        """Count the sources up to where they stand; what is counted goes to `keep`, or nowhere."""
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
        """All dead letters that there are."""
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
    """Both for a recount that counts from `starts` on: it reads the event_ids of a whole horizon before."""
    size, blocks = options.block_size, options.blocks
    needed = {partition: max(0, (start // size - blocks) * size) for partition, start in starts.items()}
    named = {source: starts[each] for source, each in snapshot.sources.items() if each in starts}
    return replace(options, first=named), replace(snapshot, needed=needed)


def _make_room(recount: Recount, keep: Scratch | None) -> None:
    """Letters hold whole records, so they never wait for more."""
    if recount.held < HELD and not recount.letters:
        return
    if keep is None:
        recount.let_go()
    else:
        keep.take(recount)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python's cyclic collector looks through many cells again and again, and a recount makes no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
