"""The session cookie: hidden from scripts, never sent from another site's page, and over https bound to the host."""

from datetime import datetime
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from api.context import Context


def session_of(connection: ASGIConnection, context: Context) -> str:  # type: ignore[type-arg]
    """Return the secret of the session that the request carries, or ""."""
    return connection.cookies.get(_name(context), "")


def session_cookie(context: Context, secret: str, ends: datetime) -> Cookie:
    """Return the cookie of a new session. SameSite is Strict: people arrive with a link or a token and send it from a
    page of this installation, so no other site ever has to carry the cookie here."""
    return _cookie(context, secret, int((ends - context.clock()).total_seconds()))


def ended_cookie(context: Context) -> Cookie:
    """Return a cookie that makes the browser delete the session."""
    return _cookie(context, "", 0)


def _cookie(context: Context, secret: str, seconds: int) -> Cookie:
    return Cookie(
        _name(context), "/", secret, max_age=seconds, secure=context.is_secure, httponly=True, samesite="strict"
    )


def _name(context: Context) -> str:
    """Return the cookie's name. Browsers accept `__Host-` only over https, and then only from this host, not from a
    sibling domain. Over http a cookie is sent to every port of a host, so its name has the port: two installations on
    one machine have two cookies."""
    base = urlsplit(context.base_url)
    return "__Host-tally_session" if context.is_secure else f"tally_session_{base.port or 80}"
