"""Whether a request that changes something was sent by our own page: what keeps other sites from sending it for us."""

from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

from api.context import Context
from api.errors import CrossSite


def refuse_other_sites(connection: ASGIConnection, context: Context) -> None:  # type: ignore[type-arg]
    """Raises CrossSite when a browser sent this from another site's page, or another port's.

    Browsers say so in Sec-Fetch-Site, older ones in Origin. What says neither is no browser, so it carries no cookie
    that its user did not put there.
    """
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is not None and site != "same-origin":
        raise CrossSite("This was sent by a page of another site. Open /sign-in here and send it from there.")
    if site is None and origin is not None and origin not in _ours(connection, context):
        raise CrossSite("The header origin names another site. Open /sign-in here and send it from there.")


def _ours(connection: ASGIConnection, context: Context) -> tuple[str, str]:  # type: ignore[type-arg]
    """The base URL, for a proxy that tells another host, and where the request was sent to; each with its scheme."""
    base, host = urlsplit(context.base_url), connection.headers.get("host", "")
    return f"{base.scheme}://{base.netloc}", f"{connection.scope['scheme']}://{host}"
