"""Streaming of long results in Arrow batches, and files that are hashed while they are written."""

import hashlib
import io
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import pyarrow as pa
import pyarrow.csv as pa_csv
from clickhouse_connect.driver.client import Client

from queries.streaming import broken_off, whole_lines
from reports.exports.csv_cells import csv_line
from reports.exports.text_columns import each_text

T = TypeVar("T")
CHUNK = 1 << 16


TSV = pa_csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False)
ESCAPED = re.compile(r"\\(.)")
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0", "'": "'", "\\": "\\"}
"""ClickHouse's escapes after a backslash. `\\N` (null) is not among them: these columns have no nulls."""


class HashingWriter:
    """A sink that hashes what it passes on. It only appends, so any stream can be behind it."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self._written = 0
        self.closed = False

    @property
    def sha256(self) -> str:
        """The hash of everything written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Pass `data` on."""
        self._hash.update(data)
        self._sink.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._written

    def flush(self) -> None:
        """Flush the sink."""
        self._sink.flush()


class HashedCsv:
    """RFC 4180 CSV into `sink`, 64 KiB at a time; `close` writes the rest."""

    def __init__(self, sink: BinaryIO, header: Iterable[str]) -> None:
        self._sink = HashingWriter(sink)
        self._text = io.StringIO(newline="")
        self.add(header)

    def add(self, cells: Iterable[str]) -> None:
        """Add a row."""
        self._text.write(csv_line(cells))
        if self._text.tell() > CHUNK:
            self._flush()

    def close(self) -> str:
        """Write the rest and return the SHA-256 of the whole file. The sink stays open."""
        self._flush()
        return self._sink.sha256

    def _flush(self) -> None:
        self._sink.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


def stream_columns(
    client: Client, path: Path, parameters: Mapping[str, Any], names: Sequence[str]
) -> Generator[pa.RecordBatch]:
    """Yield the result of an SQL file as text columns with these names, some thousand rows at a time, in order.

    No cell may be null. Raises RefusedError or HTTPError if the stream breaks off. A thread reads the next rows while
    the caller processes the current ones; it ends with the generator, which a caller that stops early must close.
    """
    with closing(whole_lines(client, path, parameters, "TabSeparated")) as pieces:
        yield from _ahead(_columns(lines, names) for lines in pieces)


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items, each produced in a thread while the one before is in use. The first one, which takes longest, is
    produced in the caller's thread, where the wait can be interrupted."""
    with ThreadPoolExecutor(1) as reader:
        item = next(items, None)
        while item is not None:
            coming = reader.submit(next, items, None)
            yield item
            item = coming.result()


def _columns(lines: bytes, names: Sequence[str]) -> pa.RecordBatch:
    """Parse whole lines into columns. Arrow's error names a line that does not fit, such as an error in the body."""
    read = pa_csv.ReadOptions(column_names=list(names), use_threads=False, block_size=len(lines))
    texts = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    try:
        rows = pa_csv.read_csv(pa.BufferReader(lines), read, TSV, texts).combine_chunks().to_batches()[0]
    except pa.ArrowInvalid as error:
        raise broken_off(str(error)) from error
    if b"\\" not in lines:
        return rows
    return pa.record_batch([each_text(column, _unescaped) for column in rows.columns], names=list(names))


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda escape: ESCAPES[escape[1]], text)
