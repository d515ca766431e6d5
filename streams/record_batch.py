"""Consecutive records of one partition, as agents receive them."""

from typing import Any, NamedTuple

Partition = tuple[str, int]
"""(topic, partition)"""


class RecordBatch(NamedTuple):
    """Consecutive records `[start, end)` of one partition.

    `start` is the end of the previous batch, or the offset of a seek. `end` is the fetch position, which is not the
    last record's offset plus one after control records, aborted transactions and compaction; a batch with nothing else
    has no records. `assignment` is the number of the assignment under which it was read.
    """

    topic: str
    partition: int
    assignment: int
    start: int
    end: int
    records: list[Any]
