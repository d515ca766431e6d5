"""Responses with HTML pages: templates that escape every value, and headers that block foreign content."""

import gzip
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response

from api.dashboard import formatting
from api.dashboard.charts import draw
from api.exception_handlers import error_response
from api.static_files import url_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "vary": "accept-encoding",
}
WORTH_PACKING = 1024

TITLES = {
    400: "This address is not valid",
    401: "Sign in first",
    403: "You do not have access to this page",
    404: "There is no such page",
    405: "This is not possible here",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "The numbers cannot be read at present",
}

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.globals.update(asset=url_of, draw=draw, exact=formatting.exact, shown=formatting.shown)
templates.globals.update(moment=formatting.timestamp, days=formatting.days, day=formatting.day)


def html(request: Request[Any, Any, Any], template: str, status: int = 200, **values: Any) -> Response[bytes]:
    """Render a template, compressed if the browser accepts that."""
    body = templates.get_template(template).render(values).encode()
    headers = dict(HEADERS)
    if len(body) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = gzip.compress(body, 5, mtime=0), "gzip"
    return Response(body, status_code=status, headers=headers, media_type="text/html")


def refuse_page(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return the page for an error. An unexpected error is logged with the request's id, as in the API."""
    told = error_response(request, error)
    status = told.status_code or 500
    title = TITLES.get(status, "This is not possible")
    values = {"title": title, "message": told.content.error.message, "address": request.url.path}
    response = html(request, "refused.html", status, **values)
    response.headers.update(told.headers)
    return response
