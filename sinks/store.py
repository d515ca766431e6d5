"""A worker's state in ClickHouse: cells, dimension rows, and the position of each source.

Every call blocks until ClickHouse has responded; the caller runs them in a thread. Nothing here retries.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from clickhouse_connect.driver.client import Client

from aggregators.cell_rows import CellRows, PageKey
from aggregators.cell_tables import CELL_TABLES, ROW_TABLES, CellTable
from aggregators.windows import WINDOW_PARSE, WINDOW_TEXT
from sinks.client import insert_cells, insert_rows
from sinks.datetimes import clickhouse_timestamp
from sinks.positions import Position

COLUMNS: dict[str, tuple[str, ...]] = {
    **{declaration.name: declaration.columns for declaration in CELL_TABLES},
    **ROW_TABLES,
}

IDENTITY = """
SELECT
    toString(uuid),
    (SELECT toString(arraySort(groupArray((topic, epoch))))
        FROM (SELECT topic, max(epoch) AS epoch FROM topic_epochs GROUP BY topic)),
    (SELECT count() FROM accepted_losses)
FROM system.tables WHERE database = currentDatabase() AND name = 'source_positions'
"""

FORGOTTEN = """
SELECT told.organization_id, told.account_id, told.source, told.log_offset
FROM profiles AS told INNER JOIN forgettings ON forgettings.account_id = told.account_id
WHERE NOT told.forgotten AND told.log_place < forgettings.log_place
"""
ERASE = f"""
ALTER TABLE profiles DELETE
WHERE NOT forgotten AND (organization_id, account_id, source, log_offset) IN ({FORGOTTEN})
"""

ACCOUNT, IS_FORGOTTEN, SOURCE, LOG_OFFSET = (
    ROW_TABLES["profiles"].index(column) for column in ("account_id", "forgotten", "source", "log_offset")
)

PAGES_A_QUERY = 100
"""Pages per read-back query: its parameters are part of the URL, whose length servers limit."""


WHOLE = {"wait_end_of_query": 1, "do_not_merge_across_partitions_select_final": 1}
"""A result that fails half way must be an error: taken as complete, it would give cells without their past."""


class Store:
    """Cells and positions of one database."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def database_identity(self) -> str:
        """Return the identity of the database; when it changes, sources must be reassigned.

        It consists of the UUID of the positions table (which differs in another, restored or recreated database), the
        epochs of all topics, and the number of accepted losses.
        """
        return " ".join(str(part) for row in self.client.query(IDENTITY).result_rows for part in row)

    def epochs(self) -> dict[str, int]:
        """Return the current epoch of each topic that is past its first."""
        rows = self.client.query("SELECT topic, max(epoch) FROM topic_epochs GROUP BY topic").result_rows
        return {str(topic): int(epoch) for topic, epoch in rows}

    def positions(self, sources: Collection[str] | None = None) -> dict[str, Position]:
        """Return the positions of these sources (None: all); a source without a row is absent."""
        chosen = "WHERE source IN {sources:Array(String)}" if sources is not None else ""
        sql = f"""
            SELECT source, max(next_offset), max(watermark), max(fold_version), max(last_record)
            FROM source_positions {chosen} GROUP BY source
        """  # noqa: S608 - a constant fragment; the values are parameters
        parameters = {"sources": sorted(sources)} if sources is not None else None
        rows = self.client.query(sql, parameters=parameters).result_rows
        return {row[0]: Position(row[0], int(row[1]), _aware(row[2]), int(row[3]), row[4]) for row in rows}

    def first_unwritten(self, sources: Collection[str]) -> dict[str, dict[str, int]]:
        """Return, for each source and table of cells, the first window for which ClickHouse has nothing."""
        found: dict[str, dict[str, int]] = {source: {} for source in sources}
        for declaration in CELL_TABLES:
            window = declaration.window
            sql = f"""
                SELECT source, toString(max({window})) FROM {declaration.name}
                WHERE source IN {{sources:Array(String)}} GROUP BY source
            """  # noqa: S608 - names from the declaration; the values are parameters
            for source, newest in self.client.query(sql, parameters={"sources": sorted(sources)}).result_rows:
                found[source][declaration.name] = WINDOW_PARSE[window](newest) + 1
        return found

    def read_pages(self, declaration: CellTable, source: str, pages: Iterable[PageKey]) -> list[Sequence[Any]]:
        """Return the cells of these pages as (organization, window text, *key, log_offset, *counters), ids as text."""
        rows: list[Sequence[Any]] = []
        for chunk in _chunks(pages, PAGES_A_QUERY):
            rows += self._read_chunk(declaration, source, chunk)
        return rows

    def _read_chunk(self, declaration: CellTable, source: str, pages: Sequence[PageKey]) -> Sequence[Sequence[Any]]:
        window = declaration.window
        text = WINDOW_TEXT[window]
        columns = ", ".join(_as_folded(column) for column in declaration.columns[1:])
        kind = "Date" if window == "day" else "DateTime('UTC')"
        sql = f"""
            SELECT {columns} FROM {declaration.name} FINAL
            WHERE source = {{source:String}} AND (organization_id, {window}) IN (
                SELECT toUUID(page.1), page.2
                FROM (SELECT arrayJoin(arrayZip({{organizations:Array(String)}}, {{windows:Array({kind})}})) AS page)
            )
        """  # noqa: S608 - names from the declaration; the values are parameters
        parameters = {
            "source": source,
            "organizations": [organization for organization, _ in pages],
            "windows": [text(number) for _, number in pages],
        }
        rows: Sequence[Sequence[Any]] = self.client.query(sql, parameters=parameters, settings=WHOLE).result_rows
        return rows

    def write(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert whole rows of a table, in the order of its columns; returns when they are confirmed."""
        if isinstance(rows, CellRows):
            insert_cells(self.client, rows)
        elif table == "profiles":
            self._write_profiles(rows)
        else:
            insert_rows(self.client, table, COLUMNS[table], rows)

    def _write_profiles(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write tombstones, erase what they forget, then write the remaining rows.

        Of an account's rows ClickHouse keeps the newest by its own time. A row from before a tombstone may have a later
        time than a row from after it; it would replace that row and then be erased, and nothing would be left.
        """
        forgotten = {(row[SOURCE], row[ACCOUNT]): row[LOG_OFFSET] for row in rows if row[IS_FORGOTTEN]}
        tombstones = [row for row in rows if row[IS_FORGOTTEN]]
        told = [
            row
            for row in rows
            if not row[IS_FORGOTTEN] and row[LOG_OFFSET] > forgotten.get((row[SOURCE], row[ACCOUNT]), -1)
        ]
        for some in filter(None, (tombstones, told)):
            insert_rows(self.client, "profiles", COLUMNS["profiles"], some)
            self._erase_forgotten()

    def _erase_forgotten(self) -> None:
        """Erase the profiles that are before a tombstone of their account in the log.

        The partition with the older of the two may be written last, so this runs after either.
        """
        (found,) = self.client.query(f"SELECT count() FROM ({FORGOTTEN})").result_rows[0]  # noqa: S608 - a constant
        if found:
            self.client.command(ERASE, settings={"mutations_sync": 2})

    def write_positions(self, positions: Sequence[Position]) -> None:
        """Store the positions of sources. Call it after everything that the positions cover is confirmed."""
        rows = [
            (row.source, row.next_offset, _millis(row.watermark), row.fold_version, row.last_record)
            for row in positions
        ]
        columns = ("source", "next_offset", "watermark", "fold_version", "last_record")
        insert_rows(self.client, "source_positions", columns, rows)

    def write_epoch(self, topic: str, epoch: int, mode: str, started_at: datetime) -> None:
        """Start an epoch of a topic; `mode` is 'continue' or 'replace'. Running workers reassign their sources."""
        columns = ("topic", "epoch", "mode", "started_at")
        insert_rows(self.client, "topic_epochs", columns, [(topic, epoch, mode, _millis(started_at))])

    def accept_loss(self, position: Position, next_offset: int, accepted_at: datetime) -> None:
        """Move a source to `next_offset` without the records below it. Running workers reassign their sources.

        The position is written first: a worker that sees the loss must find the position there.
        """
        self.write_positions([replace(position, next_offset=next_offset)])
        columns = ("source", "from_offset", "to_offset", "accepted_at")
        loss = (position.source, position.next_offset, next_offset, _millis(accepted_at))
        insert_rows(self.client, "accepted_losses", columns, [loss])


def _as_folded(column: str) -> str:
    """Return the SELECT expression for a column in the form that the fold uses: ids and windows as text."""
    textual = column.endswith("_id") or column in ("hour", "day", "minute")
    return f"toString({column})" if textual else column


def _millis(moment: datetime) -> str:
    return clickhouse_timestamp(moment, "milliseconds")


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _chunks(pages: Iterable[PageKey], size: int) -> Iterator[list[PageKey]]:
    remaining = iter(sorted(pages))
    while chunk := list(islice(remaining, size)):
        yield chunk
