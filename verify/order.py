"""The order of changes, written a second time: by when they are in force, then when they happened, then by the log."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from verify.compare import Key, Row

LogPlace = tuple[int, str, int, int]
"""(epoch, log time, partition, offset): offsets decide only within a partition."""
Place = tuple[str, str, LogPlace]
"""(in force from, happened at, place in the log)"""


class Change(NamedTuple):
    """A change of the directory, once, at its first place in the log."""

    organization_id: str
    type: str
    subject_id: str
    place: Place
    event: dict[str, Any]


def log_place(source: str, logged_at: str, log_offset: int) -> LogPlace:
    """Return a row's place in the log of its topic."""
    partition, _, epoch = source.rpartition("/")[2].partition("@")
    return int(epoch), logged_at, int(partition), log_offset


def history(directory: Iterable[tuple[Key, Row]], kinds: Collection[str]) -> Iterator[Change]:
    """Yield the changes of these types in order, each event once; rows are as in DirectoryEntry.row."""
    first: dict[tuple[str, ...], tuple[LogPlace, str, str]] = {}
    for (source, offset), row in directory:
        organization, kind, in_force_from, subject, event, event_id, occurred_at, logged_at = row
        if kind in kinds:
            found = log_place(source, logged_at, offset), occurred_at, event
            same = (organization, kind, subject, in_force_from, event_id)
            first[same] = min(found, first.get(same, found))
    changes = [
        Change(organization, kind, subject, (in_force_from, occurred_at, place), json.loads(event))
        for (organization, kind, subject, in_force_from, _), (place, occurred_at, event) in first.items()
    ]
    return iter(sorted(changes, key=lambda change: change.place))
