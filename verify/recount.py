"""The recount of a log in plain Python: from records to the rows that tables must have. No I/O, no clock."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from verify.counting_rules import Key, attribution_row, increments, name_in_tables
from verify.dead_letters import row_of_record
from verify.directory_events import POLICIES, SUBJECTS
from verify.events import SCHEMAS
from verify.horizon import Horizon, Identity
from verify.people import Told, told_of
from verify.records import DeadLetter, Record
from verify.tables import CELL_TABLES
from verify.time_range import TimeRange, Within
from verify.timestamps import microsecond_text, parse_moment
from verify.tracing import Gap, Trace
from verify.validity import USAGE_EVENTS, Event, Invalid, check_record, check_uuid

DIRECTORY, PROFILES = "tally.directory", "tally.profiles"
TOPICS = tuple(SCHEMAS)


_PLACES = {
    table.name: {counter: place for place, counter in enumerate(table.counters, 1)} for table in CELL_TABLES.values()
}
"""The position of each counter in a cell, after the cell's stamp."""


@dataclass(frozen=True)
class Options:
    """The duplicate horizon, the epoch of each topic (0 by default), and the part of the log that counts.

    `first`: by source, the offset from which on records count; earlier ones are read for their event_ids. `within`
    limits the windows (see TimeRange.within); `trace` names the cells whose offsets are recorded.
    """

    block_size: int = 65_536
    blocks: int = 4
    epochs: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, int] = field(default_factory=dict)
    within: Within = field(default_factory=lambda: TimeRange().within(""))
    trace: Mapping[tuple[str, Key], Gap] = field(default_factory=dict)


@dataclass
class Tally:
    """The number of a topic's records, by what became of them."""

    records: int = 0
    counted: int = 0
    duplicates: int = 0
    letters: int = 0


class DirectoryEntry(NamedTuple):
    """A row of `directory`; `event` is normalized (see `normal`)."""

    organization_id: str
    type: str
    in_force_from: int
    subject_id: str
    event: Event
    logged_at: str

    def row(self) -> tuple[Any, ...]:
        """Return the row as it is compared, with moments and event as texts."""
        in_force_from, occurred_at = map(microsecond_text, (self.in_force_from, self.event["occurred_at"]))
        found_by = self.organization_id, self.type, in_force_from, self.subject_id
        return *found_by, plain_text(self.event), self.event["event_id"], occurred_at, self.logged_at


class Repeat(NamedTuple):
    """An event that occurs twice, too far apart to be recognized as a duplicate, so that it counts twice."""

    source: str
    identity: Identity
    first: int
    again: int


@dataclass
class Recount:
    """The counts of a log. Cells are `[log_offset, *counters]` by table and (source, organization, window, *key).

    It contains what was counted since the last `let_go`; the caller of that keeps the counts (Scratch), so that memory
    does not grow with the log. `ids` are the identities that were read, with their offsets.
    """

    options: Options = field(default_factory=Options)
    cells: dict[str, dict[Key, list[int]]] = field(default_factory=lambda: {name: {} for name in CELL_TABLES})
    directory: dict[tuple[str, int], DirectoryEntry] = field(default_factory=dict)
    profiles: list[Told] = field(default_factory=list)
    attributions: dict[str, Key] = field(default_factory=dict)
    letters: dict[str, DeadLetter] = field(default_factory=dict)
    profile_ends: dict[tuple[str, str], int] = field(default_factory=dict)
    profile_places: set[str] = field(default_factory=set)
    ids: list[tuple[*Identity, int]] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    traced: dict[tuple[str, Key], Trace] = field(default_factory=dict)
    _seen: dict[str, Horizon] = field(default_factory=dict)
    _same: dict[Any, Any] = field(default_factory=dict)

    def source(self, topic: str, partition: int) -> str:
        """Return the name of a partition as in every table."""
        return f"{topic}/{partition}@{self.options.epochs.get(topic, 0)}"

    def add(self, record: Record) -> None:
        """Count one record. The records of a partition must be added in the order of their offsets."""
        source = self.source(record.topic, record.partition)
        counts = record.offset >= self.options.first.get(source, 0)
        tally = self.tallies.setdefault(record.topic, Tally()) if counts else Tally()
        tally.records += 1
        if record.topic == PROFILES:
            self.profile_places.add(f"{source}/{record.offset}")
            self.profile_ends[record.key_text, source] = record.offset
        try:
            kind, event = _read(record)
            is_new = kind == "" or self._is_new(source, kind, event, record)
        except Invalid as error:
            tally.letters += 1
            if counts:
                self.letters[f"{source}/{record.offset}"] = DeadLetter(record, error.reason, error.detail)
            return
        tally.counted += is_new
        tally.duplicates += not is_new
        if is_new and counts:
            self._count(source, kind, event, record)

    @property
    def held(self) -> int:
        """The number of cells and rows in memory."""
        cells = sum(map(len, self.cells.values()))
        return cells + len(self.directory) + len(self.profiles) + len(self.attributions) + len(self.ids)

    def rows(self) -> dict[str, Iterator[tuple[Key, Any]]]:
        """Return the rows in memory apart from cells and ids, by table and under their keys."""
        return {
            "directory": ((key, entry.row()) for key, entry in self.directory.items()),
            "profiles": ((tuple(told[:4]) + told[7:], told[4:7]) for told in self.profiles),
            "profile_ends": ((key, (end,)) for key, end in self.profile_ends.items()),
            "attributions": (((key,), row[1:]) for key, row in self.attributions.items()),
            "letters": (((place,), row_of_record(place, letter)) for place, letter in self.letters.items()),
            "profile_places": (((place,), ()) for place in self.profile_places),
        }

    def let_go(self) -> None:
        """Drop the counts so far, and continue counting from zero."""
        for cells in self.cells.values():
            cells.clear()
        for held in (self.directory, self.attributions, self.letters, self.profile_ends, self._same):
            held.clear()
        self.profiles.clear()
        self.profile_places.clear()
        self.ids.clear()

    def forget_ids(self) -> None:
        """Drop the identities of the partitions that were read, once no more of their records follow."""
        self._seen.clear()

    def _is_new(self, source: str, kind: str, event: Event, record: Record) -> bool:
        """Return True if the event is new within the horizon. Raises Invalid if it occurs there with another payload.

        All valid records of the event are considered, counted or not: which of them counted cannot be derived from the
        horizon alone.
        """
        if source not in self._seen:
            self._seen[source] = Horizon(self.options.block_size, self.options.blocks)
        identity = event["organization_id"], kind, event["event_id"]
        self.ids.append((*identity, record.offset))
        digest = blake2b(record.value or b"", digest_size=16).digest()
        earlier = self._seen[source].renew(identity, record.offset, digest)
        others = [offset for bytes_, offset in earlier.items() if bytes_ != digest]
        if others:
            raise Invalid("conflict", f"event_id {identity[-1]} is at offset {max(others)} with other bytes")
        return not earlier

    def _count(self, source: str, kind: str, event: Event, record: Record) -> None:
        if record.topic == DIRECTORY:
            self.directory[source, record.offset] = _directory_entry(kind, event, record)
        elif record.topic == PROFILES:
            self.profiles.append(told_of(source, event, record))
        else:
            self._count_activity(source, kind, event, record)

    def _count_activity(self, source: str, kind: str, event: Event, record: Record) -> None:
        row = attribution_row(event.get("attribution")) if kind in USAGE_EVENTS else None
        if row:
            self.attributions[row[0]] = row
        for table, key, amounts in increments(kind, event, record.timestamp_ms):
            since, until = self.options.within[CELL_TABLES[table].window]
            if since <= key[1] and (not until or key[1] < until):
                self._add(table, (source, *key), amounts, record.offset)

    def _add(self, table: str, key: Key, amounts: dict[str, int], offset: int) -> None:
        places = _PLACES[table]
        cell = self.cells[table].get(key)
        if cell is None:
            # Equal texts of different events are shared here; otherwise a million cells would have ten million texts.
            shared = tuple(self._same.setdefault(part, part) for part in key)
            cell = self.cells[table][shared] = [0] * (1 + len(places))
        cell[0] = offset
        for counter, amount in amounts.items():
            cell[places[counter]] += amount
        if (table, key) in self.options.trace:
            trace = self.traced.setdefault((table, key), Trace(self.options.trace[table, key]))
            trace.note(offset, tuple(amounts.get(counter, 0) for counter in places))


def recount(records: Iterable[Record | tuple[Any, ...]], options: Options | None = None) -> Recount:
    """Return what tables must contain after `records`, which must be in order of offset within each partition."""
    counted = Recount(options or Options())
    for record in records:
        counted.add(Record(*record))
    return counted


def normal(topic: str, kind: str, event: Event) -> Event:
    """Return the known fields with defaults, and moments as numbers: equal if and only if the events are equivalent."""
    shape = SCHEMAS[topic][kind]
    known = {**shape.defaults, **{name: event[name] for name in shape.fields if name in event}}
    moments: Event = {
        name: parse_moment(known[name]) for name in ("occurred_at", "effective_from", "created_at") if name in known
    }
    return {"type": kind, **known, **moments}


def plain_text(event: Event) -> str:
    """Return a text for a (normal) event: equal if and only if the events are."""
    return json.dumps(event, sort_keys=True)


def _read(record: Record) -> tuple[str, Event]:
    """Return the record's type and event, ("", {}) for a tombstone. Raises Invalid."""
    if record.value is not None:
        return check_record(record.topic, record.value, record.timestamp_ms)
    if record.topic != PROFILES:
        raise Invalid("empty", "the record has no value")
    check_uuid(record.key_text, "record key")
    return "", {}


def _directory_entry(kind: str, event: Event, record: Record) -> DirectoryEntry:
    in_force_from = parse_moment(event["effective_from" if kind in POLICIES else "occurred_at"]) or 0
    subject = event[SUBJECTS[kind]] if kind in SUBJECTS else ""
    if kind in ("connector.saved", "skill.saved", "plugin.saved"):
        subject = name_in_tables(kind.removesuffix(".saved"), subject)
    found_by = event["organization_id"], kind, in_force_from, subject
    return DirectoryEntry(*found_by, normal(DIRECTORY, kind, event), record.logged_at)
