"""The application: routes, refusals, request ids, health, and the OpenAPI document."""

import logging
import secrets
from typing import Any

from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import Message, Receive, Scope, Send

from api.context import Context
from api.errors import ApiError, ErrorBody, ErrorDetail
from api.openapi import document, narrow
from api.routes import analytics
from api.sign_in import signing

logger = logging.getLogger("tally.api")

REQUEST_ID = "tally.request_id"

_STATUS_TYPES = {404: "not_found_error", 405: "invalid_request_error", 413: "request_too_large"}


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


def refuse(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """The body, status and headers of a refusal; an error that nobody foresaw is logged with the request's id."""
    request_id = request.scope.get(REQUEST_ID, "")
    known = _known(error)
    if known.status == 500:
        logger.error("%s: %s %s failed", request_id, request.method, request.url.path, exc_info=error)
    body = ErrorBody(error=ErrorDetail(known.type, known.message), request_id=str(request_id))
    headers = known.headers | ({"allow": ", ".join(allowed_methods(request))} if known.status == 405 else {})
    return Response(body, status_code=known.status, headers=headers, media_type="application/json")


def allowed_methods(request: Request[Any, Any, Any]) -> list[str]:
    """The methods of the path that was asked for, which a 405 must tell (RFC 9110 section 15.5.6)."""
    asked = request.url.path.strip("/").split("/")
    return sorted({method for route in request.app.routes if _leads(route, asked) for method in _methods(route)})


def _leads(route: BaseRoute, asked: list[str]) -> bool:
    parts = route.path_components
    return len(parts) == len(asked) and all(
        not isinstance(part, str) or part == given for part, given in zip(parts, asked, strict=True)
    )


def _methods(route: BaseRoute) -> set[str]:
    return set(route.methods) if isinstance(route, HTTPRoute) else set()


def _known(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if not isinstance(error, HTTPException) or error.status_code >= 500:
        return ApiError("Something went wrong here. The request id finds it in the log.")
    told = ApiError(_told(error))
    told.status = error.status_code
    told.type = _STATUS_TYPES.get(error.status_code, "invalid_request_error")
    return told


def _told(error: HTTPException) -> str:
    if isinstance(error, MethodNotAllowedException):
        return "The header `allow` says what can be done here."
    return "There is no such resource." if error.status_code == 404 else error.detail


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
        route_handlers=[analytics, signing, Router("/", route_handlers=[alive, health])],
        exception_handlers={Exception: refuse, HTTPException: refuse},
        state=State({"context": context}),
        openapi_config=document(),
        logging_config=None,
        debug=False,
    )
    narrow(app.openapi_schema)
    return RequestIds(app)
