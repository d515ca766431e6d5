"""The application: routes, request ids, health, and the OpenAPI document."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import CacheControlHeader, State
from litestar.exceptions import HTTPException

from api.audit import SpendAudit
from api.auth.sign_in import signing
from api.claude_code.routes import usage_report
from api.context import Context
from api.dashboard.routes import dashboard
from api.engagement.routes import analytics
from api.exception_handlers import error_response
from api.health import Health, read_health
from api.middleware import Edge
from api.openapi import document, restrict_parameters
from api.operator_routes import operating

NEVER_KEPT = CacheControlHeader(no_store=True)
"""A response must not stay in the browser after sign-out; a route whose response may be stored overrides this."""


@get("/alive", include_in_schema=False, media_type="text/plain", sync_to_thread=False)
def alive() -> str:
    """Liveness probe: return 200 while the process responds."""
    return "ok"


@get("/health", include_in_schema=False)
async def health(request: Request[Any, Any, Any]) -> Response[Health]:
    """Readiness probe: return 200, or 503 with the problem and its cause."""
    context: Context = request.app.state.context
    found = await read_health(context)
    return Response(found, status_code=200 if found.healthy else 503)


def make_app(context: Context) -> Edge:
    """Build the ASGI application over `context`. It starts and keeps running without ClickHouse."""
    app = Litestar(
        route_handlers=[
            *(analytics, usage_report, operating, signing, dashboard),
            Router("/", route_handlers=[alive, health]),
        ],
        exception_handlers={Exception: error_response, HTTPException: error_response},
        middleware=[SpendAudit()],
        cache_control=NEVER_KEPT,
        state=State({"context": context}),
        openapi_config=document(),
        logging_config=None,
        debug=False,
    )
    restrict_parameters(app.openapi_schema)
    return Edge(app, {*context.hosts, urlsplit(context.base_url).hostname or ""}, context.is_secure)
