"""Streaming of long results, row by row."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from queries.errors import RefusedError
from queries.sql_files import load_sql

PIECE = 1 << 19
"""Bytes per read from a result: some thousand rows, so that the overhead per row is small."""


SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    "join_use_nulls": 0,
    "output_format_decimal_trailing_zeros": 0,
    # The result is sorted last, so nothing is sent until all of it is computed. A sort over a large organization's
    # quarter must spill to disk rather than fail.
    "max_bytes_before_external_sort": 1 << 30,
    "max_bytes_before_external_group_by": 1 << 30,
}


def stream_rows(client: Client, path: Path, parameters: Mapping[str, Any], width: int) -> Iterator[list[Any]]:
    """Yield the rows of an SQL file's query as lists of `width` cells, in order.

    Raises RefusedError or HTTPError if the stream breaks off.
    """
    for lines in whole_lines(client, path, parameters, "JSONCompactEachRow"):
        for line in lines[:-1].split(b"\n"):
            yield _row(line, width)


def whole_lines(client: Client, path: Path, parameters: Mapping[str, Any], form: str) -> Generator[bytes]:
    """Yield a result in chunks of whole lines.

    Raises RefusedError if the result does not end with a line break, because then it was cut off.
    """
    stream = client.raw_stream(load_sql(path), parameters=dict(parameters), settings=SETTINGS, fmt=form)
    try:
        rest = b""
        while piece := stream.read(PIECE):
            text = rest + piece
            end = text.rfind(b"\n") + 1
            rest = text[end:]
            if end:
                yield text[:end]
        if rest:
            raise broken_off(repr(rest[:200]))
    finally:
        stream.close()


def _row(line: bytes, width: int) -> list[Any]:
    """Parse one row. ClickHouse writes an error that occurs after the first rows into the body, where it is no row."""
    try:
        cells = orjson.loads(line)
    except orjson.JSONDecodeError:
        cells = None
    if not isinstance(cells, list) or len(cells) != width:
        raise broken_off(repr(line[:300]))
    return cells


def broken_off(what: str) -> RefusedError:
    """Return the error for a truncated result; `what` is its last chunk or the error of its reader."""
    return RefusedError(f"ClickHouse broke off in the middle of a report: {what}", "Try again.")
