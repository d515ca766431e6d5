"""The simulated tables `profiles` and `directory`, and the views over them, by the rules of the schema's SQL."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tests.simulation.told import Answers, Told

Place = tuple[str, int, int]
"""(log time, partition, offset)"""
Row = tuple[str, int, Told]
"""(source, offset, what the row says)"""


def row_of(table: str, columns: Sequence[Any]) -> Row:
    """A row as a flush writes it."""
    if table == "profiles":
        organization, account, email, _, forgotten, event_id, occurred, logged, source, offset = columns
        kind = "tombstone" if forgotten else "profile.updated"
        return source, offset, Told(kind, organization, account, email, event_id, occurred, occurred, logged)
    organization, kind, since, subject, detail, event_id, occurred, logged, source, offset = columns
    event = json.loads(detail)
    says = event.get("name") or event.get("discount") or ""
    return source, offset, Told(kind, organization, subject, says, event_id, since, occurred, logged)


class People:
    """Both tables. A profile's key holds the newest by its time, then by the log; of the directory each row stays."""

    def __init__(self) -> None:
        self.profiles: dict[tuple[str, ...], Row] = {}
        self.directory: dict[tuple[str, int], Row] = {}

    def copy(self) -> "People":
        """The same rows, for a backup."""
        other = People()
        other.profiles, other.directory = dict(self.profiles), dict(self.directory)
        return other

    def write(self, table: str, row: Row) -> None:
        """One row becomes visible."""
        source, offset, told = row
        if table == "directory":
            self.directory[source, offset] = row
        else:
            key = told.kind, told.organization, told.subject, source
            self.profiles[key] = max(row, self.profiles.get(key, row), key=self.version)

    def holds(self, table: str, source: str, offset: int, told: Told) -> bool:
        """Whether that record's row is there, or for a profile a newer one, or what has forgotten it: what tells of a
        time before a tombstone may have been merged into what that erased."""
        if table == "directory":
            return (source, offset) in self.directory
        row = source, offset, told
        stored = self.profiles.get((told.kind, told.organization, told.subject, source))
        if stored is not None and self.version(stored) >= self.version(row):
            return True
        return self._forgets(row) or any(told.occurred < each[2].occurred for each in self.tombstones(row))

    def erase(self) -> None:
        """Take away the profiles that the log held before a tombstone of their account."""
        self.profiles = {key: row for key, row in self.profiles.items() if not self._forgets(row)}

    # -- the order of rows ---------------------------------------------------------------------------------

    def version(self, row: Row) -> tuple[str, str, int]:
        """Which row of a key is kept: the greatest."""
        _, offset, told = row
        return told.occurred, told.logged, offset

    def place(self, row: Row) -> Place:
        """Where in the log of its topic it comes from."""
        source, offset, told = row
        return told.logged, int(source.partition("/")[2].partition("@")[0]), offset

    def order(self, row: Row) -> tuple[Any, ...]:
        """Which of several rows holds: the greatest."""
        return row[2].since, row[2].occurred, self.place(row)

    # -- the views -----------------------------------------------------------------------------------------

    def tombstones(self, row: Row) -> Iterator[Row]:
        """Those of the account of a profile, wherever they are."""
        return (
            each for each in self.profiles.values() if (each[2].kind, each[2].subject) == ("tombstone", row[2].subject)
        )

    def _forgets(self, row: Row) -> bool:
        return row[2].kind != "tombstone" and any(self.place(row) < self.place(each) for each in self.tombstones(row))

    def changes(self) -> Iterable[Row]:
        """Each change of the directory once, at its first place."""
        first: dict[tuple[str, ...], Row] = {}
        for row in self.directory.values():
            _, _, told = row
            key = told.organization, told.kind, told.subject, told.since, told.event_id
            first[key] = min(row, first.get(key, row), key=self.place)
        return first.values()

    def is_remembered(self, row: Row, returned_at: str) -> bool:
        """Whether no tombstone has forgotten this profile."""
        stones = [each[2].occurred for each in self.tombstones(row)]
        if not stones:
            return True
        is_of_now = bool(returned_at) and row[2].occurred >= returned_at
        return not self._forgets(row) and (row[2].occurred >= max(stones) or is_of_now)

    def answers(self) -> Answers:
        """As `told.answers` has them."""
        last: dict[tuple[str, ...], Row] = {}
        for row in self.changes():
            told = row[2]
            asked = {"organization.created": ("name",), "discount.changed": ("discount", told.since)}
            view, *of_what = asked.get(told.kind, ("left", told.subject))
            key = (view, told.organization, *of_what)
            last[key] = max(row, last.get(key, row), key=self.order)
        found = {
            key: row[2].kind if key[0] == "left" else row[2].says
            for key, row in last.items()
            if row[2].kind != "member.joined"
        }
        return found | self._emails(found)

    def _emails(self, found: Answers) -> Answers:
        newest: dict[tuple[str, str], Row] = {}
        for row in self.profiles.values():
            who = row[2].organization, row[2].subject
            is_told = row[2].kind != "tombstone" and found.get(("left", *who)) != "account.deleted"
            if is_told and self.is_remembered(row, self._returned_at(*who)):
                newest[who] = max(row, newest.get(who, row), key=self.order)
        return {("email", *who): row[2].says for who, row in newest.items()}

    def _returned_at(self, organization: str, account: str) -> str:
        of_them = [row for row in self.changes() if row[2][1:3] == (organization, account)]
        deleted = [self.order(row) for row in of_them if row[2].kind == "account.deleted"]
        joined = [row for row in of_them if row[2].kind == "member.joined"]
        since = [row[2].since for row in joined if deleted and self.order(row) > max(deleted)]
        return min(since, default="")
