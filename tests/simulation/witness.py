"""Watches every row as it becomes visible, so that what a reader could see wrong at any instant is seen.

- A cell is what the recount gives for its stamp: a closed total never moves, an open one never falls.
- A position never runs ahead: the cells, attributions and dead letters below it are all there.
- A watermark never claims what its position does not cover.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sinks.positions import Position
from streams.source_names import source_name
from tests.simulation.log import Log, PartitionLog
from tests.simulation.plan import Partition, Plan
from tests.simulation.recount import Cell, Recount, recount
from tests.simulation.told import Told, answers

if TYPE_CHECKING:
    from tests.simulation.store import Database

BEGINNING = datetime(2026, 4, 1, tzinfo=UTC)
"""The wall clock at virtual second 0."""


class Wrong(AssertionError):
    """The history shows something that is not so in the log."""


class Witness:
    """Knows what the log gives; raises nothing, keeps the first wrongs in `wrongs`."""

    database: "Database"

    def __init__(self, log: Log, plan: Plan) -> None:
        self.wrongs: list[str] = []
        self.letters: set[str] = set()
        self.seen = 0
        self.met: Counter[str] = Counter()
        """What the history met, by name: a history that meets nothing proves nothing."""
        self._log = log
        self._checked: dict[str, int] = {}
        self.counts: dict[str, Recount] = {}
        self.partitions: dict[str, Partition] = {}
        for partition, entries in log.partitions.items():
            name = source_name(*partition, {})
            records = entries.read(0, len(entries.entries))
            self.counts[name] = recount(partition[0], records, plan.options.block_size, plan.options.blocks)
            self.partitions[name] = partition
            self.met["repeats at the horizon's edge"] += self.counts[name].edges
            self._meet_transactions(entries, plan.options.block_size)
        self._attributions = {one for count in self.counts.values() for one in count.attributions.values()}

    def _meet_transactions(self, entries: PartitionLog, block_size: int) -> None:
        for one in entries.transactions:
            self.met["transactions aborted" if one.is_aborted else "transactions committed"] += 1
            self.met["control records at a block's edge"] += (one.marker + 1) % block_size in (0, 1)
            self.met["control records at a partition's end"] += one.marker == len(entries.entries) - 1

    def wrong(self, what: str) -> None:
        """Something is not so."""
        self.wrongs.append(what)

    def saw_cell(self, source: str, cell: Cell, values: tuple[int, ...]) -> None:
        """A row of a cell became visible."""
        self.seen = hash((self.seen, *values))
        right = self.counts[source].cells.get(cell, {}).get(values[0])
        if right != values[1:]:
            self.wrong(f"{source} {cell} at stamp {values[0]}: {values[1:]}, the log gives {right}")

    def saw_letter(self, source: str, offset: int, reason: str) -> None:
        """A dead letter was confirmed."""
        if self.counts[source].letters.get(offset) != (reason == "conflict"):
            self.wrong(f"{source}/{offset} is no dead letter for {reason}")
        self.letters.add(f"{source}/{offset}")

    def saw_attribution(self, attribution: str) -> None:
        """A row of the dimension became visible."""
        if attribution not in self._attributions:
            self.wrong(f"no event has the attribution {attribution}")

    def saw_told(self, source: str, offset: int, told: Told) -> None:
        """A row of a profile, a tombstone or the directory became visible."""
        self.seen = hash((self.seen, offset))
        right = self.counts[source].told.get(offset)
        if told != right:
            self.wrong(f"{source}/{offset} is {told}, the log tells {right}")

    def saw_position(self, position: Position) -> None:
        """A position became visible: everything below it must be there."""
        self.seen = hash((self.seen, position.next_offset))
        source, place = position.source, position.next_offset
        self._check_prefix(source, self._checked.get(source, 0), place)
        self._checked[source] = max(place, self._checked.get(source, 0))
        covered = (position.watermark - BEGINNING) / timedelta(seconds=1)
        needed = self._log.first_missing(self.partitions[source], covered)
        if place < needed:
            self.wrong(f"{source}: the watermark covers {needed} records, the position {place}")

    def saw_restore(self) -> None:
        """The tables are those of a backup: their positions must not run ahead of their cells either."""
        self.met["ClickHouse restored"] += 1
        self._checked.clear()
        for position in self.database.positions.values():
            self.saw_position(position)

    def _check_prefix(self, source: str, start: int, end: int) -> None:
        count, table = self.counts[source], self.partitions[source][0].partition(".")[2]
        for offset in range(start, end):
            told = count.told.get(offset)
            if told is not None and not self.database.people.holds(table, source, offset, told):
                self.wrong(f"position {end} of {source} is ahead of what is told at offset {offset}")
            for cell in count.touched.get(offset, ()):
                if self._stamp(source, cell) < offset:
                    self.wrong(f"position {end} of {source} is ahead of {cell}, which lacks offset {offset}")
            if offset in count.letters and f"{source}/{offset}" not in self.letters:
                self.wrong(f"position {end} of {source} is ahead of the dead letter of offset {offset}")
            if count.attributions.get(offset, "") not in self.database.attributions | {""}:
                self.wrong(f"position {end} of {source} is ahead of the attribution of offset {offset}")

    def _stamp(self, source: str, cell: Cell) -> int:
        table, organization, window, *key = cell
        page: dict[Any, Any] = self.database.cells.get((source, table), {}).get((organization, window), {})
        stamp: int = page.get(tuple(key), (-1,))[0]
        return stamp

    def compare(self, cursed: Partition | None) -> None:
        """At the end: the tables are the recount, no more and no less.

        Of a cursed partition, whose log is not what it was, there is what every row and position was checked for.
        """
        whole = {name: self.counts[name] for name, partition in self.partitions.items() if partition != cursed}
        expected = {
            (source, *cell): list(stamps.items())[-1]
            for source, count in whole.items()
            for cell, stamps in count.cells.items()
        }
        stored = {
            (source, table, *page, *key): (cell[0], cell[1:])
            for (source, table), pages in self.database.cells.items()
            if source in whole
            for page, cells in pages.items()
            for key, cell in cells.items()
        }
        for cell in sorted(expected.keys() | stored.keys()):
            if expected.get(cell) != stored.get(cell):
                self.wrong(f"end: {cell} is {stored.get(cell)}, the log gives {expected.get(cell)}")
        letters = {f"{source}/{offset}" for source, count in whole.items() for offset in count.letters}
        missing = letters - self.letters
        if missing:
            self.wrong(f"end: dead letters are missing: {sorted(missing)}")
        self._compare_answers()
        attributions = {one for count in whole.values() for one in count.attributions.values()}
        if not attributions <= self.database.attributions:
            self.wrong("end: attributions are missing")

    def _compare_answers(self) -> None:
        """Names, departures and terms, of the log of all partitions as one."""
        told: dict[str, dict[int, dict[int, Told]]] = {"tally.profiles": {}, "tally.directory": {}}
        for name, (topic, number) in self.partitions.items():
            told.setdefault(topic, {})[number] = self.counts[name].told
        right = answers(told["tally.profiles"], told["tally.directory"])
        found = self.database.people.answers()
        for asked in sorted(right.keys() | found.keys()):
            if right.get(asked) != found.get(asked):
                self.wrong(f"end: {asked} is {found.get(asked)}, the log tells {right.get(asked)}")
        self.met["names, departures and terms"] += len(right)
