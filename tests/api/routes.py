"""The application's routes, read from its own table, and which of them tell of spend, by what they answer with."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

OPEN = {"/alive", "/health", "/sign-in", "/sign-out"}
"""Routes that tell nothing of any organization."""

SPENDING = re.compile(r"spend|cost|price|usd|amount|currency")


OPERATING = "/operator/"
"""Where routes begin that tell of the installation and of no organization."""


def handlers(app: Litestar, of_operators: bool = False) -> Iterator[tuple[str, HTTPRouteHandler]]:
    """Every GET of an organization, or every one of operators, by its path; the OpenAPI document left out."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or route.path in OPEN or route.path.startswith("/schema"):
            continue
        if route.path.startswith(OPERATING) == of_operators:
            yield from ((route.path, handler) for handler in route.route_handlers if "GET" in handler.http_methods)


def names_in(document: Any) -> Iterator[str]:
    """The names of all properties of a JSON Schema."""
    if isinstance(document, dict):
        yield from document.get("properties", {})
        for child in document.values():
            yield from names_in(child)
    if isinstance(document, list):
        for child in document:
            yield from names_in(child)


def may_tell_spend(handler: HTTPRouteHandler) -> bool:
    """Whether any field of its answers sounds like money; an answer without named fields is taken for one that does."""
    kind = handler.parsed_fn_signature.return_type.annotation
    try:
        names = list(names_in(msgspec.json.schema(kind)))
    except TypeError:
        return True
    return not names or any(SPENDING.search(name) for name in names)


def money_in(value: Any, path: str = "") -> list[str]:
    """The places of a JSON answer at which something that sounds like money stands, null left out."""
    if isinstance(value, list):
        return [place for each in value for place in money_in(each, path)]
    if not isinstance(value, dict):
        return []
    found = [f"{path}{name}" for name, each in value.items() if SPENDING.search(name) and each is not None]
    return found + [place for name, each in value.items() for place in money_in(each, f"{path}{name}.")]
