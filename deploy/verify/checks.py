"""The comparisons, table by table: what the recount expects, what is found, and what a worker may still change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.verify import actives, spend
from deploy.verify.compare import Key, compare
from deploy.verify.letters import LetterRows, compare_letters
from deploy.verify.moments import microsecond_text
from deploy.verify.recount import DIRECTORY, Recount, normal
from deploy.verify.stored import Stored
from deploy.verify.tables import ATTRIBUTION_COLUMNS, CELL_TABLES, CellTable
from deploy.verify.validity import Invalid, read_event
from deploy.verify.verdict import TableResult

SOURCED_TABLES = (*CELL_TABLES, "directory", "profiles")


@dataclass(frozen=True)
class Checks:
    """One recount against one database.

    `positions`: where the recount ends for each source; rows from there on are left out. `lost`: sources that cannot
    be recounted, whose rows are left out altogether. `is_still`: all of the log was recounted and it has not grown.
    """

    stored: Stored
    recount: Recount
    positions: dict[str, int]
    lost: frozenset[str]
    is_still: bool
    show: int

    def tables(self, letters: LetterRows) -> Iterator[TableResult]:
        """Every table, and the letters."""
        for table in CELL_TABLES.values():
            yield self.cells(table)
        yield self.directory()
        yield self.profiles()
        yield self.attributions()
        yield self.strangers()
        yield compare_letters(
            self.recount.letters, letters, show=self.show, is_moving=self._beyond, is_gone=self.recount.is_compacted
        )

    def totals(self) -> Iterator[TableResult]:
        """Sums over sources, and the views that reports rest on; they mean something while the tables stand still."""
        for table in CELL_TABLES.values():
            yield self.sums(table)
        yield self.spend()
        yield self.active_users()

    def cells(self, table: CellTable) -> TableResult:
        """One table of cells, each with its stamp and counters."""
        width = len(table.key_columns)
        columns = (*table.key_columns, "log_offset", *table.counters)
        found = self.stored.cells(table.name, columns, tuple(self.positions), self._since(table))
        return compare(
            table.name,
            table.key_columns,
            columns[width:],
            self.recount.cells[table.name],
            ((tuple(row[:width]), row[width:]) for row in found),
            show=self.show,
            is_moving=lambda key, row: self._beyond(key[0], row[0]),
        )

    def sums(self, table: CellTable) -> TableResult:
        """The counters of a table added up over its sources, as ClickHouse adds them."""
        columns, width = table.key_columns[1:], len(table.key_columns) - 1
        expected: dict[Key, list[int]] = {}
        for (_, *key), (_, *counters) in self.recount.cells[table.name].items():
            total = expected.setdefault(tuple(key), [0] * len(counters))
            total[:] = [one + other for one, other in zip(total, counters, strict=True)]
        found = self.stored.sums(table.name, columns, table.counters, tuple(self.positions), self._since(table))
        pairs = ((tuple(row[:width]), row[width:]) for row in found)
        return compare(f"{table.name}, summed", columns, table.counters, expected, pairs, show=self.show)

    def directory(self) -> TableResult:
        """The directory's history; `detail` is compared by what it means."""
        columns = ("source", "log_offset", "organization_id", "type", "in_force_from", "subject_id", "detail")
        expected = {
            key: (each.organization_id, each.type, microsecond_text(each.in_force_from), each.subject_id, each.event)
            for key, each in self.recount.directory.items()
        }
        rows = self.stored.cells("directory", columns, tuple(self.positions))
        return compare(
            "directory",
            columns[:2],
            columns[2:],
            expected,
            (((row[0], row[1]), (*row[2:6], _meaning(row[6]))) for row in rows),
            show=self.show,
            is_moving=lambda key, _row: self._beyond(*key),
        )

    def profiles(self) -> TableResult:
        """Names and e-mails. A forgotten person whose tombstone was compacted away is no difference."""
        columns = ("account_id", "source", "email", "name", "forgotten", "log_offset")
        expected = self.recount.profiles
        rows = self.stored.cells("profiles", columns, tuple(self.positions))
        return compare(
            "profiles",
            columns[:2],
            columns[2:],
            expected,
            (((row[0], row[1]), row[2:]) for row in rows if (row[0], row[1]) in expected or not row[4]),
            show=self.show,
            is_moving=lambda key, row: self._beyond(key[1], row[3]),
        )

    def attributions(self) -> TableResult:
        """The attributions that usage refers to. Rows name no source, so one too many shows only when all is still."""
        expected = {(key,): row[1:] for key, row in self.recount.attributions.items()}
        rows = self.stored.rows(f"SELECT {', '.join(ATTRIBUTION_COLUMNS)} FROM attributions FINAL")  # noqa: S608
        may_be_others = not self.is_still or bool(self.earlier_epochs())
        return compare(
            "attributions",
            ATTRIBUTION_COLUMNS[:1],
            ATTRIBUTION_COLUMNS[1:],
            expected,
            (((row[0],), (*row[1:-1], tuple(row[-1]))) for row in rows),
            show=self.show,
            is_moving=lambda key, _row: key not in expected and may_be_others,
        )

    def strangers(self) -> TableResult:
        """Rows of sources that the log does not have, apart from earlier epochs of its topics."""
        known = {*self.positions, *self.lost, *self.earlier_epochs()}
        found = (
            ((table, source), (rows,))
            for table in SOURCED_TABLES
            for source, rows in self.stored.sources_of(table).items()
            if source not in known
        )
        return compare("unknown sources", ("table", "source"), ("rows",), {}, found, show=self.show)

    def earlier_epochs(self) -> dict[str, int]:
        """How many rows the tables hold of epochs whose log is gone; nothing can be said of them."""
        present = self.recount.options.epochs
        rows: dict[str, int] = {}
        for table in SOURCED_TABLES:
            for source, count in self.stored.sources_of(table).items():
                topic, epoch = source.split("/")[0], source.rpartition("@")[2]
                if epoch.isdigit() and int(epoch) < present.get(topic, 0):
                    rows[source] = rows.get(source, 0) + count
        return rows

    def spend(self) -> TableResult:
        """The view `spend`, by organization and day."""
        prices = spend.PriceList(self.stored.rows(spend.PRICES_QUERY))
        expected = spend.expected_spend(self.recount, prices)
        found = spend.found_spend(self.stored.rows(spend.QUERY))
        return compare("spend", ("organization_id", "day"), spend.COLUMNS, expected, found, show=self.show)

    def active_users(self) -> TableResult:
        """The view `active_users`, by organization and day."""
        expected = actives.expected_actives(self.recount)
        found = actives.found_actives(self.stored.rows(actives.QUERY))
        return compare("active_users", ("organization_id", "day"), actives.COLUMNS, expected, found, show=self.show)

    def _beyond(self, source: str, offset: int) -> bool:
        return offset >= self.positions.get(source, 0)

    def _since(self, table: CellTable) -> str:
        return self.recount.options.minutes_from if table.window == "minute" else ""


def _meaning(detail: str) -> Any:
    """What a directory row's event means, however it is written; the text itself if it is no event."""
    try:
        kind, event = read_event(DIRECTORY, detail.encode())
    except Invalid:
        return detail
    return normal(DIRECTORY, kind, event)
