"""Answers that were given and still hold, remembered in the process.

An answer is remembered with the state of all that it was made of (state.py), which is read before the answer is, and
is given again only while the state is the same: then every row of every table that it was read from is the same. So a
late event, a replaced epoch, a price, a discount, a new name or a forgotten person takes effect with the next request.
What is not remembered, or no longer holds, is asked anew: that decides how fast an answer comes, never what it is.
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
"""How many rows are remembered, of 5 kB at most; what was not asked for longest gives way."""


class ResultCache:
    """Remembered answers, safe to share among threads."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._rows = 0
        self._answers: OrderedDict[bytes, tuple[str, Sequence[Any]]] = OrderedDict()
        self._lock = Lock()

    def get_or_compute(self, question: Hashable, state: str, read: Callable[[], Sequence[T]]) -> Sequence[T]:
        """The answer to the question: the remembered one if it is of this state, else what `read` says now.

        `state` must have been read before `read` is called: what `read` sees beyond it has another state by then, so
        the answer is never given again.
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
    """What a question is remembered by: one may be 50 kB long, and there are as many as rows."""
    return sha256(repr(question).encode("utf-8", "backslashreplace")).digest()


def _weight(answer: Sequence[Any]) -> int:
    """Its rows, and what their lists hold (who all the active people are is one row). No rows take room too."""
    return 1 + sum(1 + sum(len(value) for value in _columns(row) if isinstance(value, list)) for row in answer)


def _columns(row: Any) -> Iterable[Any]:
    return row if isinstance(row, (tuple, list)) else ()


cache_for = PerClient(ResultCache)
"""What is remembered of the database that a client reads."""


def cached_while_unchanged(client: Client, question: Hashable, read: Callable[[], Sequence[T]]) -> Sequence[T]:
    """The answer to a question of which nobody says what it is made of: remembered while no table changes at all.

    For tables that queries/table_parts.sql names. Raises ClickHouseError.
    """
    parts = parts_digest(client)
    return cache_for(client).get_or_compute(question, parts, read) if parts else read()
