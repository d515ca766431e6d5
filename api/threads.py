"""Threads for what blocks: so many in all, fewer for one owner, so that nobody who asks a lot keeps others waiting.

A place is given back when its work has really ended, not when whoever waited for it gave up: what is abandoned still
counts, so there are never more threads than places. They end with the process, whatever they wait for.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from typing import TypeVar
from weakref import WeakValueDictionary

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
    """At most `most` at a time, `most_of_one` for one owner; who comes later waits."""

    def __init__(self, most: int = 16, most_of_one: int = 4) -> None:
        self._most_of_one = most_of_one
        self._all = asyncio.Semaphore(most)
        self._shares: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def run(self, work: Callable[[], T], whose: str) -> T:
        """What `work` gives, in a thread that counts for this owner."""
        share = self._shares.setdefault(whose, asyncio.Semaphore(self._most_of_one))
        await share.acquire()
        try:
            await self._all.acquire()
        except BaseException:
            share.release()
            raise
        loop = asyncio.get_running_loop()

        def give_back() -> None:
            self._all.release()
            share.release()

        def ended(_: "Future[T]") -> None:
            with suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(give_back)

        future = in_thread(work)
        future.add_done_callback(ended)
        return await asyncio.wrap_future(future)
