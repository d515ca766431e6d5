"""The ClickHouse engine in this process (chdb): connections, statements, streamed results and inserts.

Everything here blocks; the server calls it from threads. A connection costs about 0.3 ms, so each request gets a new
one, and everything that a statement sets or uses ends with its request.
"""

import json
import os
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from deploy.embedded.clickhouse_config import write_config
from deploy.embedded.clickhouse_formats import has_header, header_of, joins
from deploy.embedded.clickhouse_sql import Facts, facts_of
from files.locks import try_lock

_NOT_STREAMABLE = "Streaming query is not supported"


class ClickHouseError(Exception):
    """A statement that the engine refused: ClickHouse's numeric code and its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class PathInUse(RuntimeError):
    """Another server uses the data directory."""


@dataclass(frozen=True)
class Request:
    """A statement and the context in which to run it; `parameters` are the values of `{name:Type}`."""

    sql: bytes
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    default_format: str = "TabSeparated"
    read_only: bool = False
    query_id: str = ""

    @cached_property
    def facts(self) -> Facts:
        """Facts from the statement's tokens. Long statements take time: see `read_tokens`."""
        return facts_of(self.sql)

    @property
    def format(self) -> str:
        """The format of its result."""
        return self.facts.format or self.default_format


@dataclass
class Summary:
    """Rows and bytes that a statement has read and written so far."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0

    def add(self, result: Any) -> None:
        """Add one of chdb's result objects."""
        self.read_rows += result.storage_rows_read()
        self.read_bytes += result.storage_bytes_read()
        self.written_rows += result.rows_written()
        self.written_bytes += result.bytes_written()
        self.result_rows += result.rows_read()
        self.result_bytes += result.size()


class Engine:
    """The engine over one data directory, which no other process may open at the same time."""

    def __init__(self, path: Path, memory: int) -> None:
        """Open `path`, creating it if necessary. Raises PathInUse.

        `memory` is the engine's limit in bytes; 0 is 40 % of the memory of the machine or container, which is also the
        maximum.
        """
        path.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(path)
        chdb = import_module("chdb._chdb")  # 0.2 s and 200 MB: only in a process that will serve

        config = write_config(path, memory)
        self._connect = chdb.connect
        self._path = str(path)
        # The first connection starts the engine and closing the last one stops it.
        self._keeper = chdb.connect(f"{path}?config-file={config}&log-level=warning")
        self.version: str = self._keeper.query("SELECT version()", "TSV").bytes().decode().strip()
        values = self._keeper.query("SELECT name, value FROM system.settings", "JSONCompact")
        self._values: dict[str, str] = dict(json.loads(values.bytes())["data"])

    def open(self, request: Request) -> Any:
        """Return a chdb connection set up for the request. Raises ClickHouseError."""
        refuse(request)
        connection = self._connect(self._path)
        try:
            with refusals():
                for statement in _preamble(request, self._values):
                    connection.query(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def kill(self, query_id: str) -> None:
        """Cancel the statement with this id, if there is one."""
        connection = self._connect(self._path)
        try:
            connection.query(f"KILL QUERY WHERE Settings['log_comment'] = {quoted(query_id)}")
        finally:
            connection.close()

    def close(self) -> None:
        """Stop the engine: background work ends, files are closed."""
        self._keeper.close()
        os.close(self._lock)


def _lock(path: Path) -> int:
    lock = os.open(path / "tally-engine.lock", os.O_RDWR | os.O_CREAT, 0o644)
    if not try_lock(lock):
        holder = os.read(lock, 32).decode()
        os.close(lock)
        raise PathInUse(f"{path} is in use by another ClickHouse server (pid {holder}): stop it first")
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock


def _preamble(request: Request, values: Mapping[str, str]) -> Iterator[str]:
    if request.database:
        yield f"USE `{request.database.replace(chr(92), chr(92) * 2).replace('`', chr(92) + '`')}`"
    # A server does not accept bare expressions as statements. The comment identifies a running statement.
    settings = {**_to_set(request, values), "implicit_select": "0", "log_comment": request.query_id}
    settings |= {f"param_{name}": value for name, value in request.parameters.items()}
    if request.read_only:
        settings["readonly"] = "1"
    for name in settings:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ClickHouseError(115, f"Code: 115. DB::Exception: Unknown setting {name!r}. (UNKNOWN_SETTING)")
    yield "SET " + ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items())


def _to_set(request: Request, values: Mapping[str, str]) -> Mapping[str, str]:
    """Return the settings of a request without those that have their value: to set 70 takes longer than a short query.

    `compatibility` changes the others, except those that are set.
    """
    if b"compatibility" in request.sql or request.settings.get("compatibility"):
        return request.settings
    return {name: value for name, value in request.settings.items() if values.get(name) != value}


def refuse(request: Request) -> None:
    """Raise ClickHouseError for a statement that accesses files or programs, or that writes although it may only read.

    The grants of the engine's user restrict tables and table functions; this covers what needs no grant.
    """
    facts = request.facts
    if facts.reaches_out:
        raise ClickHouseError(
            497,
            f"Code: 497. DB::Exception: The embedded server opens no files and runs no programs, so it refuses a "
            f"statement with {facts.reaches_out}; send texts that contain the word as parameters. (ACCESS_DENIED)",
        )
    if request.read_only and not (facts.reads or facts.is_empty):
        raise ClickHouseError(164, "Code: 164. DB::Exception: A GET only reads: use POST. (READONLY)")


def quoted(text: str) -> str:
    """Return the text as a SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def refusals() -> Iterator[None]:
    """Turn chdb's RuntimeErrors into ClickHouseErrors with their code."""
    try:
        yield
    except RuntimeError as error:
        text = str(error).strip()
        if "READ ON FILE" in text:  # in `default` chdb takes any name as the name of a file
            text += " The embedded server opens no files; create tables in a database of your own, not in `default`."
        code = re.search(r"Code: (\d+)", text)
        raise ClickHouseError(int(code[1]) if code else 1002, text) from error


def run(connection: Any, request: Request, summary: Summary) -> Generator[bytes, None, None]:
    """Run a statement and yield its result in parts, which may be empty.

    Queries in a format whose blocks can be joined are streamed block by block, in constant memory. Raises
    ClickHouseError, possibly after some parts.
    """
    with refusals():
        if request.facts.may_stream and _joins(request):
            yield from _stream(connection, request, summary)
        else:
            yield _whole(connection, request, summary)


def _joins(request: Request) -> bool:
    array = "output_format_json_array_of_rows"  # puts brackets around all rows
    return joins(request.format) and array not in request.settings and array.encode() not in request.sql


def _stream(connection: Any, request: Request, summary: Summary) -> Generator[bytes, None, None]:
    try:
        cursor = connection.send_query(request.sql, request.default_format)
    except RuntimeError as error:
        if _NOT_STREAMABLE not in str(error):
            raise
        yield _whole(connection, request, summary)
        return
    header, finished = None, False
    try:
        while not finished:
            block = connection.streaming_fetch_result(cursor)
            finished = block.rows_read() == 0
            data = block.bytes()
            if header is None and finished and has_header(request.format):
                data = _whole(connection, request, summary)  # chdb returns no header without rows
            elif header is None:
                header = header_of(request.format, data)
            else:
                data = data.removeprefix(header)
            summary.add(block)
            yield data
    finally:
        if not finished:
            connection.streaming_cancel_query(cursor)


def _whole(connection: Any, request: Request, summary: Summary) -> bytes:
    if request.facts.inlined:  # the engine would accept the statement and drop the data
        raise ClickHouseError(
            48, "Code: 48. DB::Exception: The embedded server has no input() function. (NOT_IMPLEMENTED)"
        )
    if connection.classify_query(request.sql.decode())["statement_count"] > 1:
        raise ClickHouseError(62, "Code: 62. DB::Exception: Multi-statements are not allowed. (SYNTAX_ERROR)")
    result = connection.query(request.sql, request.default_format)
    summary.add(result)
    data: bytes = result.bytes()
    return data
