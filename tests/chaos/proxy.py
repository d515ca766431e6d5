"""A TCP proxy between workers and ClickHouse that cuts, delays or truncates connections when it is told to."""

import asyncio
import random
import threading
from typing import Literal

Mode = Literal["pass", "cut", "delay", "truncate"]

CHUNK = 1 << 16
LONGEST_DELAY = 1.5
MOST_PASSED = 6_000
"""Bytes of a connection that are passed at most before it is truncated: less than a flush, more than a look."""
A_HEAD = 500
"""The same for half of them, so that many an answer ends within its head."""


class Proxy(threading.Thread):
    """Passes bytes both ways on an event loop of its own; `mode` may be changed at any time."""

    def __init__(self, target_port: int) -> None:
        super().__init__(name="proxy", daemon=True)
        self.mode: Mode = "pass"
        self.inserting = threading.Event()
        self.port = 0
        self._target_port = target_port
        self._is_ready = threading.Event()
        self._connections: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._dice = random.Random(3)
        self.start()
        self._is_ready.wait(10)

    def run(self) -> None:
        """Serve until the process ends."""
        self._loop.run_until_complete(self._listen())
        self._loop.run_forever()

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._is_ready.set()

    def turn(self, mode: Mode) -> None:
        """From now on so; connections that are open are cut, unless they are only delayed."""
        self.mode = mode
        if mode in ("cut", "truncate"):
            self._loop.call_soon_threadsafe(self._abort_all)

    def _abort_all(self) -> None:
        for writer in self._connections:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "cut":
            writer.transport.abort()
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, there[1]}
        self._connections |= both
        await asyncio.gather(self._pipe(reader, there[1], True), self._pipe(there[0], writer, False))
        self._connections -= both

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_request: bool) -> None:
        left = self._dice.randrange(self._dice.choice((A_HEAD, MOST_PASSED)))
        try:
            while data := await reader.read(CHUNK):
                if is_request and b"INSERT" in data:
                    self.inserting.set()
                if self.mode == "delay":
                    await asyncio.sleep(self._dice.uniform(0, LONGEST_DELAY))
                if self.mode == "truncate" and (left := left - len(data)) < 0:
                    writer.write(data[: max(0, left + len(data))])
                    await writer.drain()
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort() if self.mode in ("cut", "truncate") else writer.close()
