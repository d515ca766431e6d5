"""Input and output of a source: records, prepared batches, dead letters."""

from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple, Protocol

import msgspec

from aggregators.cell_rows import PageKey
from aggregators.cell_tables import CellTable
from aggregators.increments import CellColumns, Change, Row
from tally_client.validity import InvalidRecord


class Record(Protocol):
    """The attributes of a Kafka record that a source uses; aiokafka's ConsumerRecord has them."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""

    @property
    def timestamp(self) -> int:
        """The broker's, in milliseconds."""

    @property
    def key(self) -> bytes | None:
        """The bytes that decide its partition."""

    @property
    def value(self) -> bytes | None:
        """Its bytes; None for a tombstone."""


class RejectedRecord(NamedTuple):
    """A record that does not count, and the reason."""

    record: Record
    reason: str
    detail: str


Changes = tuple[list[int], list[Change]]
"""Offsets of counted records, ascending, and what each changes in one table."""


@dataclass
class PreparedBatch:
    """A decoded batch with its verdicts: what it will change, on which pages, and which of them must be loaded first.

    An event is either among the changes or in the columns.
    """

    end: int
    changes: defaultdict[CellTable, Changes] = field(default_factory=lambda: defaultdict(lambda: ([], [])))
    columns: defaultdict[CellTable, list[CellColumns]] = field(default_factory=lambda: defaultdict(list))
    pages: dict[CellTable, list[PageKey]] = field(default_factory=dict)
    rows: list[tuple[int, Row]] = field(default_factory=list)
    letters: list[RejectedRecord] = field(default_factory=list)
    missing: dict[CellTable, list[PageKey]] = field(default_factory=dict)
    last: Record | None = None
    duplicates: int = 0


class TopicRecreated(Exception):
    """The log has another record at the last folded offset: the topic was deleted and created again."""


class OffsetGap(Exception):
    """A batch begins after the next offset to read; the reader must seek back to `wanted`."""

    def __init__(self, source: str, wanted: int, found: int) -> None:
        super().__init__(f"{source}: a batch begins at offset {found}, but {wanted} is next: seek back to {wanted}")
        self.wanted = wanted


def fingerprint(record: Record) -> str:
    """Return a digest of one record that a recreated topic's record at the same offset will not have."""
    digest = blake2b(record.value or b"", digest_size=16, salt=record.timestamp.to_bytes(8, "big", signed=True))
    return f"{record.offset:020d}:{digest.hexdigest()}"


def rejection_reason(error: Exception) -> tuple[str, str]:
    """Return (reason, detail) of a malformed record; the reason is a stable word, for counting."""
    if isinstance(error, InvalidRecord):
        return error.reason, error.detail
    return ("schema" if isinstance(error, msgspec.ValidationError) else "not_json"), str(error)
