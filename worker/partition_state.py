"""Run-time state of a partition, the bounds of a worker, and the interfaces that it needs of Kafka."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aggregators.backend import HAS_COMPILED
from aggregators.prepared_batch import RejectedRecord
from aggregators.source import Source
from aggregators.watermark import EndOffset
from sinks.positions import NO_WATERMARK, lag
from streams.log import Bounds, Ends
from streams.record_batch import Partition


class Log(Protocol):
    """Where the partitions of the log begin and end."""

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, Bounds]:
        """Return where each partition begins and ends."""

    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, Ends]:
        """Return where each partition ends."""


DeadLetterSink = Callable[[list[tuple[str, RejectedRecord]]], Awaitable[None]]
"""Writes rejected records, each with its source's name; returns when all are confirmed."""


@dataclass(frozen=True)
class WorkerOptions:
    """Bounds of a worker. `records_at_a_time` are folded together: their changes fit a core's cache, which saves a
    tenth of the time. A source stops when more than `dead_letter_limit` of its latest records are rejected, and at
    least `dead_letter_least` of them. `compiled` selects the backend (see aggregators.backend)."""

    records_at_a_time: int = 1_000
    block_size: int = 65_536
    blocks: int = 4
    flush_seconds: float = 1.0
    unflushed_limit: int = 100_000
    open_cells_limit: int = 1_000_000
    idle_flushes: int = 60
    dead_letter_limit: float = 0.5
    dead_letter_least: int = 2_000
    compiled: bool = HAS_COMPILED


@dataclass
class PartitionState:
    """A source under its assignment, and what is known about it apart from the fold.

    `database_identity` names the database that it was assigned by. `log_end` is the end of its log that it has not
    reached yet; `readable` is how much of the log no open transaction hid when that was last read. `records` and
    `rejected` are decaying counts of its latest records.
    """

    source: Source
    assignment: int
    stored_offset: int
    database_identity: str
    log_end: EndOffset | None = None
    readable: int = 0
    watermark: datetime = NO_WATERMARK
    stored: tuple[int, datetime] = (-1, NO_WATERMARK)
    records: float = 0
    rejected: float = 0

    @property
    def lag(self) -> int:
        """Readable offsets that are not folded yet, as far as the end of the log is known."""
        return lag(self.source.next_offset, min(self.log_end.end, self.readable)) if self.log_end else 0

    @property
    def held_since(self) -> datetime | None:
        """Since when, as far as is known, only an open transaction keeps the source from the end of its log."""
        end = self.log_end
        is_held = end is not None and self.readable < end.end and self.source.next_offset >= self.readable
        return end.requested_at if end is not None and is_held else None
