"""A file that is written in a thread and sent while it is written: a few pieces wait between the two, never all.

A reader who takes nothing for a while is given up, so its thread, query and client come back; nobody has more than a
share of the threads, so no organization and no slow reader keeps others from theirs.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from api.concurrency_limits import Shares
from api.principal import Viewer
from api.thread_pool import in_thread

PIECES = 4


class Gone(Exception):
    """Nobody reads any more, or whoever does takes nothing."""


@dataclass
class Downloads:
    """How many files are written at a time: in all, for one organization, for one viewer; `kept` of all are for
    organizations that have none. `stalled_seconds` is how long a written piece may wait until its reader has taken one.
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
        """What `write` writes into the sink that it is given, piece by piece. What it raises is raised here.

        An error after the first piece breaks the answer off, so that no browser takes half a file for a whole one.
        Raises RateLimited or Unavailable before anything is written when there is no place.
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
    """A sink whose writer waits for its reader. Only `write`, which is all that reports ask of a sink."""

    def __init__(self, stalled_seconds: float) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
        self.gone = False
        self._stalled_seconds = stalled_seconds
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes) -> int:
        """Pass a piece on, from the writer's thread. Raises Gone when nobody takes it."""
        self._put(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Every piece is passed on at once."""

    def end(self) -> None:
        """There is no more."""
        self._put(None)

    def _put(self, piece: bytes | None) -> None:
        if self.gone:
            raise Gone("nobody reads any more")
        putting = asyncio.run_coroutine_threadsafe(self.pieces.put(piece), self._loop)
        try:
            putting.result(self._stalled_seconds)
        except TimeoutError:
            self.gone = True
            putting.cancel()
            raise Gone(f"the reader took nothing for {self._stalled_seconds:g} s") from None

    def leave(self) -> None:
        """The reader is gone: let a writer that waits go on, into Gone."""
        self.gone = True
        while not self.pieces.empty():
            self.pieces.get_nowait()


async def _next(pipe: _Pipe, running: "asyncio.Future[None]") -> bytes | None:
    """The next piece; raises what the writer raised when it has ended without one."""
    getting = asyncio.ensure_future(pipe.pieces.get())
    either: set[asyncio.Future[Any]] = {getting, running}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if getting.done() or not pipe.pieces.empty():
        return await getting
    getting.cancel()
    await running  # it raises: a writer that ended well has put None
    return None
