"""The recount in plain Python: what the tables must hold after a log whose records' meaning is known.

Nothing here uses the code that is under test: repeats and cells are worked out a second time. It is not a projection of
`tests.reference.model`, whose events all count: here offsets and blocks decide which of them do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.support.fold_records import LogRecord

BLOCK_SIZE, BLOCKS = 4, 2

Adds = tuple[tuple[str, tuple[Any, ...], tuple[int, ...]], ...]
"""(table, (organization, window text, *key), one increment for each counter)"""


class Made(NamedTuple):
    """A well-formed event and what it means: cells that gain, and its row of a table without counters."""

    event: dict[str, Any]
    adds: Adds = ()
    row: tuple[str, tuple[Any, ...]] | None = None


class Line(NamedTuple):
    """One record of the log, and its meaning: what was made of `pick` and `happened`, or why it is malformed."""

    record: "LogRecord"
    event_id: str
    made: Made | None
    reason: str = ""
    pick: int = 0
    happened: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def identity(self) -> str:
        """What makes two well-formed events one."""
        event = self.made.event if self.made else {}
        return f"{event.get('organization_id')} {event.get('type')} {self.event_id}"


@dataclass
class Tables:
    """What ClickHouse must hold: cells by table and key as (log_offset, *counters), rows, letters."""

    cells: dict[str, dict[tuple[Any, ...], tuple[int, ...]]] = field(default_factory=dict)
    directory: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    profiles: dict[tuple[str, str, int], tuple[Any, ...]] = field(default_factory=dict)
    attributions: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    letters: dict[int, str] = field(default_factory=dict)

    def tell(self, key: tuple[str, str, int], told: tuple[Any, ...]) -> None:
        """A profile or a tombstone: of one key the newest by its time holds, then by the log."""
        self.profiles[key] = max(told, self.profiles.get(key, told))


def recount(lines: Sequence[Line], end: int) -> Tables:
    """What the records below `end` must have made."""
    tables = Tables()
    seen: dict[str, list[tuple[int, bytes | None]]] = {}
    for line in lines:
        offset, value = line.record.offset, line.record.value
        if offset >= end:
            break
        if line.made is None:
            tables.letters[offset] = line.reason
            continue
        if value is None:  # a tombstone has no id, so each forgets anew
            _count(tables, offset, line.made)
            continue
        occurrences = seen.setdefault(line.identity, [])
        near = {other for at, other in occurrences if offset // BLOCK_SIZE - at // BLOCK_SIZE <= BLOCKS}
        occurrences.append((offset, value))
        if not near:
            _count(tables, offset, line.made)
        elif near != {value}:
            tables.letters[offset] = "conflict"
    return tables


def _count(tables: Tables, offset: int, made: Made) -> None:
    for table, key, amounts in made.adds:
        cells = tables.cells.setdefault(table, {})
        _, *before = cells.get(key, (0,) * (len(amounts) + 1))
        cells[key] = (offset, *(old + new for old, new in zip(before, amounts, strict=True)))
    if made.row is None:
        return
    table, row = made.row
    if table == "directory":
        tables.directory[offset] = row
    elif table == "profiles":
        organization, account, forgotten, occurred_at, logged_at, email, name = row
        tables.tell((organization, account, forgotten), (occurred_at, logged_at, offset, email, name))
    else:
        tables.attributions[row[0]] = row


def differences(found: Tables, expected: Tables) -> list[str]:
    """What is missing, too much or other, a line each."""
    lines = []
    for each in fields(Tables):
        ours, theirs = getattr(found, each.name), getattr(expected, each.name)
        pairs = ((ours.get(key, {}), theirs.get(key, {}), key) for key in {*ours, *theirs})
        for one, other, key in pairs if each.name == "cells" else [(ours, theirs, each.name)]:
            wrong = [part for part in {*one, *other} if one.get(part) != other.get(part)]
            lines += [f"{key} {part}: {one.get(part)} instead of {other.get(part)}" for part in wrong]
    return sorted(lines)
