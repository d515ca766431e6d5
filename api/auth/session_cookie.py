"""The session cookie: out of reach of scripts, never sent by another site's page, and over https bound to the host."""

from datetime import datetime
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from api.context import Context


def session_of(connection: ASGIConnection, context: Context) -> str:  # type: ignore[type-arg]
    """The session's secret that the request carries, or ""."""
    return connection.cookies.get(_name(context), "")


def session_cookie(context: Context, secret: str, ends: datetime) -> Cookie:
    """The cookie of a new session. SameSite is Strict: people arrive with a link or a token, and what they then send
    comes from our own page, so no other site ever has to carry the cookie here."""
    return _cookie(context, secret, int((ends - context.clock()).total_seconds()))


def ended_cookie(context: Context) -> Cookie:
    """What makes a browser forget the session."""
    return _cookie(context, "", 0)


def _cookie(context: Context, secret: str, seconds: int) -> Cookie:
    return Cookie(
        _name(context), "/", secret, max_age=seconds, secure=context.is_secure, httponly=True, samesite="strict"
    )


def _name(context: Context) -> str:
    """A browser takes `__Host-` only over https, and then from this host alone, not from a sibling of its domain. Over
    http a cookie goes to every port of a host, so the port is in its name: two installations on a machine have two."""
    base = urlsplit(context.base_url)
    return "__Host-tally_session" if context.is_secure else f"tally_session_{base.port or 80}"
