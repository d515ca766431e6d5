"""One source (`topic/partition@epoch`): its place in the log, its horizon of duplicates, its tables.

The pure heart of exactness: bytes and offsets in, changed cells and dead letters out. A Source belongs to one
assignment; when the partition is revoked it is dropped whole and a new one is made for the next assignment.

A batch goes through in three steps, so that whoever drives it can fetch missing pages in between:
`prepare` (decode, judge, find the missing pages) - `load` (pages read back) - `apply` (fold, advance the place).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from aggregators.backend import HAS_COMPILED, adder_of, decoder_for, joiner_of
from aggregators.cell_rows import PageKey, Rows
from aggregators.cell_tables import CELL_TABLES, CellTable
from aggregators.deduplication import Horizon
from aggregators.increments import BY_OFFSET, Row
from aggregators.page_cache import Page, PageCache
from aggregators.prepared_batch import OffsetGap, PreparedBatch, Record, RejectedRecord, TopicRecreated, fingerprint
from tally_client.events import PROFILES

FOLD_VERSION = 3
"""Changed whenever a fold would give other cells for the same log; cells of another version are refused."""
PAGE_KEY = itemgetter(1)  # of a change
ATTRIBUTED_LIMIT = 500_000
"""How many attribution ids a source remembers as written."""


@dataclass
class Snapshot:
    """What a source has that ClickHouse does not: absolute rows by table, letters, and the place they reach."""

    source: "Source"
    next_offset: int
    rows: dict[str, Rows]
    rejected: list[RejectedRecord]
    last_record: str
    flights: list[tuple[PageCache, list[Page]]]


def mark_flushed(snapshot: Snapshot) -> None:
    """ClickHouse has confirmed all rows of the snapshot: its pages may be let go again."""
    for table, pages in snapshot.flights:
        table.mark_flushed(pages)


class Source:
    """The state of one source under one assignment.

    `next_offset` is the next offset to fold; `cursor` the next to read, which starts below it to warm the horizon
    and folds nothing until it gets there. `last_record` is the fingerprint stored with the place. `first_unwritten`
    gives each table's first window that ClickHouse cannot have (by table name). `compiled` says which form reads and
    adds: both give the same.
    """

    def __init__(
        self,
        topic: str,
        name: str,
        place: int,
        horizon: Horizon,
        *,
        log_start: int = 0,
        last_record: str = "",
        first_unwritten: dict[str, int] | None = None,
        compiled: bool = HAS_COMPILED,
    ) -> None:
        self.topic = topic
        self.name = name
        self.next_offset = place
        self.horizon = horizon
        self.last_record = last_record
        self.dropped = False
        self.duplicates = 0
        self.cursor = max(log_start, self._read_from())
        form = adder_of(compiled), joiner_of(compiled)
        unwritten = first_unwritten or {}
        self.tables = {each: PageCache(each, unwritten.get(each.name, 0), *form) for each in CELL_TABLES}
        self.pending: PreparedBatch | None = None
        self._reader = decoder_for(topic, compiled)
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        self._attributed: set[str] = set()
        self._letters: list[RejectedRecord] = []

    def _read_from(self) -> int:
        """The last record is read again, however far below the place it is: it tells whether the log is the same."""
        last = int(self.last_record.partition(":")[0]) if self.last_record else self.next_offset
        return min(last, self.horizon.replay_start(self.next_offset))

    # -- a batch -------------------------------------------------------------------------------------------

    def prepare(self, start: int, end: int, records: Sequence[Record]) -> PreparedBatch:
        """Decode and judge the batch `[start, end)`; what lies below the cursor is trimmed.

        `end` is the reader's position after the batch, which is more than the last record's offset plus one where the
        log has control records or was compacted.

        Raises Gap when the batch begins beyond the cursor, TopicRecreated when the log is another one, and RuntimeError
        when the batch before was not applied: its ids are registered, so it would be taken for its own duplicate.
        """
        if self.pending is not None:
            raise RuntimeError(f"{self.name}: the batch up to offset {self.pending.end} was prepared and not applied")
        if start > self.cursor:
            raise OffsetGap(self.name, self.cursor, start)
        if self._reader.forget(self.open_cells):
            for table in self.tables.values():
                table.reset_row_index()
        prepared = PreparedBatch(max(end, self.cursor))
        is_fresh = not records or records[0].offset >= self.cursor
        fresh = records if is_fresh else [record for record in records if record.offset >= self.cursor]
        self._refuse_recreated(fresh, prepared.end)
        for block, run in self._runs(fresh):
            self._prepare_run(block, run, prepared)
        self._open_pages(prepared)
        if fresh:
            prepared.last = fresh[-1]
        self.pending = prepared
        return prepared

    def _refuse_recreated(self, fresh: Sequence[Record], end: int) -> None:
        """Compare the record that was folded last with what the log has there, when that is read again.

        A record that is no longer there is another one too, but for profiles, whose old ones compaction removes.
        """
        if self.cursor >= self.next_offset or not self.last_record:
            return
        offset = int(self.last_record.partition(":")[0])
        if not self.cursor <= offset < end:
            return
        found = [fingerprint(record) for record in fresh if record.offset == offset]
        if found != [self.last_record] and (found or self.topic != PROFILES):
            raise TopicRecreated(
                f"{self.name}: offset {offset} holds another record than the one that was folded, so the topic "
                f"was recreated: start a new epoch with `tally epoch {self.topic}`"
            )

    def _runs(self, fresh: Sequence[Record]) -> Iterator[tuple[int, Sequence[Record]]]:
        """The batch cut at the edges of blocks; nearly always it lies within one."""
        size = self.horizon.block_size
        if fresh and fresh[0].offset // size == fresh[-1].offset // size:
            yield fresh[0].offset // size, fresh
            return
        for block, run in groupby(fresh, key=lambda record: record.offset // size):
            yield block, list(run)

    def _prepare_run(self, block: int, run: Sequence[Record], prepared: PreparedBatch) -> None:
        """Decode and judge a run of one block, and gather what it adds."""
        read = self._reader.read(run, self.next_offset, prepared.letters)
        verdicts = self.horizon.classify(block, read.identities, read.payloads)
        read.gather(verdicts, self.next_offset, prepared)

    def _open_pages(self, prepared: PreparedBatch) -> None:
        """Open the pages that the batch will change; those that ClickHouse may have are missing until loaded."""
        for declaration in dict.fromkeys((*prepared.changes, *prepared.columns)):
            table, (offsets, changes) = self.tables[declaration], prepared.changes[declaration]
            named: Iterable[PageKey] = map(PAGE_KEY, changes)
            if columns := prepared.columns[declaration]:
                in_columns = (page for each in columns for page in each.pages)
                both = sorted(chain(zip(offsets, named, strict=True), in_columns), key=BY_OFFSET)
                named = (page_key for _, page_key in both)
            pages = prepared.pages[declaration] = list(dict.fromkeys(named))
            missing = [page_key for page_key in pages if not table.open(page_key)]
            if missing:
                prepared.missing[declaration] = missing

    def load(self, declaration: CellTable, page_keys: Iterable[PageKey], rows: Iterable[Sequence[Any]]) -> None:
        """Open pages as ClickHouse has them (see Table.load)."""
        self.tables[declaration].load(page_keys, rows)

    def apply(self, prepared: PreparedBatch) -> None:
        """Fold a prepared batch whose missing pages are loaded, and advance cursor and place. Never awaits."""
        for declaration in prepared.pages:
            self.tables[declaration].fold(*prepared.changes[declaration], prepared.columns[declaration])
        for offset, row in prepared.rows:
            self._take_row(row, offset)
        self._letters += prepared.letters
        if prepared.last is not None and prepared.last.offset >= self.next_offset:
            self.last_record = fingerprint(prepared.last)
        self.cursor = prepared.end
        self.next_offset = max(self.next_offset, self.cursor)
        self.duplicates += prepared.duplicates
        self.pending = None

    def _take_row(self, row: Row, offset: int) -> None:
        if row.table != "attributions":
            self._rows.setdefault(row.table, []).append((*row.values, self.name, offset))
        elif row.values[0] not in self._attributed:
            if len(self._attributed) >= ATTRIBUTED_LIMIT:
                self._attributed.clear()  # a row that is written again is the same row
            self._attributed.add(row.values[0])
            self._rows.setdefault(row.table, []).append(row.values)

    # -- a flush -------------------------------------------------------------------------------------------

    @property
    def unflushed(self) -> int:
        """Rows and letters that wait for a flush."""
        tables = sum(table.unflushed for table in self.tables.values())
        return tables + sum(map(len, self._rows.values())) + len(self._letters)

    @property
    def open_cells(self) -> int:
        """Cells in memory."""
        return sum(table.open_cells for table in self.tables.values())

    def snapshot(self) -> Snapshot:
        """Take what has changed, with the place at this instant. The position row goes in after all the rest."""
        rows: dict[str, Rows] = {**self._rows}
        flights = []
        for declaration, table in self.tables.items():
            changed, pages = table.take_dirty_rows(self.name)
            if changed:
                rows[declaration.name] = changed
            flights.append((table, pages))
        letters, self._letters, self._rows = self._letters, [], {}
        return Snapshot(self, self.next_offset, rows, letters, self.last_record, flights)

    def evict(self, idle_rounds: int) -> int:
        """Let go pages that were idle for so many flushes; returns how many."""
        keep = self.pending.pages if self.pending else {}
        return sum(table.evict(idle_rounds, keep.get(declaration, ())) for declaration, table in self.tables.items())
