"""What a process knows of a database, for as long as it has the client that reads it."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from clickhouse_connect.driver.client import Client

T = TypeVar("T")


class PerClient(Generic[T]):
    """One thing for each client, made when it is first asked for, forgotten with the client. Threads may share it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[Client, T] = WeakKeyDictionary()
        self._lock = Lock()

    def __call__(self, client: Client) -> T:
        """The client's one."""
        with self._lock:
            if client not in self._made:
                self._made[client] = self._make()
            return self._made[client]
