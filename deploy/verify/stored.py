"""Reads the tables from ClickHouse as plain rows: texts, integers and lists, streamed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from deploy.errors import ExitCode, UserError

CHUNK_BYTES = 1 << 18


class Stored:
    """What one database holds. Rows come as lists of JSON values in the order of the columns that were asked for."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def epochs(self) -> dict[str, int]:
        """The present epoch of each topic that was ever given a new one."""
        return {row[0]: row[1] for row in self.rows("SELECT topic, max(epoch) FROM topic_epochs GROUP BY topic")}

    def positions(self) -> dict[str, int]:
        """Where each source stands: everything below is in the tables."""
        query = "SELECT source, max(next_offset) FROM source_positions GROUP BY source"
        return {row[0]: row[1] for row in self.rows(query)}

    def sources_of(self, table: str) -> dict[str, int]:
        """How many rows each source has in `table`, which is one of Tally's."""
        return {row[0]: row[1] for row in self.rows(f"SELECT source, count() FROM {table} GROUP BY source")}  # noqa: S608

    def cells(self, table: str, columns: Sequence[str], sources: Sequence[str], since: str = "") -> Iterator[list[Any]]:
        """The settled rows of `table` of these sources; `since` bounds the minutes of live counters."""
        query = f"SELECT {', '.join(columns)} FROM {table} FINAL {_of(since)}"  # noqa: S608 - constants
        return self.rows(query, _parameters(sources, since))

    def sums(
        self, table: str, key: Sequence[str], counters: Sequence[str], sources: Sequence[str], since: str = ""
    ) -> Iterator[list[Any]]:
        """The counters of `table` added up over its sources, by `key`."""
        summed = ", ".join(f"sum({counter})" for counter in counters)
        names = ", ".join(key)
        query = f"SELECT {names}, {summed} FROM {table} FINAL {_of(since)} GROUP BY {names}"  # noqa: S608 - constants
        return self.rows(query, _parameters(sources, since))

    def rows(self, query: str, parameters: Mapping[str, Any] | None = None) -> Iterator[list[Any]]:
        """The rows of a query, streamed. Raises UserError when the answer breaks off."""
        stream = self._client.raw_stream(
            query,
            parameters=dict(parameters or {}),
            settings={"output_format_json_quote_64bit_integers": 0},
            fmt="JSONCompactEachRow",
        )
        try:
            for line in _lines(stream):
                yield _row(line)
        finally:
            stream.close()


def _of(since: str) -> str:
    recent = " AND minute >= {since:DateTime('UTC')}" if since else ""
    return "WHERE source IN {sources:Array(String)}" + recent


def _parameters(sources: Sequence[str], since: str) -> dict[str, Any]:
    return {"sources": list(sources), **({"since": since} if since else {})}


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


def _broken(line: bytes) -> UserError:
    said = line[:200].decode(errors="replace")
    return UserError(f"ClickHouse broke off in the middle of an answer: {said}", "Try again.", ExitCode.UNREACHABLE)
