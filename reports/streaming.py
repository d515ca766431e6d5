"""Rows of a long answer, one at a time, and files that are hashed while they are written."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from clickhouse_connect.driver.client import Client

from reports.errors import ReportError
from reports.queries import statement

CHUNK = 1 << 16

SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    "join_use_nulls": 0,
    "output_format_decimal_trailing_zeros": 0,
    # The result is sorted last, so nothing is sent before all of it is known; a sort of a large organization's
    # quarter spills to disk rather than fail.
    "max_bytes_before_external_sort": 1 << 30,
    "max_bytes_before_external_group_by": 1 << 30,
}


class Hashed:
    """A sink that hashes what it passes on. It only ever appends, so any stream will do behind it."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self._written = 0
        self.closed = False

    @property
    def sha256(self) -> str:
        """The hash of all that was written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Pass `data` on."""
        self._hash.update(data)
        self._sink.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._written

    def flush(self) -> None:
        """Pass on that whoever writes has come to an end."""
        self._sink.flush()


class HashedCsv:
    """RFC 4180 into `sink`, 64 KiB at a time; `close` writes the rest."""

    def __init__(self, sink: BinaryIO, header: Iterable[str]) -> None:
        self._sink = Hashed(sink)
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        self._writer.writerow(header)

    def add(self, cells: Iterable[str]) -> None:
        """Add one row."""
        self._writer.writerow(cells)
        if self._text.tell() > CHUNK:
            self._flush()

    def close(self) -> str:
        """Write what is left and return the SHA-256 of the whole file. The sink stays open."""
        self._flush()
        return self._sink.sha256

    def _flush(self) -> None:
        self._sink.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


def stream_rows(client: Client, path: Path, parameters: Mapping[str, Any], width: int) -> Iterator[list[Any]]:
    """The answer of an SQL file as lists of `width` cells, in order. A cut stream raises ReportError or HTTPError."""
    stream = client.raw_stream(
        statement(path), parameters=dict(parameters), settings=SETTINGS, fmt="JSONCompactEachRow"
    )
    try:
        for line in _lines(stream):
            yield _row(line, width)
    finally:
        stream.close()


def _lines(stream: Any) -> Iterator[bytes]:
    """The lines of a response body. A body that does not end with a line break was cut off."""
    rest = b""
    while chunk := stream.read(1 << 18):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        raise ReportError(f"ClickHouse broke off in the middle of a report: {rest[:200]!r}", "Try again.")


def _row(line: bytes, width: int) -> list[Any]:
    """One row; an error that ClickHouse wrote into the body after its first rows is no row."""
    try:
        cells = orjson.loads(line)
    except orjson.JSONDecodeError:
        cells = None
    if not isinstance(cells, list) or len(cells) != width:
        raise ReportError(f"ClickHouse broke off in the middle of a report: {line[:300]!r}", "Try again.")
    return cells
