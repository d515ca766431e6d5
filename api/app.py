"""The application: routes, request ids, health, and the OpenAPI document."""

import secrets
from typing import Any

from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import CacheControlHeader, State
from litestar.exceptions import HTTPException
from litestar.types import Message, Receive, Scope, Send

from api.audit import SpendAudit
from api.claude_code import usage_report
from api.context import Context
from api.dashboard.pages import dashboard
from api.errors import ApiError
from api.openapi import document, narrow
from api.operators import operating
from api.refusals import REQUEST_ID, refuse
from api.routes import analytics
from api.sign_in import signing

NEVER_KEPT = CacheControlHeader(no_store=True)
"""Whoever signs out must not leave answers in the browser; a route whose answer may stay there says so itself."""


class RequestIds:
    """Gives each request an id, which its answer carries in the header `request-id`.

    The outermost layer, since what the router itself refuses passes no other. A caller's own id is not taken over: the
    id is what a line in our log is found by.
    """

    def __init__(self, app: Litestar) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":  # type: ignore[comparison-overlap]
            await self.app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(12)}"
        scope[REQUEST_ID] = request_id  # type: ignore[literal-required]

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"request-id", request_id.encode())]
            await send(message)

        await self.app(scope, receive, send_with_id)


@get("/alive", include_in_schema=False, media_type="text/plain", sync_to_thread=False)
def alive() -> str:
    """200 while the process answers: for a liveness probe."""
    return "ok"


@get("/health", include_in_schema=False)
async def health(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """200, or 503 with the problem: for a readiness probe."""
    context: Context = request.app.state.context
    try:
        freshness = await context.run(context.freshness)
    except ApiError as error:
        return Response({"healthy": False, "problems": [error.message]}, status_code=503)
    return Response({"healthy": True, "problems": [], "data_refreshed_at": freshness.data_refreshed_at})


def make_app(context: Context) -> RequestIds:
    """The ASGI application over `context`. It starts and stays up whether or not ClickHouse is there."""
    app = Litestar(
        route_handlers=[
            *(analytics, usage_report, operating, signing, dashboard),
            Router("/", route_handlers=[alive, health]),
        ],
        exception_handlers={Exception: refuse, HTTPException: refuse},
        middleware=[SpendAudit()],
        cache_control=NEVER_KEPT,
        state=State({"context": context}),
        openapi_config=document(),
        logging_config=None,
        debug=False,
    )
    narrow(app.openapi_schema)
    return RequestIds(app)
