"""A file that is written in a thread and sent while it is written: a few pieces wait between the two, never all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, cast

AT_ONCE = 4
"""How many files are written at a time; who comes later waits."""

PIECES = 4
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="download")


class Gone(Exception):
    """Nobody reads any more."""


class _Pipe:
    """A sink whose writer waits for its reader. Only `write`, which is all that reports ask of a sink."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
        self.gone = False
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes) -> int:
        """Pass a piece on, from the writer's thread. Raises Gone when nobody reads any more."""
        self._put(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Every piece is passed on at once."""

    def end(self) -> None:
        """There is no more."""
        self._put(None)

    def _put(self, piece: bytes | None) -> None:
        if self.gone:
            raise Gone
        asyncio.run_coroutine_threadsafe(self.pieces.put(piece), self._loop).result()

    def leave(self) -> None:
        """The reader is gone: let a writer that waits go on, into Gone."""
        self.gone = True
        while not self.pieces.empty():
            self.pieces.get_nowait()


async def written(write: Callable[[BinaryIO], object]) -> AsyncIterator[bytes]:
    """What `write` writes into the sink that it is given, piece by piece. What it raises is raised here.

    An error after the first piece breaks the answer off, so that no browser takes half a file for a whole one.
    """
    pipe = _Pipe()

    def work() -> None:
        write(cast(BinaryIO, pipe))
        pipe.end()

    running = asyncio.get_running_loop().run_in_executor(_threads, work)
    running.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # a reader may be gone by then
    try:
        while (piece := await _next(pipe, running)) is not None:
            yield piece
    finally:
        pipe.leave()
    await running


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
