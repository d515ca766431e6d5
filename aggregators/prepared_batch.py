"""What goes into a source and what comes of it: records, prepared batches, dead letters."""

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
    """What a source needs of a Kafka record (aiokafka's ConsumerRecord has it)."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class RejectedRecord(NamedTuple):
    """A record that does not count, and why."""

    record: Record
    reason: str
    detail: str


Changes = tuple[list[int], list[Change]]
"""Offsets of records that count, ascending, and what each changes in one table."""


@dataclass
class PreparedBatch:
    """A batch that is decoded and judged: what it will change, in which pages, and those that it needs first.

    An event stands either among the changes or in the columns.
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
    """The log holds another record at the place's last offset: the topic was deleted and made anew."""


class OffsetGap(Exception):
    """A batch begins beyond the next offset to read; the reader must seek back to `wanted`."""

    def __init__(self, source: str, wanted: int, found: int) -> None:
        super().__init__(f"{source}: a batch begins at offset {found}, but {wanted} is next: seek back to {wanted}")
        self.wanted = wanted


def fingerprint(record: Record) -> str:
    """A name for one record that a recreated topic's record at the same offset will not share."""
    digest = blake2b(record.value or b"", digest_size=16, salt=record.timestamp.to_bytes(8, "big", signed=True))
    return f"{record.offset:020d}:{digest.hexdigest()}"


def rejection_reason(error: Exception) -> tuple[str, str]:
    """(reason, detail) of a malformed record; the reason is a stable word, for counting."""
    if isinstance(error, InvalidRecord):
        return error.reason, error.detail
    return ("schema" if isinstance(error, msgspec.ValidationError) else "not_json"), str(error)
