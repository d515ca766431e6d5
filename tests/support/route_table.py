"""The application's routes, read from its own table, and which of them tell of spend, by what they answer with."""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from api.claude_code import routes
from api.usage.endpoints import REPORTS

OPEN = {"/alive", "/health", "/sign-in", "/sign-out"}
"""Routes that tell nothing of any organization."""

SPENDING = re.compile(r"spend|cost|price|usd|amount|currency")


PAGES = ("/organizations/", "/assets/")
"""Where the dashboard's routes begin, besides its two first pages; tests/browser/test_roles.py walks over those."""

FIRST_PAGES = {"/", "/operator"}

CLAUDE_CODE = f"{routes.PREFIX}/{routes.NAME}"

OPERATING = "/operator/"
"""Where routes begin that tell of the installation and of no organization."""


def handlers(app: Litestar, of_operators: bool = False) -> Iterator[tuple[str, HTTPRouteHandler]]:
    """Every GET of an organization, or every one of operators, by its path; the OpenAPI document left out."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or route.path in OPEN | FIRST_PAGES:
            continue
        if route.path.startswith(("/schema", *PAGES)):
            continue
        if route.path.startswith(OPERATING) == of_operators:
            yield from ((route.path, handler) for handler in route.route_handlers if "GET" in handler.http_methods)


def names_in(kind: Any) -> Iterator[str]:
    """The names of all fields of a type of answers, those of its parts included."""
    for part in get_args(kind):
        yield from names_in(part)
    struct = get_origin(kind) or kind
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct):
        for field in msgspec.structs.fields(struct):
            yield field.encode_name
            yield from names_in(field.type)


def may_tell_spend(handler: HTTPRouteHandler) -> bool:
    """Whether any field of its answers sounds like money; an answer without named fields is taken for one that does."""
    names = list(names_in(handler.parsed_fn_signature.return_type.annotation))
    return not names or any(SPENDING.search(name) for name in names)


def money_in(value: Any, path: str = "") -> list[str]:
    """The places of a JSON answer at which something that sounds like money stands, null left out."""
    if isinstance(value, list):
        return [place for each in value for place in money_in(each, path)]
    if not isinstance(value, dict):
        return []
    found = [f"{path}{name}" for name, each in value.items() if SPENDING.search(name) and each is not None]
    return found + [place for name, each in value.items() for place in money_in(each, f"{path}{name}.")]


def days_of(path: str) -> dict[str, str]:
    """Days that every route takes and that hold something."""
    if path == CLAUDE_CODE:
        return {"starting_at": "2026-11-17"}
    if path.split("/")[-1] in {report.name for report in REPORTS}:
        return {"starting_at": "2026-10-22T00:00:00Z"}
    return {"date": "2026-11-17"} if path.endswith("artifacts") else {"starting_date": "2026-10-15"}
