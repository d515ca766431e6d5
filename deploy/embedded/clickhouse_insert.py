"""Inserts into the embedded ClickHouse whose data arrives in parts."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any

from deploy.embedded.clickhouse_engine import ClickHouseError, Summary, refusals
from deploy.embedded.clickhouse_sql import InsertHead


class Insert:
    """An INSERT whose data arrives in parts. Nothing is confirmed before `finish` has returned.

    The data is collected in an unnamed file, and the engine reads it as INFILE: chdb's own streaming insert reports
    success when it has not written everything (a full disk, no memory), and confirmed data is never sent again.
    """

    def __init__(self, connection: Any, head: InsertHead) -> None:
        self._connection = connection
        self._head = head
        self._file = TemporaryFile()  # noqa: SIM115 - closed by finish or cancel

    def append(self, data: bytes) -> None:
        """Add the next bytes of data. Raises ClickHouseError if the disk is full."""
        with _room():
            self._file.write(data)

    def finish(self, summary: Summary) -> None:
        """Commit. On return every row is in the table. Raises ClickHouseError."""
        with self._file as file, _room(), refusals():
            file.seek(0)
            source = f" FROM INFILE '/dev/fd/{file.fileno()}' COMPRESSION 'none' ".encode()
            end = b" FORMAT " + self._head.format.encode()
            if self._head.format.upper() == "VALUES":  # only rows, no expressions, which would not be checked
                self._connection.query("SET input_format_values_interpret_expressions = 0")
            summary.add(self._connection.query((self._head.statement + source + self._head.settings + end).decode()))

    def cancel(self) -> None:
        """Discard the data; nothing is written."""
        self._file.close()


@contextmanager
def _room() -> Iterator[None]:
    """Turn a full disk for temporary files into a server's error for it."""
    try:
        yield
    except OSError as error:
        raise ClickHouseError(243, f"Code: 243. DB::Exception: {error.strerror}. (NOT_ENOUGH_SPACE)") from error
