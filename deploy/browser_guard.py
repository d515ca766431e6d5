"""Who may ask a server that is for its own machine: programs, and never a browser for a web page.

A page of any site can make a browser send requests to 127.0.0.1, and a page whose name is made to point there can
read the answers too. Neither can do without the headers that tell on it, and no program of ours sends them.
"""

from collections.abc import Awaitable, Callable, Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

LOCAL = "localhost"
_TYPED_BY_HAND = "none"  # what a browser says of an address that somebody typed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refuse_pages(names: Collection[str] = ()) -> Middleware:
    """Answers 403, with the body unread and whatever password was sent, to a request that a web page has caused.

    `names` are further names of this machine that are its own.
    """
    own = {name.lower() for name in names}

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        reason = why_refused(request, own)
        if reason is None:
            return await handler(request)
        response = web.Response(status=403, text=f"This server answers programs of its own machine alone: {reason}.\n")
        response.force_close()
        return response

    return refuse


def is_loopback(address: str) -> bool:
    """Whether it is an address that only programs of the same machine reach; a name is none."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def why_refused(request: web.BaseRequest, names: Collection[str] = ()) -> str | None:
    """What tells that the request comes from a web page, or is meant for another host; None if nothing does.

    The port in `Host` is not looked at: a tunnel or a proxy may be on the way, and what another site cannot have is the
    name.
    """
    hosts = request.headers.getall("Host", [])
    name = _name_of(hosts[0]) if len(hosts) == 1 else None
    if name is None or not (name == LOCAL or name in names or is_loopback(name)):
        return "Host has to be localhost, 127.0.0.1, [::1] or another address of this machine alone"
    if any(site.strip().lower() != _TYPED_BY_HAND for site in request.headers.getall("Sec-Fetch-Site", [])):
        return "Sec-Fetch-Site tells of a web page"
    return next((f"{name} tells of a web page" for name in ("Origin", "Referer") if name in request.headers), None)


def _name_of(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises when it is no number
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None
