"""What a worker owns of the log: batches, sources under an assignment, and whether one may be read on."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from aggregators.backend import HAS_COMPILED
from aggregators.prepared_batch import Record, RejectedRecord
from aggregators.source import Source
from aggregators.watermark import EndOffset
from sinks.positions import NO_WATERMARK
from streams.log import Bounds, Ends

Partition = tuple[str, int]
"""(topic, partition)"""


class Batch(NamedTuple):
    """Consecutive records `[start, end)` of one partition, read under the assignment of that number."""

    topic: str
    partition: int
    assignment: int
    start: int
    end: int
    records: list[Record]

    def pieces(self, size: int) -> Iterator["Batch"]:
        """The same records in consecutive batches of at most `size`."""
        start = self.start
        for begin in range(0, len(self.records) - size, size):
            end = self.records[begin + size].offset
            yield self._replace(start=start, end=end, records=self.records[begin : begin + size])
            start = end
        yield self._replace(start=start, records=self.records[(len(self.records) - 1) // size * size :])


class Log(Protocol):
    """What is asked of Kafka beside the records."""

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, Bounds]:
        """Where each partition begins and ends."""

    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, Ends]:
        """Where each partition ends."""


DeadLetterSink = Callable[[list[tuple[str, RejectedRecord]]], Awaitable[None]]
"""Writes dead letters of sources (by name); returns when all are confirmed."""


@dataclass(frozen=True)
class WorkerOptions:
    """Bounds of a worker. `piece` is how many records are folded at a time: what they make fits a core's cache, which
    is worth a tenth of the time. `dead_letter_limit` of a source's latest records being dead letters stops that source.
    `compiled` is the form in which it reads and adds (see aggregators.backend)."""

    piece: int = 1_000
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
    """A source under its assignment, and what is known of it beyond the fold. `identity` names its database;
    `readable` is how much of its log no open transaction hid when the log's end was last asked for."""

    source: Source
    assignment: int
    stored_offset: int
    identity: str
    asked: EndOffset | None = None
    readable: int = 0
    watermark: datetime = NO_WATERMARK
    stored: tuple[int, datetime] = (-1, NO_WATERMARK)
    records: float = 0
    rejected: float = 0

    @property
    def held_since(self) -> datetime | None:
        """Since when, as far as is known, nothing but an open transaction keeps the source from its log's end."""
        is_held = self.asked is not None and self.readable < self.asked.end and self.source.next_offset >= self.readable
        return self.asked.asked_at if self.asked is not None and is_held else None
