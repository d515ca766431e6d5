"""State that belongs to a database client and lives as long as the client."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from clickhouse_connect.driver.client import Client

T = TypeVar("T")


class PerClient(Generic[T]):
    """One object per client, made on first use and dropped with the client. Safe to share among threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[Client, T] = WeakKeyDictionary()
        self._lock = Lock()

    def __call__(self, client: Client) -> T:
        """Return the client's object."""
        with self._lock:
            if client not in self._made:
                self._made[client] = self._make()
            return self._made[client]
