"""Litestar guards of endpoints and of the dashboard's pages: decide what a request may read, before its route runs.

An endpoint's guard refuses in JSON, hidden as NotFound if the installation is configured so; a page's guard raises what
the dashboard shows as a page or as a redirect to sign-in.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.audit import mark_refused
from api.auth.authenticate import authenticate
from api.context import Context
from api.errors import Forbidden, MissingRole, NotFound, SpendForbidden, Unauthenticated
from api.principal import STATE_KEY, Operator, Viewer, current_viewer

NO_PAGE = "There is no such page here."
"""The message for a missing page, and for a page whose existence the viewer may not know of."""


async def require_viewer(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of analytics routes: require a key, or a person with a role that may read. Sets `current_viewer`.

    Raises Unauthenticated, Forbidden or RateLimited; NotFound in place of the first two if the installation hides
    refusals.
    """
    context: Context = connection.app.state.context
    with _hiding(context):
        viewer = await _authenticate_viewer(connection, context)
    if viewer.account_id:
        context.person_rates.acquire(viewer.account_id)
    else:
        context.rates.acquire(viewer.organization_id)
    connection.scope["state"][STATE_KEY] = viewer


async def require_page_viewer(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of an organization's pages. Sets `current_viewer`. Raises Unauthenticated, Forbidden or RateLimited.

    Page requests count by person, so they do not use up the rate limit of the organization's scripts.
    """
    context: Context = connection.app.state.context
    viewer = await _authenticate_viewer(connection, context)
    context.person_rates.acquire(viewer.account_id or viewer.name)
    connection.scope["state"][STATE_KEY] = viewer


async def require_spend(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of spend routes, after `require_viewer`. Raises SpendForbidden, or NotFound in its place."""
    with _hiding(connection.app.state.context):
        if not _may_read_spend(connection):
            raise SpendForbidden


async def require_spend_page(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of spend pages, after `require_page_viewer`. Raises NotFound, as if the page did not exist."""
    if not _may_read_spend(connection):
        raise NotFound(NO_PAGE)


async def require_operator(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of operators' routes; sets `operator_of`. Raises the same errors as `require_viewer`."""
    with _hiding(connection.app.state.context):
        operator = await _authenticate_operator(connection)
    _admit_operator(connection, operator)


async def require_operator_page(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of the operators' page; sets `operator_of`. Raises the same errors as `require_page_viewer`."""
    _admit_operator(connection, await _authenticate_operator(connection))


def require_organization(viewer: Viewer, organization: str) -> None:
    """Raise NotFound for any organization except the viewer's, whether it exists or not."""
    if organization != viewer.organization_id:
        raise NotFound("There is no such organization, or it is not yours.")


async def _authenticate_viewer(connection: ASGIConnection, context: Context) -> Viewer:  # type: ignore[type-arg]
    viewer = await authenticate(connection, context)
    if isinstance(viewer, Operator):
        raise MissingRole("Operators see the pipeline, not organizations. Sign in as a person of the organization.")
    return viewer


async def _authenticate_operator(connection: ASGIConnection) -> Operator:  # type: ignore[type-arg]
    operator = await authenticate(connection, connection.app.state.context)
    if isinstance(operator, Viewer):
        raise MissingRole(
            "Only operators of the installation see this. `tally login-link --operator NAME` signs one in."
        )
    return operator


def _admit_operator(connection: ASGIConnection, operator: Operator) -> None:  # type: ignore[type-arg]
    connection.app.state.context.person_rates.acquire(operator.name)
    connection.scope["state"][STATE_KEY] = operator


def _may_read_spend(connection: ASGIConnection) -> bool:  # type: ignore[type-arg]
    """Return True if the viewer may; a refusal is noted for the audit log."""
    if current_viewer(connection).can_read_spend:
        return True
    mark_refused(connection)
    return False


@contextmanager
def _hiding(context: Context) -> Iterator[None]:
    """Turn a refusal into NotFound if the installation is configured so, as in the original API."""
    try:
        yield
    except (Unauthenticated, Forbidden):
        if context.hide_refusals:
            raise NotFound("There is no such resource.") from None
        raise
