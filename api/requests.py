"""What all routes share: a request's parameters, and the refusals of the OpenAPI document."""

from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from api.errors import BadRequest, ErrorBody
from api.parameters import Given, collect

Declared = NamedDependency[None]


def given_of(request: Request[Any, Any, Any], allowed: tuple[str, ...]) -> Given:
    """The request's parameters. Raises BadRequest."""
    try:
        items = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=500)
    except ValueError:
        raise BadRequest("The query has more than 500 parameters. Allowed: fewer.") from None
    return collect(items, allowed)


REFUSALS: dict[int, ResponseSpec] = {
    status: ResponseSpec(ErrorBody, generate_examples=False, description=said)
    for status, said in {
        400: "A parameter is wrong.",
        401: "No key, token or session, or none that is good now.",
        403: "The key lacks the scope, or the person the role.",
        404: "There is no such resource, or the installation hides refusals.",
        410: "A day was revised since page 1.",
        429: "The organization has asked too often; `retry-after` says when there is room.",
        500: "A bug.",
        503: "Something behind the API is away; `retry-after` says when to ask again.",
    }.items()
}
