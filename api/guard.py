"""Who asks: the key of a request, its scope, and how often its organization has asked."""

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.context import Context
from api.errors import NoKey, NoScope, NotFound
from api.viewer import STATE_KEY, Viewer
from reports.access.keys import READ_ANALYTICS, Key


async def require_key(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Litestar's guard of every analytics route. Raises NoKey, NoScope, TooMany, or NotFound in place of the first two.

    The one thing that a request may read is decided here, from its key alone: the key's organization.
    """
    context: Context = connection.app.state.context
    try:
        key = await _key_of(connection, context)
    except (NoKey, NoScope):
        if context.hide_refusals:
            raise NotFound("There is no such resource.") from None
        raise
    context.rates.take(key.organization_id)
    connection.scope["state"][STATE_KEY] = Viewer(key.organization_id, f"key {key.id}", sees_spend=True)


async def _key_of(connection: ASGIConnection, context: Context) -> Key:  # type: ignore[type-arg]
    text = key_text(connection.headers.get("authorization"), connection.headers.get("x-api-key"))
    key = await context.run(lambda client: context.key(client, text))
    if key is None:
        raise NoKey("The key is not known, was revoked, or has expired. `tally keys list` shows how keys stand.")
    if READ_ANALYTICS not in key.scopes:
        raise NoScope(f"The key {key.id} lacks the scope {READ_ANALYTICS}. Use one that was created with it.")
    return key


def key_text(authorization: str | None, x_api_key: str | None) -> str:
    """The key that the headers carry. Raises NoKey when there is none, or two that differ."""
    scheme, _, bearer = (authorization or "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    if authorization is not None and not bearer:
        raise NoKey("The header authorization must be `Bearer` and a key.")
    if bearer and x_api_key and bearer != x_api_key:
        raise NoKey("The headers authorization and x-api-key carry two different keys. Send one of them.")
    text = bearer or x_api_key
    if not text:
        raise NoKey("No key. Send one as `authorization: Bearer KEY` or `x-api-key: KEY`.")
    return text
