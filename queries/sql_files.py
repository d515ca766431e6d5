"""SQL in files of its own: each is named after the one function that asks it."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

LONGEST_SECONDS = 20
"""Whoever asks has gone by then, so ClickHouse need not go on."""

SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    "join_use_nulls": 0,
    "wait_end_of_query": 1,  # an answer that fails half way must be an error, not a short list
    "max_execution_time": LONGEST_SECONDS,
}

PARTS_CHANGED = 395
"""ClickHouse's code for throwIf: a day came into a second part while its sums were read (016_days_of_usage.sql)."""

MOST_TRIES = 10
"""How often that may happen to one answer. It takes an insert within the milliseconds between two looks, each time."""

Row = dict[str, Any]


@cache
def load_sql(path: Path) -> str:
    """The text of an SQL file."""
    return path.read_text()


def fetch(client: Client, path: Path, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """The answer of an SQL file, by column name. Values reach ClickHouse as parameters only, never within the text."""
    return list(_query(client, path, parameters).named_results())


def fetch_rows(client: Client, path: Path, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """The same, by the columns' places."""
    rows: Sequence[Sequence[Any]] = _query(client, path, parameters).result_rows
    return rows


def fetch_bytes(client: Client, path: Path, parameters: Mapping[str, Any]) -> bytes:
    """The same in ClickHouse's RowBinary, for many rows of a fixed width."""
    found: bytes = client.raw_query(load_sql(path), dict(parameters), SETTINGS, fmt="RowBinary")
    return found


def _query(client: Client, path: Path, parameters: Mapping[str, Any] | None) -> Any:
    """The answer; asked again when the cells moved under it. Then it is an error, since no number is right."""
    for _ in range(MOST_TRIES - 1):
        try:
            return client.query(load_sql(path), parameters=dict(parameters or {}), settings=SETTINGS)
        except ClickHouseError as error:
            if getattr(error, "code", None) != PARTS_CHANGED:
                raise
    return client.query(load_sql(path), parameters=dict(parameters or {}), settings=SETTINGS)
