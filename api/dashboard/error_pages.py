"""Responses to refused requests for pages: an error page, or a redirect to sign-in."""

from litestar import Request, Response
from litestar.response import Redirect

from api.dashboard.rendering import HEADERS, html, refuse_page
from api.errors import Unauthenticated


def refuse(request: Request, error: Exception) -> Response[bytes] | Redirect:  # type: ignore[type-arg]
    """Return the response to a refused request: a redirect to sign-in, or a page with the reason."""
    if isinstance(error, Unauthenticated):
        if _came_from_elsewhere(request):
            return html(request, "again.html")
        return Redirect("/sign-in", status_code=303, headers=HEADERS)
    return refuse_page(request, error)


def _came_from_elsewhere(request: Request) -> bool:  # type: ignore[type-arg]
    """Return True if a link on another site led here. The browser withholds the session from such a request and sends
    it when a page of this installation repeats it, so a link in a mail works for a signed-in person."""
    return request.headers.get("sec-fetch-site") == "cross-site"
