"""SQL queries in files of their own, each named after the one function that runs it."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

LONGEST_SECONDS = 20
"""The caller has disconnected by then, so ClickHouse need not go on."""

SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    "join_use_nulls": 0,
    "wait_end_of_query": 1,  # a query that fails half way must be an error, not a short list
    "max_execution_time": LONGEST_SECONDS,
}

PARTS_CHANGED = 395
"""ClickHouse's code for throwIf: a day got a second part while its sums were read (the views in sinks/schema)."""

MOST_TRIES = 10
"""Attempts for one query. Each failure takes an insert within the milliseconds between two reads of the query."""

Row = dict[str, Any]


@cache
def load_sql(path: Path) -> str:
    """Return the text of an SQL file."""
    return path.read_text()


def fetch(client: Client, path: Path, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """Return the rows of an SQL file's query as dicts. Values reach ClickHouse as parameters, never in the text."""
    return list(_query(client, load_sql(path), parameters).named_results())


def fetch_rows(client: Client, query: Path | str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """Return the rows of a query, an SQL file's or a constant text, as sequences, in the order of its columns."""
    sql = query if isinstance(query, str) else load_sql(query)
    rows: Sequence[Sequence[Any]] = _query(client, sql, parameters).result_rows
    return rows


def fetch_bytes(client: Client, path: Path, parameters: Mapping[str, Any]) -> bytes:
    """Return the result of an SQL file's query in ClickHouse's RowBinary, for many rows of a fixed width."""
    found: bytes = client.raw_query(load_sql(path), dict(parameters), SETTINGS, fmt="RowBinary")
    return found


def _query(client: Client, sql: str, parameters: Mapping[str, Any] | None) -> Any:
    """Run the query, and run it again if cells moved between parts meanwhile.

    Raises ClickHouseError if that happens MOST_TRIES times, since no number would be right.
    """
    for _ in range(MOST_TRIES - 1):
        try:
            return client.query(sql, parameters=dict(parameters or {}), settings=SETTINGS)
        except ClickHouseError as error:
            if getattr(error, "code", None) != PARTS_CHANGED:
                raise
    return client.query(sql, parameters=dict(parameters or {}), settings=SETTINGS)
