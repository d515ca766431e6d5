"""Downloads: a thread writes a file while it is sent, with only a few chunks in between.

A reader that accepts nothing for a while is dropped, which frees its thread, query and client. Every organization and
viewer has a limited share of the threads, so neither a busy organization nor a slow reader can block others.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn, cast

from api.concurrency_limits import Shares
from api.principal import Viewer
from api.thread_pool import in_thread

PIECES = 4


class Gone(Exception):
    """The reader has disconnected or accepts no data."""


@dataclass
class Downloads:
    """Limits on concurrent downloads: in total, per organization and per viewer. `kept` of the total are reserved for
    organizations that have none. `stalled_seconds` is the longest time that a chunk may wait for its reader.
    """

    most: int = 32
    of_an_organization: int = 4
    of_a_viewer: int = 2
    kept: int = 8
    stalled_seconds: float = 60.0
    _shares: Shares = field(init=False)

    def __post_init__(self) -> None:
        self._shares = Shares("downloads", self.most, self.of_an_organization, self.of_a_viewer, self.kept)

    async def written(self, write: Callable[[BinaryIO], object], viewer: Viewer) -> AsyncIterator[bytes]:
        """Yield what `write` writes into its sink, chunk by chunk. Errors of `write` are raised here.

        An error after the first chunk breaks off the response, so that no browser takes a partial file for a whole one.
        Raises RateLimited or Unavailable before anything is written if no place is free.
        """
        self._shares.require(viewer)
        loop = asyncio.get_running_loop()
        pipe = _Pipe(self.stalled_seconds)

        def work() -> None:
            write(cast(BinaryIO, pipe))
            pipe.end()

        def ended(_: "Future[None]") -> None:
            with suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(self._shares.give_back, viewer)

        self._shares.acquire(viewer)
        writing = in_thread(work)
        writing.add_done_callback(ended)
        running = asyncio.wrap_future(writing)
        running.add_done_callback(lambda done: done.cancelled() or done.exception())  # a reader may be gone by then
        try:
            while (piece := await _next(pipe, running)) is not None:
                yield piece
        finally:
            pipe.leave()
        await running


class _Pipe:
    """A sink whose writer waits for its reader. Reports need only `write`."""

    def __init__(self, stalled_seconds: float) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
        self.gone = False
        self._left = asyncio.Event()
        self._stalled_seconds = stalled_seconds
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes) -> int:
        """Pass a chunk to the reader, from the writer's thread. Raises Gone if the reader does not accept it."""
        self._put(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: chunks are passed on immediately."""

    def end(self) -> None:
        """Signal the end of the data, and wait for the reader to take it all: until then it is in memory, so the
        writer keeps its place. Raises Gone if the reader accepts nothing."""
        self._put(None)
        leaving = asyncio.run_coroutine_threadsafe(self._left.wait(), self._loop)
        waiting = PIECES + 1
        while not self._is_done(leaving):
            if self.pieces.qsize() >= waiting:
                self._give_up(leaving)
            waiting = self.pieces.qsize()

    def _put(self, piece: bytes | None) -> None:
        if self.gone:
            raise Gone("the reader has disconnected")
        putting = asyncio.run_coroutine_threadsafe(self.pieces.put(piece), self._loop)
        if not self._is_done(putting):
            self._give_up(putting)

    def _is_done(self, future: "Future[Any]") -> bool:
        """Return False if the reader has not made this happen for as long as a chunk may wait."""
        try:
            future.result(self._stalled_seconds)
        except TimeoutError:
            return False
        return True

    def _give_up(self, future: "Future[Any]") -> NoReturn:
        self.gone = True
        future.cancel()
        raise Gone(f"the reader accepted nothing for {self._stalled_seconds:g} s")

    def leave(self) -> None:
        """Signal that the reader is gone or has everything, which ends a writer that waits for it."""
        self.gone = True
        self._left.set()
        while not self.pieces.empty():
            self.pieces.get_nowait()


async def _next(pipe: _Pipe, running: "asyncio.Future[None]") -> bytes | None:
    """Return the next chunk, or None at the end. Raises the writer's error if it failed before the next chunk."""
    getting = asyncio.ensure_future(pipe.pieces.get())
    either: set[asyncio.Future[Any]] = {getting, running}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if getting.done() or not pipe.pieces.empty():
        return await getting
    getting.cancel()
    await running  # it raises: a writer that succeeded has put None
    return None
