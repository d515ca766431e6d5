"""Records of the log, and those that cannot be counted."""

from typing import NamedTuple


class Record(NamedTuple):
    """One record of the log; `timestamp_ms` is the broker's."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


class DeadLetter(NamedTuple):
    """A record that must have a letter, and why."""

    record: Record
    reason: str
    detail: str
