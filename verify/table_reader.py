"""Reading of ClickHouse tables as plain rows: texts, integers and lists, streamed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from verify.errors import ReadFailed

CHUNK_BYTES = 1 << 18
SETTINGS = {"output_format_json_quote_64bit_integers": 0, "max_bytes_before_external_sort": 256 << 20}
WINDOW_TYPES = {"day": "Date", "hour": "DateTime('UTC')", "minute": "DateTime('UTC')"}
NUMBERS = frozenset({"log_offset", "is_remote"})
"""Key columns that sort as numbers. All others sort by the bytes of their text, as in Python."""


class TableReader:
    """The content of one database. Rows are lists of JSON values in the order of the selected columns; cells and other
    rows with a key are in its order."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def epochs(self) -> dict[str, int]:
        """Return the current epoch of each topic that was ever replaced."""
        return {row[0]: row[1] for row in self.rows("SELECT topic, max(epoch) FROM topic_epochs GROUP BY topic")}

    def positions(self) -> dict[str, int]:
        """Return the position of each source: everything below it is in the tables."""
        query = "SELECT source, max(next_offset) FROM source_positions GROUP BY source"
        return {row[0]: row[1] for row in self.rows(query)}

    def sources_of(self, table: str) -> dict[str, int]:
        """Return the number of rows of each source in `table`, which is one of Tally's."""
        return {row[0]: row[1] for row in self.rows(f"SELECT source, count() FROM {table} GROUP BY source")}  # noqa: S608

    def keyed(
        self, table: str, key: Sequence[str], values: Sequence[str], where: "Where | None" = None
    ) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
        """Yield the settled rows of `table`, by key."""
        asked = where or Where()
        columns = ", ".join((*key, *values))
        query = f"SELECT {columns} FROM {table} FINAL {asked.sql} ORDER BY {_order(key)}"  # noqa: S608 - constants
        return ((tuple(row[: len(key)]), row[len(key) :]) for row in self.rows(query, asked.parameters))

    def sums(
        self, table: str, key: Sequence[str], counters: Sequence[str], where: "Where"
    ) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
        """Yield the counters of `table` summed over its sources, by `key`."""
        summed = ", ".join(f"sum({counter})" for counter in counters)
        names = ", ".join(key)
        query = (
            f"SELECT {names}, {summed} FROM {table} FINAL {where.sql} "  # noqa: S608 - constants
            f"GROUP BY {names} ORDER BY {_order(key)}"
        )
        return ((tuple(row[: len(key)]), row[len(key) :]) for row in self.rows(query, where.parameters))

    def rows(self, query: str, parameters: Mapping[str, Any] | None = None) -> Iterator[list[Any]]:
        """Yield the rows of a query, streamed. Raises ReadFailed if the result breaks off."""
        stream = self._client.raw_stream(
            query,
            parameters=dict(parameters or {}),
            settings=SETTINGS,
            fmt="JSONCompactEachRow",
        )
        try:
            for line in _lines(stream):
                yield _row(line)
        finally:
            stream.close()


class Where:
    """A selection of rows: those of some sources, and of the windows from..until (an empty text leaves a side open)."""

    def __init__(
        self, sources: Sequence[str] | None = None, window: str = "", since: str = "", until: str = ""
    ) -> None:
        kind = WINDOW_TYPES.get(window, "")
        parts = {
            "source IN {sources:Array(String)}": sources is not None,
            f"{window} >= {{since:{kind}}}": since,
            f"{window} < {{until:{kind}}}": until,
        }
        said = [part for part, is_said in parts.items() if is_said]
        self.sql = f"WHERE {' AND '.join(said)}" if said else ""
        given = {
            "sources": sources if sources is None else list(sources),
            "since": since or None,
            "until": until or None,
        }
        self.parameters = {name: value for name, value in given.items() if value is not None}


def _order(key: Sequence[str]) -> str:
    return ", ".join(column if column in NUMBERS else f"toString({column})" for column in key)


def _lines(stream: Any) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        raise _broken(rest)


def _row(line: bytes) -> list[Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _broken(line) from None
    if not isinstance(row, list):
        raise _broken(line)
    return row


def _broken(line: bytes) -> ReadFailed:
    said = line[:200].decode(errors="replace")
    return ReadFailed(f"ClickHouse broke off in the middle of a result: {said}", "Try again.")
