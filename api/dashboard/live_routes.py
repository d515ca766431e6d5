"""The routes of Live: the page, and a stream of server-sent events with its figures whenever they change."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath
from litestar.response import ServerSentEventMessage, Stream

from api.auth.authenticate import authenticate
from api.auth.guards import require_organization, require_page_viewer, require_spend_page
from api.concurrency_limits import Shares
from api.context import Context
from api.dashboard.page_context import open_view, page_context
from api.dashboard.pages.live import LIVE, Now, read_now
from api.dashboard.rendering import HEADERS, html, templates
from api.errors import ApiError
from api.principal import Viewer, current_viewer

SECONDS = 3.0
"""Seconds between two reads of the tables, each of which also checks that the viewer still has access."""

RECONNECT_MILLISECONDS = 3000
"""How long a browser waits before it opens the stream again."""

STEPS = 6
"""Number of sleeps between two reads, so that a server that stops does not have to wait for a long one."""

_shares = Shares("live pages", most=200, of_an_organization=60, of_a_viewer=6, kept=40)
"""The streams that this process has open."""


@get("/", include_in_schema=False)
async def page(request: Request[Any, Any, Any], organization: FromPath[str]) -> Response[bytes]:
    """The page as it is now; its script opens the stream."""
    require_organization(current_viewer(request), organization)
    seen = await open_view(request)
    return html(request, "live.html", **page_context(seen, LIVE.name), now=await _now(request))


async def _now(request: Request[Any, Any, Any]) -> Now:
    context: Context = request.app.state.context
    seen = await open_view(request)
    return await context.run(partial(read_now, view=seen, now=context.clock()))


@get("/stream", include_in_schema=False)
async def stream(request: Request[Any, Any, Any], organization: FromPath[str]) -> Stream:
    """Send the figures whenever they change, and a keep-alive otherwise. Raises RateLimited, Unavailable."""
    viewer = current_viewer(request)
    require_organization(viewer, organization)
    _shares.require(viewer)
    return Stream(_events(request, viewer), headers=HEADERS, media_type="text/event-stream")


async def _events(request: Request[Any, Any, Any], viewer: Viewer) -> AsyncIterator[bytes]:
    """Yield events until the reader leaves or loses access, or the server stops; a browser then reconnects."""
    context: Context = request.app.state.context
    sent = ""
    _shares.acquire(viewer)
    try:
        yield event_bytes(retry=RECONNECT_MILLISECONDS)
        while not context.stopping():
            try:
                if await authenticate(request, context) != viewer:
                    yield event_bytes("ended", "")
                    return
                shown = templates.get_template("live_figures.html").render(now=await _now(request))
            except ApiError as error:
                yield event_bytes("ended" if error.status in (401, 403) else "away", error.message)
                if error.status in (401, 403):
                    return
            else:
                yield event_bytes(comment="still here") if shown == sent else event_bytes("live", shown)
                sent = shown
            for _ in range(STEPS):
                if not context.stopping():
                    await anyio.sleep(SECONDS / STEPS)
    finally:
        _shares.give_back(viewer)


def event_bytes(
    name: str | None = None, data: str | None = None, retry: int | None = None, comment: str | None = None
) -> bytes:
    """Return one message of the stream; text is JSON in it, so that it is one line."""
    text = None if data is None else msgspec.json.encode(data)
    return ServerSentEventMessage(text, event=name, retry=retry, comment=comment, sep="\n").encode()


live = Router(
    "/organizations/{organization:str}/live",
    route_handlers=[page, stream],
    guards=[require_page_viewer, require_spend_page],
)
