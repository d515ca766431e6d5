"""Protection against cross-site requests: a request that changes state must come from a page of this installation."""

from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

from api.context import Context
from api.errors import CrossSite


def refuse_other_sites(connection: ASGIConnection, context: Context) -> None:  # type: ignore[type-arg]
    """Raise CrossSite if a browser sent the request from a page of another site or port.

    Browsers set Sec-Fetch-Site, older ones Origin. A request with neither is not from a browser, so it carries no
    cookie that its user did not set.
    """
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is not None and site != "same-origin":
        raise CrossSite("This was sent by a page of another site. Open /sign-in here and send it from there.")
    if site is None and origin is not None and origin not in _ours(connection, context):
        raise CrossSite("The header origin names another site. Open /sign-in here and send it from there.")


def _ours(connection: ASGIConnection, context: Context) -> tuple[str, str]:  # type: ignore[type-arg]
    """Return the base URL (for a proxy that changes the host) and the URL the request was sent to, as origins."""
    base, host = urlsplit(context.base_url), connection.headers.get("host", "")
    return f"{base.scheme}://{base.netloc}", f"{connection.scope['scheme']}://{host}"
