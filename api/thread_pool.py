"""A thread pool for blocking work with fair shares: limits in total and per owner, so that no owner can block others.

Some places are reserved for owners that hold none, so that a few busy owners leave places for a page or a small query
of any other. Waiting owners are served in turn. A place is given back when its work ends, not when the caller stops
waiting for it: abandoned work still counts, so there are never more threads than places. Threads are daemons, which
end with the process whatever they wait for.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

OWNER: ContextVar[str] = ContextVar("owner", default="")
"""The owner of a request's work: an organization or operator once it is known, before that the address."""


def in_thread(work: Callable[[], T]) -> "Future[T]":
    """Run `work` in a new thread."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


class Threads:
    """At most `most` threads at a time, and `most_of_one` per owner; `kept` places are reserved for owners that hold
    none. Further work waits."""

    def __init__(self, most: int = 24, most_of_one: int = 4, kept: int = 8) -> None:
        self._most, self._most_of_one, self._kept = most, most_of_one, kept
        self._busy: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def run(self, work: Callable[[], T], whose: str) -> T:
        """Return the result of `work`, run in a thread that counts for this owner."""
        await self._place(whose)
        loop = asyncio.get_running_loop()

        def ended(_: "Future[T]") -> None:
            with suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(self._give_back, whose)

        future = in_thread(work)
        future.add_done_callback(ended)
        return await asyncio.wrap_future(future)

    async def _place(self, whose: str) -> None:
        """Wait for a place for this owner; a cancelled wait takes none."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(turn)
        self._admit()
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._leave(whose, turn)
            else:  # the place was granted just as the wait was cancelled
                self._give_back(whose)
            raise

    def _leave(self, whose: str, turn: "asyncio.Future[None]") -> None:
        turns = self._waiting.get(whose, deque())
        with suppress(ValueError):
            turns.remove(turn)
        if not turns:
            self._waiting.pop(whose, None)

    def _give_back(self, whose: str) -> None:
        self._busy[whose] -= 1
        self._busy = +self._busy
        self._admit()

    def _admit(self) -> None:
        """Grant free places to waiting owners; an owner that gets one moves to the end of the queue."""
        while (whose := next((each for each in self._waiting if self._may(each)), None)) is not None:
            turns = self._waiting.pop(whose)
            turn = turns.popleft()
            if turns:
                self._waiting[whose] = turns
            if not turn.cancelled():
                turn.set_result(None)
                self._busy[whose] += 1

    def _may(self, whose: str) -> bool:
        own = self._busy[whose]
        open_to_them = self._most - (self._kept if own else 0)
        return own < self._most_of_one and self._busy.total() < open_to_them
