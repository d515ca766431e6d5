"""Consecutive records of one partition, as the agents and the worker receive them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Partition = tuple[str, int]
"""(topic, partition)"""


class RecordBatch(NamedTuple):
    """Consecutive records `[start, end)` of one partition.

    `start` is the end of the batch before, or the seek; `end` is the fetch position, not the last record's offset
    plus one: they differ after control records, aborted transactions and compaction, where a batch can also have no
    records at all. `assignment` numbers the assignment that it was read under.
    """

    topic: str
    partition: int
    assignment: int
    start: int
    end: int
    records: list[Any]


def split(batch: RecordBatch, size: int) -> Iterator[RecordBatch]:
    """Yield the same records in consecutive batches of at most `size`, which together cover `[start, end)`."""
    start = batch.start
    for begin in range(0, len(batch.records) - size, size):
        end = batch.records[begin + size].offset
        yield batch._replace(start=start, end=end, records=batch.records[begin : begin + size])
        start = end
    yield batch._replace(start=start, records=batch.records[(len(batch.records) - 1) // size * size :])
