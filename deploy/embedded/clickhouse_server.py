"""The ClickHouse engine as a server: `python -m deploy.embedded.clickhouse_server --path DIR --port N`.

Implements the part of ClickHouse's HTTP interface that clickhouse-connect and curl use, for one machine. Sessions are
accepted but not kept: a temporary table or a SET ends with its request.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from deploy.browser_guard import refuse_pages
from deploy.embedded.clickhouse_engine import ClickHouseError, Engine, PathInUse, Request, Summary, run
from deploy.embedded.clickhouse_insert import Insert
from deploy.embedded.clickhouse_request import Call, Credentials, read_call, read_tokens
from deploy.embedded.clickhouse_responses import refusal, send, send_when_complete, success
from deploy.embedded.confinement import confine
from deploy.embedded.ports import HOST

T = TypeVar("T")
USER_VARIABLE, PASSWORD_VARIABLE = "CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD"
_PARALLEL = 32  # statements that run at the same time; more are queued
_PATIENCE = 5.0  # seconds that statements get to finish when the server stops


class Server:
    """Answers HTTP requests with an engine."""

    def __init__(self, engine: Engine, credentials: Credentials) -> None:
        self._engine = engine
        self._credentials = credentials
        self._running: list[str] = []  # query ids; clients choose them, so one may occur twice
        self._statements = ThreadPoolExecutor(_PARALLEL, "statement")
        self._housekeeping = ThreadPoolExecutor(4, "housekeeping")  # never waits behind statements

    def application(self) -> web.Application:
        """Return the routes: `/ping` without a password, statements at `/` with it."""
        app = web.Application(middlewares=[refuse_pages()])
        app.router.add_get("/ping", _pong)
        app.router.add_get("/", self._answer, allow_head=False)
        app.router.add_post("/", self._answer)
        app.on_shutdown.append(self._drain)
        return app

    async def _drain(self, _: web.Application) -> None:
        """Let running statements finish, then kill the remaining ones; the engine must not close under a statement."""
        kill_from = time.monotonic() + _PATIENCE
        while self._running:
            await asyncio.sleep(0.05)
            if time.monotonic() > kill_from:
                for query_id in list(self._running):
                    await self._tidy(self._engine.kill, query_id)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query_id = request.query.get("query_id") or str(uuid.uuid4())
        try:
            self._credentials.check(request)
            call = await read_call(request, query_id)
            if (await read_tokens(len(call.asked.sql), lambda: call.asked.facts)).is_empty:
                return web.Response(text="Ok.\n")
            return await self._execute(request, call)
        except ClickHouseError as error:
            return refusal(error, query_id, self._engine.version)

    async def _execute(self, request: web.Request, call: Call) -> web.StreamResponse:
        async with self._connection(call.asked) as connection:
            if call.insert is not None:
                return await self._insert(call, connection)
            summary = Summary()
            respond = send_when_complete if request.query.get("wait_end_of_query") == "1" else send
            async with aclosing(self._parts(call.asked, run(connection, call.asked, summary))) as parts:
                return await respond(request, call.asked, parts, summary)

    @asynccontextmanager
    async def _connection(self, asked: Request) -> AsyncGenerator[Any, None]:
        connection = await self._work(asked, self._engine.open, asked)
        self._running.append(asked.query_id)
        try:
            yield connection
        finally:
            try:
                await self._tidy(connection.close)
            finally:
                self._running.remove(asked.query_id)

    async def _insert(self, call: Call, connection: Any) -> web.Response:
        assert call.insert is not None
        summary, insert = Summary(), Insert(connection, call.insert)
        try:
            async for data in call.data:
                await self._work(call.asked, insert.append, data)
        except BaseException:
            await self._tidy(insert.cancel)
            raise
        await self._work(call.asked, insert.finish, summary)
        return web.Response(headers=success(call.asked, summary))

    async def _parts(self, asked: Request, blocks: Generator[bytes, None, None]) -> AsyncGenerator[bytes, None]:
        ended = False
        try:
            while (block := await self._work(asked, next, blocks, None)) is not None:
                if block:
                    yield block
            ended = True
        finally:
            if not ended:
                await self._tidy(blocks.close)

    async def _work(self, asked: Request, work: Callable[..., T], *arguments: object) -> T:
        """Run blocking work in a thread. If the client disconnects, kill it and wait for its end."""
        future = asyncio.get_running_loop().run_in_executor(self._statements, work, *arguments)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # A connection must not be closed under a thread that uses it, so nothing is left running.
            while not future.done():
                await self._tidy(self._engine.kill, asked.query_id)
                await asyncio.wait({future}, timeout=0.2)
            future.exception()  # it was killed, so its error is expected
            raise

    async def _tidy(self, work: Callable[..., object], *arguments: object) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.shield(loop.run_in_executor(self._housekeeping, work, *arguments))


async def _pong(_: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def serve(engine: Engine, credentials: Credentials, port: int, remark: str = "") -> None:
    """Serve on 127.0.0.1:`port` until SIGTERM or SIGINT; running statements get a few seconds to finish."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        Server(engine, credentials).application(),
        access_log=None,
        handler_cancellation=True,
        auto_decompress=False,
        shutdown_timeout=1,
        max_line_size=1 << 20,  # statements and their parameters are in the URL
        max_field_size=1 << 20,
    )
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    print(f"ClickHouse {engine.version} (chdb) listens on http://{HOST}:{port}{remark}", flush=True)
    await stop.wait()
    await runner.cleanup()


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve. Returns the exit code: 0, or 1 if it could not start."""
    parser = argparse.ArgumentParser(description="ClickHouse's engine with ClickHouse's HTTP interface")
    parser.add_argument("--path", type=Path, required=True, help="data directory")
    parser.add_argument("--port", type=int, required=True, help=f"port on {HOST}")
    parser.add_argument(
        "--memory", type=int, default=0, help="limit in bytes (at most, and by default, 40 %% of the machine's)"
    )
    options = parser.parse_args(arguments)
    os.environ["TZ"] = "UTC"  # the engine reads its time zone from here when it is loaded
    os.umask(0o077)
    path = options.path.resolve()
    (path / "tmp").mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(path / "tmp")  # Python's and the engine's
    walls = "" if confine(path) else ", without confinement by the kernel (Landlock)"
    credentials = Credentials(os.environ.get(USER_VARIABLE, "default"), os.environ.get(PASSWORD_VARIABLE, ""))
    try:
        engine = Engine(path, options.memory)
    except PathInUse as error:
        print(error, file=sys.stderr)
        return 1
    try:
        asyncio.run(serve(engine, credentials, options.port, walls))
    except OSError as error:
        print(f"cannot listen on {HOST}:{options.port}: {error.strerror}; choose another port", file=sys.stderr)
        return 1
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
