"""Threads of all organizations: who is let in, and in which order. Nothing here takes time."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.thread_pool import Threads


class House:
    """Threads whose work ends when it is told to; `came` says who was let in, in order."""

    def __init__(self, **sizes: int) -> None:
        self.threads = Threads(**sizes)
        self.came: list[str] = []
        self._came = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._ends: dict[str, threading.Semaphore] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, whose: str) -> "asyncio.Task[None]":
        """One more question of this owner."""
        end = self._ends.setdefault(whose, threading.Semaphore(0))

        def work() -> None:
            self.came.append(whose)
            self._loop.call_soon_threadsafe(self._came.set)
            end.acquire()

        task = asyncio.ensure_future(self.threads.run(work, whose))
        self._tasks.append(task)
        await self._settled()
        return task

    async def end(self, whose: str) -> None:
        """One question of this owner ends."""
        running = [task for task in self._tasks if not task.done()]
        self._ends[whose].release()
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        await self._settled()

    async def saw(self, how_many: int) -> list[str]:
        """Who came, once so many have."""
        while len(self.came) < how_many:
            await self._came.wait()
            self._came.clear()
        await self._settled()
        return self.came

    async def close(self) -> None:
        """All end."""
        for end in self._ends.values():
            end.release(len(self._tasks))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _settled(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


def in_a_house(visit: Callable[[House], Awaitable[Any]], **sizes: int) -> None:
    """Runs it."""

    async def run() -> None:
        house = House(**sizes)
        try:
            await visit(house)
        finally:
            await house.close()

    asyncio.run(run())


def test_some_places_are_kept_for_owners_who_have_none() -> None:
    async def visit(house: House) -> None:
        for whose in "aaabbb":
            await house.ask(whose)
        assert Counter(await house.saw(4)) == {"a": 2, "b": 2}
        for whose in "ccdd":
            await house.ask(whose)
        assert Counter(await house.saw(6)) == {"a": 2, "b": 2, "c": 1, "d": 1}

    in_a_house(visit, most=6, most_of_one=2, kept=2)


def test_owners_who_wait_are_let_in_by_turns() -> None:
    async def visit(house: House) -> None:
        for whose in "zaaabbc":
            await house.ask(whose)
        assert await house.saw(1) == ["z"]
        for number, ended in enumerate("zabca", 2):
            await house.end(ended)
            await house.saw(number)
        assert house.came == list("zabcab")

    in_a_house(visit, most=1, most_of_one=1, kept=0)


@pytest.mark.parametrize("how_many", [1, 3])
def test_who_waits_no_longer_takes_no_place(how_many: int) -> None:
    async def visit(house: House) -> None:
        await house.ask("a")
        given_up = [await house.ask("b") for _ in range(how_many)]
        await house.ask("c")
        for task in given_up:
            task.cancel()
        await house.end("a")
        assert await house.saw(2) == ["a", "c"]

    in_a_house(visit, most=1, most_of_one=1, kept=0)


def test_a_place_that_comes_too_late_is_given_back() -> None:
    """Let in and given up in the same turn of the loop."""

    async def visit(house: House) -> None:
        await house.ask("a")
        late = await house.ask("b")
        house.threads._give_back("a")  # what the end of its thread does, with nothing between this and the next line
        late.cancel()
        await house.ask("c")
        assert await house.saw(2) == ["a", "c"]

    in_a_house(visit, most=1, most_of_one=1, kept=0)
