"""The scratch database: everything that a recount found, with a fixed amount in memory and the rest in a file.

SQLite stores, sorts and sums it, so that a log of any length is recounted in the same memory. Its file is in the folder
for temporary files (SQLITE_TMPDIR or TMPDIR), has no name, and disappears with the process.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from verify.compare import Key, Row
from verify.recount import Recount, Repeat
from verify.tables import CELL_TABLES

CACHE_KIB = 32 << 10

ROW_KEYS = {
    "directory": ("source", "log_offset"),
    "profiles": ("organization_id", "account_id", "forgotten", "source", "occurred_at", "logged_at", "log_offset"),
    "profile_ends": ("account_id", "source"),
    "attributions": ("attribution_id",),
    "letters": ("place",),
    "found_letters": ("place",),
    "profile_places": ("place",),
}
"""Tables of whole rows, by key; the last row of each key counts."""

_ACTIVE_DAYS = """
SELECT organization_id, actor_id, day FROM chat_cells WHERE actor_type = 'user' AND messages > 0
UNION SELECT organization_id, actor_id, day FROM session_cells WHERE actor_type = 'user' AND (
    product = 'claude_code' AND (tool_uses > 0 OR commits > 0 OR pull_requests > 0)
    OR product = 'cowork' AND (tool_uses > 0 OR messages > 0)
) ORDER BY 1, 2, 3
"""
_REPEATS = """
SELECT organization_id, type, event_id, before, log_offset FROM (
    SELECT *, lag(log_offset) OVER (PARTITION BY event_id, organization_id, type ORDER BY log_offset) AS before FROM ids
) WHERE log_offset / :size - before / :size > :blocks ORDER BY log_offset
"""


class Scratch:
    """Tables of recounted rows. Texts sort by their bytes, as in ClickHouse."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", f"cache_size = -{CACHE_KIB}", "temp_store = FILE"):
            self._database.execute(f"PRAGMA {pragma}")
        for table in CELL_TABLES.values():
            self._create(table.name, table.key_columns, ("log_offset", *table.counters))
        for name, key in ROW_KEYS.items():
            self._create(name, key, ("row",))
        self._database.execute("CREATE TABLE ids (organization_id, type, event_id, log_offset)")
        self._database.execute("BEGIN")
        self.repeats: list[Repeat] = []
        self.more_repeats = 0

    def close(self) -> None:
        """Close and drop the database."""
        self._database.close()

    # -- in ------------------------------------------------------------------------------------------------

    def take(self, recount: Recount) -> None:
        """Move the counts in `recount` here; it continues as if it still had them."""
        for name, cells in recount.cells.items():
            self._add(name, cells)
        for name, rows in recount.rows().items():
            self.put(name, rows)
        self._database.executemany("INSERT INTO ids VALUES (?, ?, ?, ?)", recount.ids)
        recount.let_go()

    def put(self, name: str, rows: Iterable[tuple[Key, Any]]) -> None:
        """Add whole rows by key, replacing existing ones."""
        marks = ", ".join("?" * (len(ROW_KEYS[name]) + 1))
        encoded = ((*key, msgspec.msgpack.encode(row)) for key, row in rows)
        self._database.executemany(f"INSERT OR REPLACE INTO {name} VALUES ({marks})", encoded)  # noqa: S608

    def end_source(self, recount: Recount, source: str, show: int) -> None:
        """Finish `source`, which has no more records: note its events that repeat outside of the horizon."""
        self.take(recount)
        recount.forget_ids()
        options = {"size": recount.options.block_size, "blocks": recount.options.blocks}
        for *identity, first, again in self._database.execute(_REPEATS, options):
            if len(self.repeats) < show:
                self.repeats.append(Repeat(source, (*identity,), first, again))
            else:
                self.more_repeats += 1
        self._database.execute("DELETE FROM ids")

    def _add(self, name: str, cells: dict[Key, list[int]]) -> None:
        table = CELL_TABLES[name]
        marks = ", ".join("?" * (len(table.key_columns) + 1 + len(table.counters)))
        sums = ", ".join(f"{counter} = {counter} + excluded.{counter}" for counter in table.counters)
        statement = (
            f"INSERT INTO {name} VALUES ({marks}) "  # noqa: S608 - constants
            f"ON CONFLICT DO UPDATE SET log_offset = max(log_offset, excluded.log_offset), {sums}"
        )
        self._database.executemany(statement, ((*key, *cells[key]) for key in sorted(cells)))

    def _create(self, name: str, key: Sequence[str], values: Sequence[str]) -> None:
        columns = ", ".join((*key, *values))
        self._database.execute(f"CREATE TABLE {name} ({columns}, PRIMARY KEY ({', '.join(key)})) WITHOUT ROWID")

    # -- out, in the order of the keys ---------------------------------------------------------------------

    def cells(self, name: str) -> Iterator[tuple[Key, Row]]:
        """Yield (source, organization, window, *key) with (log_offset, *counters)."""
        key = CELL_TABLES[name].key_columns
        return _split(self._database.execute(f"SELECT * FROM {name} ORDER BY {', '.join(key)}"), len(key))  # noqa: S608

    def sums(self, name: str) -> Iterator[tuple[Key, Row]]:
        """Yield (organization, window, *key) with the counters, summed over the sources."""
        key, counters = CELL_TABLES[name].key_columns[1:], CELL_TABLES[name].counters
        summed, names = ", ".join(f"sum({counter})" for counter in counters), ", ".join(key)
        statement = f"SELECT {names}, {summed} FROM {name} GROUP BY {names} ORDER BY {names}"  # noqa: S608
        return _split(self._database.execute(statement), len(key))

    def rows(self, name: str) -> Iterator[tuple[Key, Any]]:
        """Yield whole rows by key."""
        key = ROW_KEYS[name]
        for *found, row in self._database.execute(f"SELECT * FROM {name} ORDER BY {', '.join(key)}"):  # noqa: S608
            yield tuple(found), msgspec.msgpack.decode(row)

    def row(self, name: str, key: Key) -> Any:
        """Return the whole row under that key, or None."""
        where = " AND ".join(f"{column} = ?" for column in ROW_KEYS[name])
        found = self._database.execute(f"SELECT row FROM {name} WHERE {where}", key).fetchone()  # noqa: S608
        return msgspec.msgpack.decode(found[0]) if found else None

    def holds(self, name: str, key: Key) -> bool:
        """Return True if a table of whole rows has that key."""
        return self.row(name, key) is not None

    def active_days(self) -> Iterator[tuple[str, str, str]]:
        """Yield (organization, account, day) of all active days of people (defined in docs/metrics.md)."""
        return iter(self._database.execute(_ACTIVE_DAYS))


def _split(rows: Iterable[Sequence[Any]], width: int) -> Iterator[tuple[Key, Row]]:
    return ((tuple(row[:width]), row[width:]) for row in rows)
