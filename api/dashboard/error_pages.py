"""Access to dashboard pages: for signed-in people and keys; anyone else is redirected to sign-in."""

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.response import Redirect

from api.audit import mark_refused
from api.auth.authenticate import authenticate
from api.context import Context
from api.dashboard.rendering import HEADERS, html, refuse_page
from api.errors import MissingRole, NotFound, Unauthenticated
from api.principal import STATE_KEY, Operator, Viewer, current_viewer

NO_PAGE = "There is no such page here."
"""The message for a missing page, and for a page whose existence the viewer may not know of."""


async def require_page_viewer(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of an organization's pages. Raises Unauthenticated, MissingRole, MissingScope, RateLimited.

    Page requests count by person, so they do not use up the rate limit of the organization's scripts.
    """
    context: Context = connection.app.state.context
    viewer = await authenticate(connection, context)
    if isinstance(viewer, Operator):
        raise MissingRole("Operators see the pipeline, not organizations.")
    context.person_rates.acquire(viewer.account_id or viewer.name)
    connection.scope["state"][STATE_KEY] = viewer


async def require_operator_page(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of the operators' page; sets `operator_of`. Raises Unauthenticated, MissingRole, RateLimited."""
    context: Context = connection.app.state.context
    operator = await authenticate(connection, context)
    if isinstance(operator, Viewer):
        raise MissingRole(
            "Only operators of the installation see this. `tally login-link --operator NAME` signs one in."
        )
    context.person_rates.acquire(operator.name)
    connection.scope["state"][STATE_KEY] = operator


async def require_spend_page(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of spend pages, after `require_page_viewer`. Raises NotFound, as if the page did not exist."""
    if not current_viewer(connection).can_read_spend:
        mark_refused(connection)
        raise NotFound(NO_PAGE)


def require_organization(viewer: Viewer, organization: str) -> None:
    """Raise NotFound for any organization except the viewer's, whether it exists or not."""
    if organization != viewer.organization_id:
        raise NotFound("There is no such organization, or it is not yours.")


def refuse(request: Request, error: Exception) -> Response[bytes] | Redirect:  # type: ignore[type-arg]
    """Return the response to a refused request: a redirect to sign-in, or a page with the reason."""
    if isinstance(error, Unauthenticated):
        if _came_from_elsewhere(request):
            return html(request, "again.html")
        return Redirect("/sign-in", status_code=303, headers=HEADERS)
    return refuse_page(request, error)


def _came_from_elsewhere(request: Request) -> bool:  # type: ignore[type-arg]
    """Return True if a link on another site led here. The browser withholds the session from such a request and sends
    it when a page of this installation repeats it, so a link in a mail works for a signed-in person."""
    return request.headers.get("sec-fetch-site") == "cross-site"
