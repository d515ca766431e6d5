"""The comparisons, table by table: the expected and the found rows, and those that a worker may still change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

from verify import active_users, answers, people, spend
from verify.compare import Key, Row, compare, paired
from verify.dead_letters import compare_letters
from verify.recount import DIRECTORY, PROFILES, Options, normal, plain_text
from verify.scratch import Scratch
from verify.table_reader import TableReader, Where
from verify.tables import ATTRIBUTION_COLUMNS, CELL_TABLES, CellTable
from verify.time_range import TimeRange
from verify.validity import Invalid, read_event
from verify.verdict import TableResult

SOURCED_TABLES = (*CELL_TABLES, "directory", "profiles")


@dataclass(frozen=True)
class Checks:
    """The comparison of one recount (in `scratch`) with one database.

    `positions`: where the recount ends for each source; rows past it are ignored. `lost`: sources that cannot be
    recounted, whose rows are all ignored. `is_still`: all of the log was recounted, and it has not grown.
    """

    stored: TableReader
    scratch: Scratch
    options: Options
    span: TimeRange
    positions: dict[str, int]
    lost: frozenset[str]
    is_still: bool
    show: int

    def tables(self) -> Iterator[TableResult]:
        """Yield every table and the letters; with a range, only tables with windows, and the directory for prices."""
        for table in CELL_TABLES.values():
            yield self.cells(table)
        yield self.directory()
        if self.span.is_all:
            yield self.profiles()
            yield self.attributions()
            yield self.letters()
        yield self.strangers()

    def totals(self) -> Iterator[TableResult]:
        """Yield sums over sources and the views that reports read; they are meaningful only if nothing is written."""
        for table in CELL_TABLES.values():
            yield self.sums(table)
        yield self.spend()
        if self.span.is_all:
            yield self.active_users()
            yield self.names()
            yield self.answers()

    def cells(self, table: CellTable) -> TableResult:
        """Compare a table of cells, each with its stamp and counters."""
        key, values = table.key_columns, ("log_offset", *table.counters)
        return compare(
            table.name,
            key,
            values,
            paired(self.scratch.cells(table.name), self.stored.keyed(table.name, key, values, self._where(table))),
            show=self.show,
            is_moving=lambda key, row: self._beyond(key[0], row[0]),
        )

    def sums(self, table: CellTable) -> TableResult:
        """Compare a table's counters summed over its sources, as ClickHouse sums them."""
        key = table.key_columns[1:]
        found = self.stored.sums(table.name, key, table.counters, self._where(table))
        pairs = paired(self.scratch.sums(table.name), found)
        return compare(f"{table.name}, summed", key, table.counters, pairs, show=self.show)

    def directory(self) -> TableResult:
        """Compare the directory's history; `detail` is compared by its meaning."""
        key = ("source", "log_offset")
        found_by = ("organization_id", "type", "in_force_from", "subject_id")
        values = (*found_by, "detail", "event_id", "occurred_at", "logged_at")
        rows = self.stored.keyed("directory", key, values, Where(tuple(self.positions)))
        found = ((key, (*row[:4], _meaning(row[4]), *row[5:])) for key, row in rows)
        return compare(
            "directory",
            key,
            values,
            paired(self.scratch.rows("directory"), found),
            show=self.show,
            is_moving=lambda key, _row: self._beyond(*key),
        )

    def profiles(self) -> TableResult:
        """Compare names and e-mails, without those that a tombstone erased."""
        forgotten = people.tombstones(chain(self._counted_profiles(), self._told()))
        found = ((told[:4], told[4:]) for told in self._told())
        return compare(
            "profiles",
            people.KEY,
            people.VALUES,
            people.without_lost(
                paired(people.kept(self._counted_profiles(), forgotten), found), forgotten, self._has_lost
            ),
            show=self.show,
            is_moving=lambda key, row: self._beyond(key[3], row[-1]),
        )

    def names(self) -> TableResult:
        """Compare the view `people`: names, and who is forgotten."""
        expected = people.expected_people(self._told(), self.scratch.rows("directory"))
        found = ((tuple(row[:2]), row[2:]) for row in self.stored.rows(people.QUERY))
        pairs = paired(_sorted(expected.items()), _sorted(found))
        return compare("people", people.PEOPLE_KEY, people.PEOPLE_VALUES, pairs, show=self.show)

    def answers(self) -> TableResult:
        """Compare the directory's views: names, departures, groups, seats and terms."""
        expected = answers.expected_answers(list(self.scratch.rows("directory")))
        found = ((tuple(row[:4]), row[4:]) for row in self.stored.rows(answers.QUERY))
        pairs = paired(_sorted(expected.items()), _sorted(found))
        return compare("directory views", answers.KEY, answers.VALUES, pairs, show=self.show)

    def attributions(self) -> TableResult:
        """Compare the attributions of usage. Rows have no source, so an extra one is an error only if nothing moves."""
        key, values = ATTRIBUTION_COLUMNS[:1], ATTRIBUTION_COLUMNS[1:]
        may_be_others = not self.is_still or bool(self.earlier_epochs())
        return compare(
            "attributions",
            key,
            values,
            paired(self.scratch.rows("attributions"), self.stored.keyed("attributions", key, values)),
            show=self.show,
            is_moving=lambda key, _row: may_be_others and not self.scratch.holds("attributions", key),
        )

    def letters(self) -> TableResult:
        """Compare the dead letters that were read into the scratch database."""
        return compare_letters(
            self.scratch.rows("letters"),
            self.scratch.rows("found_letters"),
            show=self.show,
            is_moving=self._beyond,
            is_gone=self._is_compacted,
        )

    def strangers(self) -> TableResult:
        """Report rows of sources that the log does not have, except for earlier epochs of its topics."""
        known = {*self.positions, *self.lost, *self.earlier_epochs()}
        found = [
            ((table, source), (rows,))
            for table in SOURCED_TABLES
            for source, rows in self.stored.sources_of(table).items()
            if source not in known and (self.span.is_all or not source.startswith(f"{PROFILES}/"))
        ]
        return compare("unknown sources", ("table", "source"), ("rows",), paired((), sorted(found)), show=self.show)

    def earlier_epochs(self) -> dict[str, int]:
        """Return the number of rows of epochs whose log is gone, by source; these cannot be checked."""
        present = self.options.epochs
        rows: dict[str, int] = {}
        for table in SOURCED_TABLES:
            for source, count in self.stored.sources_of(table).items():
                topic, epoch = source.split("/")[0], source.rpartition("@")[2]
                if epoch.isdigit() and int(epoch) < present.get(topic, 0):
                    rows[source] = rows.get(source, 0) + count
        return rows

    def spend(self) -> TableResult:
        """Compare the view `spend`, by organization and day."""
        since, until = self.options.within["day"]
        prices = spend.PriceList(self.stored.rows(spend.PRICES_QUERY))
        cells, directory = self.scratch.cells("spend_cells"), self.scratch.rows("directory")
        expected = spend.expected_spend(cells, directory, prices)
        found = spend.found_spend(self.stored.rows(spend.QUERY))
        sides = (
            _sorted(each for each in side if since <= each[0][1] and (not until or each[0][1] < until))
            for side in (expected.items(), found)
        )
        return compare("spend", ("organization_id", "day"), spend.COLUMNS, paired(*sides), show=self.show)

    def active_users(self) -> TableResult:
        """Compare the view `active_users`, by organization and day."""
        expected = active_users.expected_actives(self.scratch.active_days())
        found = active_users.found_actives(self.stored.rows(active_users.QUERY))
        pairs = paired(_sorted(expected.items()), _sorted(found))
        return compare("active_users", ("organization_id", "day"), active_users.COLUMNS, pairs, show=self.show)

    def _counted_profiles(self) -> Iterator[people.Told]:
        """Yield the rows for the log's profiles and tombstones, by key, time and place."""
        for key, row in self.scratch.rows("profiles"):
            yield people.Told(*key[:4], *row, *key[4:])

    def _told(self) -> Iterator[people.Told]:
        """Yield the rows of `profiles`, the newest of each key."""
        for key, row in self.stored.keyed("profiles", people.KEY, people.VALUES, Where(tuple(self.positions))):
            yield people.Told(*key, *row)

    def _has_lost(self, told: people.Told) -> bool:
        """Return True if compaction may have removed the row's record: it is gone, and the account has a later one."""
        last = self.scratch.row("profile_ends", (told.account_id, told.source))
        is_gone = self._is_compacted(f"{told.source}/{told.log_offset}")
        return is_gone and last is not None and told.log_offset < last[0]

    def _beyond(self, source: str, offset: int) -> bool:
        return offset >= self.positions.get(source, 0)

    def _is_compacted(self, place: str) -> bool:
        """Return True if compaction may have removed the record at `place` (source/offset): only profiles have it."""
        return place.startswith(f"{PROFILES}/") and not self.scratch.holds("profile_places", (place,))

    def _where(self, table: CellTable) -> Where:
        return Where(tuple(self.positions), table.window, *self.options.within[table.window])


def _sorted(rows: Iterable[tuple[Key, Row]]) -> list[tuple[Key, Row]]:
    return sorted(rows, key=itemgetter(0))


def _meaning(detail: str) -> Any:
    """Return the meaning of a directory row's event, however it is written; the text itself if it is not an event."""
    try:
        kind, event = read_event(DIRECTORY, detail.encode())
    except Invalid:
        return detail
    return plain_text(normal(DIRECTORY, kind, event))
