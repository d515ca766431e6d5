"""Protects servers meant for programs on the same machine from web pages in a browser.

A page of any site can make a browser send requests to 127.0.0.1, and a page whose host name resolves to that address
can read the responses too. Both need headers that give them away, and that Tally's programs never send.
"""

from collections.abc import Awaitable, Callable, Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

LOCAL = "localhost"
_TYPED_BY_HAND = "none"  # sent by browsers for an address that was typed in

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refuse_pages(names: Collection[str] = ()) -> Middleware:
    """Return a middleware that answers 403 to requests caused by a web page, without reading the body or checking a
    password.

    `names` are additional host names of this machine that belong to the server.
    """
    own = {name.lower() for name in names}

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        reason = why_refused(request, own)
        if reason is None:
            return await handler(request)
        response = web.Response(
            status=403, text=f"This server only accepts requests from programs on the same machine: {reason}.\n"
        )
        response.force_close()
        return response

    return refuse


def is_loopback(address: str) -> bool:
    """Return True if only programs on the same machine can reach the address; a host name is not an address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def why_refused(request: web.BaseRequest, names: Collection[str] = ()) -> str | None:
    """Return why the request appears to come from a web page or is meant for another host, or None.

    The port in `Host` is ignored, because the request may come through a tunnel or a proxy; what another site cannot
    forge is the name.
    """
    hosts = request.headers.getall("Host", [])
    name = _name_of(hosts[0]) if len(hosts) == 1 else None
    if name is None or not (name == LOCAL or name in names or is_loopback(name)):
        return "Host must be localhost, 127.0.0.1, [::1] or another loopback address"
    if any(site.strip().lower() != _TYPED_BY_HAND for site in request.headers.getall("Sec-Fetch-Site", [])):
        return "the header Sec-Fetch-Site shows that a web page sent it"
    return next(
        (
            f"the header {name} shows that a web page sent it"
            for name in ("Origin", "Referer")
            if name in request.headers
        ),
        None,
    )


def _name_of(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises ValueError if it is not a number
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None
