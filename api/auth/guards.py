"""Litestar guards: decide what a request may read, before its route runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.audit import mark_refused
from api.auth.authenticate import authenticate
from api.context import Context
from api.errors import Forbidden, MissingRole, NotFound, SpendForbidden, Unauthenticated
from api.principal import STATE_KEY, Operator, Viewer, current_viewer


async def require_viewer(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of analytics routes: require a key, or a person with a role that may read. Sets `current_viewer`.

    Raises Unauthenticated, Forbidden or RateLimited; NotFound in place of the first two if the installation hides
    refusals.
    """
    context: Context = connection.app.state.context
    with _hiding(context):
        viewer = await authenticate(connection, context)
        if isinstance(viewer, Operator):
            raise MissingRole("Operators see the pipeline, not organizations. Sign in as a person of the organization.")
    if viewer.account_id:
        context.person_rates.acquire(viewer.account_id)
    else:
        context.rates.acquire(viewer.organization_id)
    connection.scope["state"][STATE_KEY] = viewer


async def require_spend(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of spend routes, after `require_viewer`. Raises SpendForbidden, or NotFound in its place."""
    with _hiding(connection.app.state.context):
        if not current_viewer(connection).can_read_spend:
            mark_refused(connection)
            raise SpendForbidden


async def require_operator(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of operators' routes; sets `operator_of`. Raises the same errors as `require_viewer`."""
    context: Context = connection.app.state.context
    with _hiding(context):
        operator = await authenticate(connection, context)
        if isinstance(operator, Viewer):
            raise MissingRole(
                "Only operators of the installation see this. `tally login-link --operator NAME` signs one in."
            )
    context.person_rates.acquire(operator.name)
    connection.scope["state"][STATE_KEY] = operator


@contextmanager
def _hiding(context: Context) -> Iterator[None]:
    """Turn a refusal into NotFound if the installation is configured so, as in the original API."""
    try:
        yield
    except (Unauthenticated, Forbidden):
        if context.hide_refusals:
            raise NotFound("There is no such resource.") from None
        raise
