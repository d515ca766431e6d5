"""One source (`topic/partition@epoch`): its place in the log, its duplicate horizon, its tables.

A pure component that decides exactness: bytes and offsets in, changed cells and dead letters out. A Source belongs to
one assignment; when the partition is revoked it is discarded, and the next assignment creates a new one.

A batch is processed in three steps, so that the caller can fetch missing pages in between: `prepare` (decode, judge,
find the missing pages) - `load` (pages read back) - `apply` (fold, advance the place).
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
"""Increased whenever a fold would produce different cells from the same log; cells of another version are refused."""
PAGE_KEY = itemgetter(1)  # of a change
ATTRIBUTED_LIMIT = 500_000
"""The number of attribution ids that a source remembers as written."""


@dataclass
class Snapshot:
    """Changes that ClickHouse does not have yet: absolute rows by table, dead letters, and the place they extend to."""

    source: "Source"
    next_offset: int
    rows: dict[str, Rows]
    rejected: list[RejectedRecord]
    last_record: str
    flights: list[tuple[PageCache, list[Page]]]


def mark_flushed(snapshot: Snapshot) -> None:
    """Record that ClickHouse has confirmed all rows of the snapshot, so that its pages can be evicted."""
    for table, pages in snapshot.flights:
        table.mark_flushed(pages)


class Source:
    """The state of one source under one assignment.

    `next_offset` is the next offset to fold. `cursor` is the next offset to read; it starts lower, to fill the
    duplicate horizon, and nothing is folded until it reaches `next_offset`. `last_record` is the fingerprint stored
    with the place. `first_unwritten` has, by table name, the first window that ClickHouse cannot have. `compiled`
    selects the backend; both give the same result.
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
        """The last folded record is always read again, however far below the place it is: it shows whether the log is
        the same."""
        last = int(self.last_record.partition(":")[0]) if self.last_record else self.next_offset
        return min(last, self.horizon.replay_start(self.next_offset))

    # -- a batch -------------------------------------------------------------------------------------------

    def prepare(self, start: int, end: int, records: Sequence[Record]) -> PreparedBatch:
        """Decode and judge the batch `[start, end)`; the part before the cursor is skipped.

        `end` is the reader's position after the batch, which is more than the last record's offset plus one where the
        log has control records or was compacted.

        Raises OffsetGap if the batch begins after the cursor, TopicRecreated if the log is another one, and
        RuntimeError if the previous batch was not applied: its ids are registered, so it would be treated as its own
        duplicate.
        """
        if self.pending is not None:
            raise RuntimeError(f"{self.name}: the batch up to offset {self.pending.end} was prepared but not applied")
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
        """Compare the last folded record with the record that the log has at its offset, when that is read again.

        A missing record also counts as different, except for profiles, where compaction removes old records.
        """
        if self.cursor >= self.next_offset or not self.last_record:
            return
        offset = int(self.last_record.partition(":")[0])
        if not self.cursor <= offset < end:
            return
        found = [fingerprint(record) for record in fresh if record.offset == offset]
        if found != [self.last_record] and (found or self.topic != PROFILES):
            raise TopicRecreated(
                f"{self.name}: offset {offset} has a different record than the one that was folded, so the topic "
                f"was recreated: start a new epoch with `tally epoch {self.topic}`"
            )

    def _runs(self, fresh: Sequence[Record]) -> Iterator[tuple[int, Sequence[Record]]]:
        """Split the batch at block boundaries; nearly every batch is within one block."""
        size = self.horizon.block_size
        if fresh and fresh[0].offset // size == fresh[-1].offset // size:
            yield fresh[0].offset // size, fresh
            return
        for block, run in groupby(fresh, key=lambda record: record.offset // size):
            yield block, list(run)

    def _prepare_run(self, block: int, run: Sequence[Record], prepared: PreparedBatch) -> None:
        """Decode and judge a run within one block, and add its changes to the prepared batch."""
        read = self._reader.read(run, self.next_offset, prepared.letters)
        verdicts = self.horizon.classify(block, read.identities, read.payloads)
        read.gather(verdicts, self.next_offset, prepared)

    def _open_pages(self, prepared: PreparedBatch) -> None:
        """Open the pages that the batch will change; pages that ClickHouse may have are missing until loaded."""
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
        """Open pages with what ClickHouse has (see PageCache.load)."""
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
                self._attributed.clear()  # writing a row again writes the same row
            self._attributed.add(row.values[0])
            self._rows.setdefault(row.table, []).append(row.values)

    # -- a flush -------------------------------------------------------------------------------------------

    @property
    def unflushed(self) -> int:
        """The number of rows and letters to be flushed."""
        tables = sum(table.unflushed for table in self.tables.values())
        return tables + sum(map(len, self._rows.values())) + len(self._letters)

    @property
    def open_cells(self) -> int:
        """The number of cells in memory."""
        return sum(table.open_cells for table in self.tables.values())

    def snapshot(self) -> Snapshot:
        """Take all changes and the place at this instant. The position row must be written after everything else."""
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
        """Evict pages that were idle for `idle_rounds` flushes; return their number."""
        keep = self.pending.pages if self.pending else {}
        return sum(table.evict(idle_rounds, keep.get(declaration, ())) for declaration, table in self.tables.items())
