"""Threads for what blocks: so many in all, fewer for one owner, so that nobody who asks a lot keeps others waiting.

Some places are kept for owners who have none, so that several who ask a lot at once leave room for a page or a small
question of any other. Owners who wait are let in by turns. A place is given back when its work has really ended, not
when whoever waited for it gave up: what is abandoned still counts, so there are never more threads than places. They
end with the process, whatever they wait for.
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
"""For whom a request asks: an organization or an operator once it is known, before that the address."""


def in_thread(work: Callable[[], T]) -> "Future[T]":
    """`work` in a thread of its own."""
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
    """At most `most` at a time, `most_of_one` for one owner; `kept` of them for owners who have no other. Who comes
    later waits."""

    def __init__(self, most: int = 24, most_of_one: int = 4, kept: int = 8) -> None:
        self._most, self._most_of_one, self._kept = most, most_of_one, kept
        self._busy: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def run(self, work: Callable[[], T], whose: str) -> T:
        """What `work` gives, in a thread that counts for this owner."""
        await self._place(whose)
        loop = asyncio.get_running_loop()

        def ended(_: "Future[T]") -> None:
            with suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(self._give_back, whose)

        future = in_thread(work)
        future.add_done_callback(ended)
        return await asyncio.wrap_future(future)

    async def _place(self, whose: str) -> None:
        """A place for this owner; whoever stops waiting has none."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(turn)
        self._let_in()
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._leave(whose, turn)
            else:  # it came just when nobody wanted it any more
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
        self._let_in()

    def _let_in(self) -> None:
        """Let in whoever may; an owner comes last from then on."""
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
