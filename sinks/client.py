"""The ClickHouse client, over HTTP, and the classification of its errors: which ones are worth a retry."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception, stop_never, wait_exponential_jitter

from aggregators.cell_rows import CellRows
from sinks.native_format import cells_block
from sinks.query_settings import RELIED_ON, Setting
from sinks.strict_http import strict_pool

T = TypeVar("T")

TRANSIENT_CODES = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED
        164,  # READONLY: a replica that has lost its keeper
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        241,  # MEMORY_LIMIT_EXCEEDED: until other queries end
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE: until the operator frees some
        252,  # TOO_MANY_PARTS: until merges catch up
        285,  # TOO_FEW_LIVE_REPLICAS
        286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        319,  # UNKNOWN_STATUS_OF_INSERT
        425,  # SYSTEM_ERROR
        999,  # KEEPER_EXCEPTION
    }
)


ROWS_AN_INSERT = 25_000
"""Rows per INSERT: they are in memory twice as text, at 500 bytes each."""
CELLS_AN_INSERT = 50_000
"""Cells per INSERT, which are sent as columns of 200 bytes per row."""


def connect(
    url: str,
    user: str = "default",
    password: str = "",
    database: str = "tally",
    timeout: float = 30.0,
    settings: Mapping[str, Setting] = RELIED_ON,
) -> Client:
    """Return a client for the ClickHouse at `url` (http or https), safe to share among threads.

    It has no session, because a client with one refuses concurrent queries. A response that breaks off anywhere raises
    OperationalError (sinks/strict_http.py). `settings` are sent with each request, whatever the user's profile contains
    (sinks/query_settings.py). Raises ClickHouseError if the server cannot be reached or refuses the user.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme or "http", parts.hostname or "127.0.0.1"
    port = parts.port or (8443 if scheme == "https" else 8123)
    return clickhouse_connect.get_client(
        interface=scheme,
        host=host,
        port=port,
        username=user,
        password=password,
        database=database,
        autogenerate_session_id=False,
        connect_timeout=5,
        send_receive_timeout=timeout,
        query_limit=0,
        settings=dict(settings),
        pool_mgr=strict_pool(scheme, host, port),
    )


def create_database(url: str, user: str, password: str, database: str) -> None:
    """Create the database if it does not exist. The name is an identifier: letters, digits and underscores only."""
    if not database.isidentifier():
        raise ValueError(f"clickhouse_database is {database!r}: use only letters, digits and underscores")
    client = connect(url, user, password, "default")
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
    finally:
        client.close()


def is_transient(error: BaseException) -> bool:
    """Return True if a retry of the same call can help: ClickHouse is unavailable or reports a lack of resources.

    A timeout is transient and means "perhaps written"; rejected data is not.
    """
    if isinstance(error, OperationalError):
        return True
    if isinstance(error, DatabaseError):
        return getattr(error, "code", None) in TRANSIENT_CODES
    return isinstance(error, (ConnectionError, TimeoutError, OSError)) and not isinstance(error, ClickHouseError)


OnRetry = Callable[[BaseException, int], None]
"""Called before each wait, with the error and the number of the attempt that failed (from 1)."""


def retry_while_unavailable(call: Callable[[], T], on_retry: OnRetry) -> T:
    """Return the result of `call`, retried indefinitely on transient errors, 0.1 s to 3 s apart; others are raised."""
    return Retrying(**_retry_policy(on_retry))(call)


async def retry_async_while_unavailable(call: Callable[[], Awaitable[T]], on_retry: OnRetry) -> T:
    """Do the same without blocking the event loop. `call` is an `async def`: tenacity awaits no lambda's coroutine."""
    return await AsyncRetrying(**_retry_policy(on_retry), sleep=asyncio.sleep)(call)


def _retry_policy(on_retry: OnRetry) -> dict[str, Any]:
    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            on_retry(error, state.attempt_number)

    return {
        "retry": retry_if_exception(is_transient),
        "wait": wait_exponential_jitter(multiplier=0.1, max=3, jitter=0.1),
        "stop": stop_never,
        "before_sleep": before_sleep,
        "reraise": True,
    }


def insert_rows(client: Client, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert `rows` (JSON-able values in the order of `columns`) into `table` as JSONCompactEachRow.

    Returns when ClickHouse has confirmed all of them. A timeout means "perhaps written", in whole or in part: the
    caller sends the same rows again.
    """
    for start in range(0, len(rows), ROWS_AN_INSERT):
        body = b"\n".join(map(orjson.dumps, rows[start : start + ROWS_AN_INSERT]))
        client.raw_insert(table, list(columns), body, fmt="JSONCompactEachRow")


def insert_cells(client: Client, rows: CellRows) -> None:
    """Insert cells into their table, with the guarantees of `insert_rows`."""
    for start in range(0, len(rows), CELLS_AN_INSERT):
        some = rows[start : start + CELLS_AN_INSERT]
        client.raw_insert(rows.declaration.name, list(rows.declaration.columns), cells_block(some), fmt="Native")
