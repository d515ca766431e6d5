"""What an agent is given: consecutive records of one partition."""

from typing import Any, NamedTuple

Partition = tuple[str, int]
"""(topic, partition)"""


class RecordBatch(NamedTuple):
    """Consecutive records `[start, end)` of one partition.

    `start` is the end of the batch before, or the seek; `end` is the fetch position, not the last record's offset
    plus one, which differ behind control records, aborted transactions and compaction; where there is nothing else, a
    batch has no records. `assignment` numbers the placing it was read under.
    """

    topic: str
    partition: int
    assignment: int
    start: int
    end: int
    records: list[Any]
