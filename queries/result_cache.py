"""A cache of query results in the process, which never returns a stale result.

A result is stored with the state of everything it depends on (data_version.py). The state is read before the result,
and the result is reused only while the state is unchanged; then every row of every table it was read from is unchanged
too. So a late event, a replaced epoch, a price, a discount, a new name or a forgotten person takes effect with the next
request. A result that is not cached or no longer valid is queried again: the cache affects latency, never content.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from hashlib import sha256
from threading import Lock
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from queries.data_version import parts_digest
from queries.per_client import PerClient

T = TypeVar("T")

MOST_ROWS = 20_000
"""The number of cached rows, each at most 5 kB; the least recently used result is evicted first."""


class ResultCache:
    """Cached results, safe to share among threads."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._rows = 0
        self._answers: OrderedDict[bytes, tuple[str, Sequence[Any]]] = OrderedDict()
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
                self._answers.move_to_end(asked)
                return found[1]
        answer = read()
        with self._lock:
            self._forget(asked)
            self._keep(asked, state, answer)
        return answer

    def _keep(self, question: bytes, state: str, answer: Sequence[Any]) -> None:
        if _weight(answer) > self._most_rows:
            return
        self._answers[question] = (state, answer)
        self._rows += _weight(answer)
        while self._rows > self._most_rows:
            self._forget(next(iter(self._answers)))

    def _forget(self, question: bytes) -> None:
        found = self._answers.pop(question, None)
        if found is not None:
            self._rows -= _weight(found[1])


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
