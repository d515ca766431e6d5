"""Workers that fold one partition into a ClickHouse made of dicts, in any order of reads, flushes and crashes.

Several workers may believe at once that the partition is theirs (a cut-off worker and its successor).
"""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from aggregators.backend import adder_of
from aggregators.cell_tables import CELL_TABLES
from aggregators.deduplication import Horizon
from aggregators.page_cache import PageCache
from aggregators.prepared_batch import OffsetGap
from aggregators.source import Snapshot, Source, mark_flushed
from tests.reference.known_log import BLOCK_SIZE, BLOCKS, Line, differences, recount
from tests.support.dict_clickhouse import ClickHouse
from tests.support.random_logs import Draw, end_of, log_of


class Worker:
    """One process that believes it owns the partition, placed where ClickHouse says the partition stands.

    The class attributes are what the controls put wrong parts into.
    """

    compiled = False
    source_class: type[Source] = Source
    horizon_class: type[Horizon] = Horizon
    table_class: type[PageCache] = PageCache

    def __init__(self, topic: str, lines: Sequence[Line], end: int, clickhouse: ClickHouse) -> None:
        self.lines = lines
        self.end = end
        self.clickhouse = clickhouse
        self.flight: Snapshot | None = None
        self.source = self.source_class(
            topic,
            f"{topic}/0@0",
            clickhouse.next_offset,
            self.horizon_class(BLOCK_SIZE, BLOCKS),
            last_record=clickhouse.last_record,
            compiled=self.compiled,
        )
        windows, add = self.first_unwritten(), adder_of(self.compiled)
        self.source.tables = {each: self.table_class(each, windows.get(each.name, 0), add) for each in CELL_TABLES}

    def first_unwritten(self) -> dict[str, int]:
        """The windows from which on no page needs to be read back."""
        return self.clickhouse.first_unwritten()

    def read(self, count: int, back: int = 0, meanwhile: str = "", past_gap: bool = False) -> None:
        """One batch of `count` records that begins `back` offsets below the next; `meanwhile` happens in its awaits."""
        start = max(0, self.source.cursor - back)
        ahead = [line.record for line in self.lines if line.record.offset >= start]
        batch, rest = ahead[:count], ahead[count:]
        beyond = rest[0].offset if rest else self.end
        end = beyond if past_gap or not batch else batch[-1].offset + 1
        prepared = self.source.prepare(start, end, batch)
        self.happen(meanwhile)
        for declaration, pages in prepared.missing.items():
            rows = self.clickhouse.read_pages(declaration, pages)
            self.happen(meanwhile)
            self.source.load(declaration, pages, rows)
        self.happen(meanwhile)
        self.source.apply(prepared)

    def read_nothing(self, count: int) -> None:
        """One batch of at most `count` offsets that hold no record: what a fetch gives of an aborted transaction."""
        start = self.source.cursor
        upcoming = [line.record.offset for line in self.lines if line.record.offset >= start]
        self.source.apply(self.source.prepare(start, min([start + count, self.end, *upcoming[:1]]), []))

    def happen(self, what: str) -> None:
        """What the flushing task does while a batch waits."""
        if what == "evict":
            self.source.evict(0)
        elif what == "flush":
            self.flush()
            self.source.evict(0)
        elif what == "take":
            self.take()

    def read_ahead(self) -> None:
        """A batch that begins beyond the next offset is refused, and nothing changes."""
        cursor, unflushed = self.source.cursor, self.source.unflushed
        with pytest.raises(OffsetGap) as caught:
            self.source.prepare(cursor + 1, cursor + 2, [])
        assert caught.value.wanted == cursor
        assert (self.source.cursor, self.source.unflushed) == (cursor, unflushed)

    def take(self) -> None:
        """Begin a flush, unless one is in flight."""
        if self.flight is None:
            self.flight = self.source.snapshot()

    def write(self, tables: int) -> None:
        """Letters and so many tables of the flight reach ClickHouse."""
        self.take()
        if self.flight is not None:
            self.clickhouse.tables.letters.update(
                (letter.record.offset, letter.reason) for letter in self.flight.rejected
            )
            for table in list(self.flight.rows)[:tables]:
                self.clickhouse.write(table, self.flight.rows[table])

    def confirm(self) -> None:
        """The flight is confirmed whole, and its position goes in."""
        if self.flight is None:
            return
        self.write(len(self.flight.rows))
        mark_flushed(self.flight)
        self.store_position(self.flight)
        self.flight = None

    def store_position(self, flight: Snapshot) -> None:
        """The position is the flight's, and all below it must be in the tables by now."""
        self.clickhouse.write_position(flight.next_offset, flight.last_record)
        self.check_position()

    def check_position(self) -> None:
        """Everything below the stored position is in the tables."""
        place = self.clickhouse.next_offset
        expected = recount(self.lines, place)
        found = self.clickhouse.tables
        lost = [f"letter of {offset}" for offset in expected.letters if offset not in found.letters]
        lost += [f"directory row of {offset}" for offset in expected.directory if offset not in found.directory]
        lost += [f"attribution {each}" for each in expected.attributions if each not in found.attributions]
        for table, cells in expected.cells.items():
            stored = found.cells.get(table, {})
            lost += [
                f"{table} {key} at {cell[0]}" for key, cell in cells.items() if stored.get(key, (-1,))[0] < cell[0]
            ]
        assert not lost, f"below the position {place}, and not in the tables: {lost}"

    def flush(self) -> None:
        """A whole flush."""
        self.take()
        self.confirm()


Step = tuple[str, int, int, str]
"""(what, which worker, how many, what happens while a batch waits)"""

OFTEN = ("read", "read", "take", "write", "flush", "evict", "crash")
STEP_CHOICES: tuple[Sequence[Any], ...] = (
    [*OFTEN, *OFTEN, "again", "ahead", "confirm", "late", "join", "nothing"],
    range(2),
    range(8),
    ["", "", "evict", "flush", "take"],
)
STEPS: st.SearchStrategy[Step] = st.tuples(*map(st.sampled_from, STEP_CHOICES))


class World:
    """One partition, one ClickHouse, and one or two workers."""

    def __init__(self, worker_class: type[Worker], topic: str, lines: Sequence[Line], end: int) -> None:
        self.worker_class = worker_class
        self.topic = topic
        self.lines = lines
        self.end = end
        self.clickhouse = ClickHouse()
        self.late: list[tuple[str, Sequence[Sequence[Any]]]] = []
        self.workers = [self.new_worker()]

    def new_worker(self) -> Worker:
        """A worker that has just been assigned the partition."""
        return self.worker_class(self.topic, self.lines, self.end, self.clickhouse)

    def step(self, step: Step) -> None:
        """One thing happens."""
        what, who, count, meanwhile = step
        number = who % len(self.workers)
        worker = self.workers[number]
        if what == "read":
            worker.read(1 + count, meanwhile=meanwhile, past_gap=count % 2 == 0)
        elif what == "again":
            worker.read(2 * count, back=count, meanwhile=meanwhile)
        elif what == "nothing":
            worker.read_nothing(count)
        elif what == "ahead":
            worker.read_ahead()
        elif what == "write":
            worker.write(count % 3)
        elif what == "evict":
            worker.source.evict(count % 2)
        elif what == "crash":
            self.crash(number)
        elif what == "late":
            self.land_late(count)
        elif what == "join":
            self.workers = [worker, self.new_worker()]
        else:
            {"take": worker.take, "confirm": worker.confirm, "flush": worker.flush}[what]()

    def crash(self, number: int) -> None:
        """A worker is gone, whatever it held; what it had sent to ClickHouse may yet arrive."""
        flight = self.workers[number].flight
        self.late += flight.rows.items() if flight else ()
        self.workers[number] = self.new_worker()

    def land_late(self, count: int) -> None:
        """Inserts of workers that are gone arrive."""
        arrived, self.late = self.late[:count], self.late[count:]
        for table, rows in arrived:
            self.clickhouse.write(table, rows)

    def finish(self) -> None:
        """All workers read to the end and flush."""
        for worker in self.workers:
            for _ in range(len(self.lines) + 1):
                worker.read(5)
            worker.flush()
            worker.flush()


def check(worker_class: type[Worker], topic: str, draws: Sequence[Draw], steps: Sequence[Step]) -> None:
    """Whatever happens on the way, the tables are in the end what the recount says, to the last stamp."""
    lines = log_of(topic, draws)
    end = end_of(draws, lines)
    world = World(worker_class, topic, lines, end)
    for step in steps:
        world.step(step)
    world.finish()
    assert world.clickhouse.next_offset == end, f"the position is {world.clickhouse.next_offset}, not {end}"
    wrong = differences(world.clickhouse.tables, recount(lines, end))
    assert not wrong, "\n".join(wrong)
