"""The simulated ClickHouse: cells of which the greatest log_offset wins, positions of which the greatest wins.

A Connection has the methods of `sinks.store.Store` and the troubles of a network: requests that are refused, that
are torn (a prefix of the rows is written), that are written though the answer is lost, and that land much later.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from aggregators.cell_tables import CELL_TABLES, CellTable
from aggregators.windows import WINDOW_PARSE
from sinks.positions import Position
from tests.simulation.loop import Loop
from tests.simulation.plan import Plan
from tests.simulation.views import People, row_of
from tests.simulation.witness import Witness

WIDTHS = {declaration.name: len(declaration.key) for declaration in CELL_TABLES}
PEOPLE_TABLES = ("directory", "profiles")
LATEST_LANDING = 2.0
"""Seconds after which a request that was under way has arrived or never will."""
Pages = dict[tuple[str, str], dict[tuple[Any, ...], tuple[int, ...]]]
"""(organization, window text) to key to (log_offset, *counters)"""


class Database:
    """What one incarnation of ClickHouse holds."""

    def __init__(self, witness: Witness) -> None:
        self.incarnation = 0
        self.is_away = False
        self.cells: dict[tuple[str, str], Pages] = {}
        self.positions: dict[str, Position] = {}
        self.attributions: set[str] = set()
        self.people = People()
        self.met = witness.met
        self._witness = witness
        witness.database = self

    def write(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Rows become visible, one after another."""
        if table == "attributions":
            for row in rows:
                self._witness.saw_attribution(row[0])
                self.attributions.add(row[0])
            return
        if table in PEOPLE_TABLES:
            for row in (row_of(table, columns) for columns in rows):
                self._witness.saw_told(*row)
                self.people.write(table, row)
            return
        width = WIDTHS[table]
        for source, organization, window, *rest in rows:
            page = self.cells.setdefault((source, table), {}).setdefault((organization, window), {})
            key, cell = tuple(rest[:width]), tuple(rest[width:])
            self._witness.saw_cell(source, (table, organization, window, *key), cell)
            known = page.get(key)
            if known is None or known[0] <= cell[0]:
                page[key] = cell

    def write_positions(self, positions: Iterable[Position]) -> None:
        """Positions become visible, one after another; of each column the greatest wins."""
        for new in positions:
            old = self.positions.get(new.source, new)
            self.positions[new.source] = Position(
                new.source,
                max(old.next_offset, new.next_offset),
                max(old.watermark, new.watermark),
                max(old.fold_version, new.fold_version),
                max(old.last_record, new.last_record),
            )
            self._witness.saw_position(self.positions[new.source])

    def backup_positions(self) -> Callable[[], None]:
        """The first half of a backup; gives the second, which takes the cells and may come any time later."""
        self._backup: tuple[Any, ...] = (dict(self.positions),)

        def backup_cells() -> None:
            self._backup = (self._backup[0], deepcopy(self.cells), set(self.attributions), self.people.copy())

        return backup_cells

    def restore(self) -> None:
        """Other tables, with what the backup holds."""
        self.incarnation += 1
        self.positions, self.cells, self.attributions, self.people = self._backup
        self._witness.saw_restore()


class Connection:
    """One worker's road to the database. The methods are those of `sinks.store.Store`."""

    def __init__(self, database: Database, loop: Loop, rng: Random, plan: Plan) -> None:
        self.trouble = plan.trouble
        self._database = database
        self._loop = loop
        self._rng = rng

    def _ask(self) -> Database:
        if self._database.is_away or self._rng.random() < self.trouble / 3:
            raise ConnectionRefusedError("ClickHouse does not answer")
        return self._database

    def database_identity(self) -> str:
        return str(self._ask().incarnation)

    def epochs(self) -> dict[str, int]:
        self._ask()
        return {}

    def positions(self, sources: Collection[str] | None = None) -> dict[str, Position]:
        stored = self._ask().positions
        return {source: stored[source] for source in sources or () if source in stored}

    def first_unwritten(self, sources: Collection[str]) -> dict[str, dict[str, int]]:
        cells = self._ask().cells
        found: dict[str, dict[str, int]] = {}
        for source in sources:
            windows = found[source] = {}
            for declaration in CELL_TABLES:
                pages = cells.get((source, declaration.name))
                if pages:
                    newest = max(window for _, window in pages)
                    windows[declaration.name] = WINDOW_PARSE[declaration.window](newest) + 1
        return found

    def read_pages(self, declaration: CellTable, source: str, pages: Iterable[tuple[str, int]]) -> list[Sequence[Any]]:
        stored = self._ask().cells.get((source, declaration.name), {})
        wanted, parse = set(pages), WINDOW_PARSE[declaration.window]
        found: list[Sequence[Any]] = [
            (organization, window, *key, *cell)
            for (organization, window), page in stored.items()
            if (organization, parse(window)) in wanted
            for key, cell in page.items()
        ]
        self._database.met["pages read back"] += bool(found)
        return found

    def write(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        self._insert(lambda some: self._database.write(table, some), rows)
        if table == "profiles":
            self._ask().people.erase()

    def write_positions(self, positions: Sequence[Position]) -> None:
        self._insert(self._database.write_positions, positions)

    def _insert(self, write: Callable[[Sequence[Any]], None], rows: Sequence[Any]) -> None:
        """All rows written and confirmed, or an error after which all, some or none are, now or later."""
        self._ask()
        dice = self._rng.random()
        if dice >= self.trouble:
            write(rows)
            return
        written = self._rng.choice((0, len(rows), self._rng.randrange(len(rows) + 1)))
        write(rows[:written])
        self._database.met["torn inserts"] += 0 < written < len(rows)
        if self._rng.random() < 0.5:
            self.land_later(lambda: write(rows[written:]))
        raise TimeoutError("no answer: perhaps written")

    def land_later(self, request: Callable[[], None]) -> None:
        """A request that is under way reaches the database some time later, if that is still the same."""
        incarnation = self._database.incarnation

        def land() -> None:
            if self._database.incarnation == incarnation:
                self._database.met["requests that landed late"] += 1
                request()

        delay = self._rng.choice((0.02, 0.3, LATEST_LANDING)) * self._rng.random()
        self._loop.without_process(lambda: self._loop.call_later(delay, land))


__all__ = ["Connection", "Database"]
