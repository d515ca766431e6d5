"""Who opens a page: a person who is signed in, or a key. Whoever is neither is sent to sign in."""

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
"""What is said of a page that is not there, and of one that its viewer may not know of."""


async def require_page_viewer(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of every page of an organization. Raises Unauthenticated, MissingRole, MissingScope, RateLimited.

    Pages are counted by person: whoever looks takes nothing from a script's share.
    """
    context: Context = connection.app.state.context
    viewer = await authenticate(connection, context)
    if isinstance(viewer, Operator):
        raise MissingRole("Operators see the pipeline, not organizations.")
    context.person_rates.acquire(viewer.account_id or viewer.name)
    connection.scope["state"][STATE_KEY] = viewer


async def require_operator_page(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Of the operators' page. `operator_of` gives who it is. Raises Unauthenticated, MissingRole, RateLimited."""
    context: Context = connection.app.state.context
    operator = await authenticate(connection, context)
    if isinstance(operator, Viewer):
        raise MissingRole(
            "Only operators of the installation see this. `tally login-link --operator NAME` lets one in."
        )
    context.person_rates.acquire(operator.name)
    connection.scope["state"][STATE_KEY] = operator


async def require_spend_page(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Of every page about spend, after `require_page_viewer`. Raises NotFound, as if there were no such page."""
    if not current_viewer(connection).can_read_spend:
        mark_refused(connection)
        raise NotFound(NO_PAGE)


def require_organization(viewer: Viewer, organization: str) -> None:
    """Raises NotFound for any organization but the viewer's, whether it exists or not."""
    if organization != viewer.organization_id:
        raise NotFound("There is no such organization, or it is not yours.")


def refuse(request: Request, error: Exception) -> Response[bytes] | Redirect:  # type: ignore[type-arg]
    """The answer to whoever was not let through: to be signed in first, or a page that says why."""
    if isinstance(error, Unauthenticated):
        if _came_from_elsewhere(request):
            return html(request, "again.html")
        return Redirect("/sign-in", status_code=303, headers=HEADERS)
    return refuse_page(request, error)


def _came_from_elsewhere(request: Request) -> bool:  # type: ignore[type-arg]
    """Whether a link of another site led here. The browser keeps the session from such a request, and sends it when our
    own page asks again: so a link in a mail opens for whoever is signed in."""
    return request.headers.get("sec-fetch-site") == "cross-site"
