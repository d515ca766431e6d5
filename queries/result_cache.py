"""A cache of query results in the process, which never returns a stale result.

A result is stored with the state of everything it depends on (data_version.py). The state is read before the result,
and the result is reused only while the state is unchanged; then every row of every table it was read from is unchanged
too. So a late event, a replaced epoch, a price, a discount, a new name or a forgotten person takes effect with the next
request. A result that is not cached or no longer valid is queried again: the cache affects latency, never content.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from threading import Lock
from typing import Any, TypeVar

from cachetools import LRUCache
from clickhouse_connect.driver.client import Client

from queries.data_version import parts_digest
from queries.per_client import PerClient

T = TypeVar("T")

MOST_ROWS = 20_000
"""The number of cached rows, each at most 5 kB; the least recently used result is evicted first."""


class ResultCache:
    """Cached results, safe to share among threads."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._answers = LRUCache[bytes, tuple[str, Sequence[Any]]](most_rows, lambda kept: _weight(kept[1]))
        self._lock = Lock()

    def get_or_compute(self, question: Hashable, state: str, read: Callable[[], Sequence[T]]) -> Sequence[T]:
        """Return the cached result if it has this state, and otherwise the one that `read` returns now.

        The caller must have read `state` before this call. If `read` sees newer rows, their state differs by then, so
        the result is not reused.
        """
        asked = _digest(question)
        with self._lock:
            found = self._answers.get(asked)
        if found is not None and found[0] == state:
            return found[1]
        answer = read()
        with self._lock:
            self._answers.pop(asked, None)
            with suppress(ValueError):  # it is larger than the whole cache
                self._answers[asked] = (state, answer)
        return answer


def _digest(question: Hashable) -> bytes:
    """Return a query's cache key. A query may be 50 kB long, and there are as many queries as cached results."""
    return sha256(repr(question).encode("utf-8", "backslashreplace")).digest()


def _weight(answer: Sequence[Any]) -> int:
    """Return the rows of a result plus the elements of lists in them (all active people are one row); at least 1."""
    return 1 + sum(1 + sum(len(value) for value in _columns(row) if isinstance(value, list)) for row in answer)


def _columns(row: Any) -> Iterable[Any]:
    return row if isinstance(row, (tuple, list)) else ()


cache_for = PerClient(ResultCache)
"""The results cached for the database that a client reads."""


def cached_while_unchanged(client: Client, question: Hashable, read: Callable[[], Sequence[T]]) -> Sequence[T]:
    """Return the result of a query whose dependencies are not known: it is reused while no table changes at all.

    For queries of the tables in WATCHED (dependencies.py) only. Raises ClickHouseError.
    """
    parts = parts_digest(client)
    return cache_for(client).get_or_compute(question, parts, read) if parts else read()
