"""Health and metrics of a process over HTTP, available before it has reached Kafka or ClickHouse.

`/alive` is 200 while the process responds, `/health` 200 or 503 with the problems in words, `/metrics` Prometheus text.
The server has a thread of its own, because a process may block. Health and metrics are computed in the process's own
loop if it has one, so that nothing is read while it changes, and a process whose loop hangs is not alive.
"""

import asyncio
import errno
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any, Protocol, TypeVar

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric

from deploy.browser_guard import is_loopback, refuse_pages
from deploy.errors import UserError
from worker.health import Health

T = TypeVar("T")

EVERYWHERE = "::"
ANSWER_SECONDS = 5.0
"""How long the process's own loop may take to answer a probe."""


class Reporter(Protocol):
    """Source of health and metrics. It is also a Prometheus collector."""

    def health(self) -> Health:
        """Return the current health."""

    def collect(self) -> Iterator[Metric]:
        """Yield all current metrics."""


class Telling:
    """The server's current source: a `reporter`, in the `loop` where it runs, if it has one."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, question: Callable[[], T]) -> T:
        """Return the result of `question`. Raises TimeoutError if the loop does not answer in time."""
        if self.loop is None:
            return question()

        async def asked() -> T:
            return question()

        answer = asyncio.run_coroutine_threadsafe(asked(), self.loop)
        return await asyncio.wait_for(asyncio.wrap_future(answer), ANSWER_SECONDS)


def serve(telling: Telling, host: str, port: int) -> int:
    """Serve from now until the process ends; return the port, which the system picks for 0.

    Raises OSError if the port is taken, UserError for a wrong host. A server that only this machine can reach, under
    whatever name, refuses requests of web pages.
    """
    listener = listen(host, port)
    own_names = [host] if is_loopback(listener.getsockname()[0]) else None
    threading.Thread(target=lambda: asyncio.run(_serve(telling, listener, own_names)), daemon=True).start()
    return int(listener.getsockname()[1])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, bound here so that a taken port is reported in one clear line. `::` is every address,
    of both families. Raises OSError if the port is taken, UserError if the host is not an address of this machine."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        both = address[0] == EVERYWHERE and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=512, dualstack_ipv6=both)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL):
            said = f"Cannot listen at {host}, which is not an address of this machine"
            raise UserError(said, "Use one of its own: 127.0.0.1, or 0.0.0.0 for all.") from error
        raise


def response_of(health: Health) -> web.Response:
    """Return 200, or 503."""
    body = {"healthy": health.healthy, "problems": health.problems, **health.shown}
    return web.Response(body=orjson.dumps(body), status=200 if health.healthy else 503, content_type="application/json")


async def _serve(telling: Telling, listener: socket.socket, own_names: Collection[str] | None) -> None:
    runner = web.AppRunner(make_app(telling, own_names), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    await asyncio.Event().wait()


def make_app(telling: Telling, own_names: Collection[str] | None) -> web.Application:
    """Return the application with `/alive`, `/health` and `/metrics`; `own_names` are the names of a server for its own
    machine alone."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await telling.ask(lambda: text_of(telling.reporter)), content_type="text/plain")

    async def health(_: web.Request) -> web.Response:
        return response_of(await telling.ask(lambda: telling.reporter.health()))

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text=await telling.ask(lambda: "ok"))

    app = web.Application(middlewares=[*([] if own_names is None else [refuse_pages(own_names)]), _patient])
    app.add_routes([web.get("/metrics", metrics), web.get("/health", health), web.get("/alive", alive)])
    return app


def text_of(reporter: Reporter) -> bytes:
    """Return the metrics in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(reporter)
    return generate_latest(registry)


@web.middleware
async def _patient(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
    except (TimeoutError, RuntimeError):  # it hangs, or its loop has ended
        return response_of(Health([f"the process does not respond within {ANSWER_SECONDS:g} s, or is ending"]))
    return answer
