"""The two file formats: CSV, and Parquet with decimal columns. Neither keeps more than some thousand rows in memory."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pricing.money import money_text
from queries.errors import RefusedError
from reports.exports.csv_cells import safe_text
from reports.exports.focus.columns import COLUMNS, NAMES, Kind, Value
from reports.exports.streaming import HashedCsv, HashingWriter

ROWS_IN_MEMORY = 16_384
ARROW_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.MOMENT: pa.timestamp("ms", tz="UTC"),
    # Every Parquet reader supports 38 digits: 14 for whole dollars, and all 24 that a net cost can have.
    Kind.MONEY: pa.decimal128(38, 24),
    Kind.QUANTITY: pa.decimal128(38, 6),
}
SCHEMA = pa.schema([(column.name, ARROW_TYPES[column.kind]) for column in COLUMNS])


class File(Protocol):
    """A file that rows are added to."""

    def add(self, row: list[Value]) -> None:
        """Add a row, with its cells in the order of COLUMNS."""

    def close(self) -> str:
        """Write the rest and return the SHA-256 of the whole file. The sink stays open."""


FileOf = Callable[[BinaryIO], File]


class CsvFile:
    """RFC 4180. Null is an empty cell, which no text is; a text that a spreadsheet would run gets an apostrophe."""

    def __init__(self, sink: BinaryIO) -> None:
        self._csv = HashedCsv(sink, NAMES)

    def add(self, row: list[Value]) -> None:
        """Add a row."""
        self._csv.add(map(_cell, row))

    def close(self) -> str:
        """Write the rest and return the hash."""
        return self._csv.close()


def _cell(value: Value) -> str:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, datetime):
        return _moment(value)
    return money_text(value) or ""


@lru_cache(maxsize=512)
def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class ParquetFile:
    """Parquet: moments as UTC timestamps, numbers as decimals, nulls as nulls."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = HashingWriter(sink)
        self._writer: Any = pq.ParquetWriter(pa.PythonFile(self._sink, mode="w"), SCHEMA, compression="zstd")
        self._rows: list[list[Value]] = []

    def add(self, row: list[Value]) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) == ROWS_IN_MEMORY:
            self._flush()

    def close(self) -> str:
        """Write the rest and return the hash."""
        self._flush()
        self._writer.close()
        return self._sink.sha256

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(COLUMNS)
        try:
            arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
        except pa.ArrowInvalid as error:
            raise RefusedError(f"A number is too large for Parquet's columns: {error}", "Export as CSV.") from error
        self._writer.write_batch(pa.record_batch(arrays, schema=SCHEMA))
        self._rows.clear()
