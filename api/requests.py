"""Request parsing shared by all routes, and the error responses of the OpenAPI document."""

from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.openapi.datastructures import ResponseSpec

from api.errors import BadRequest, ErrorBody
from api.parameters import QueryParams, collect

AnyRequest = Request[Any, Any, Any]
Declared = NamedDependency[None]


def given_of(request: AnyRequest, allowed: tuple[str, ...]) -> QueryParams:
    """Return the request's parameters. Raises BadRequest."""
    return collect(parameters_of(request, most=500), allowed)


def parameters_of(request: AnyRequest, most: int) -> list[tuple[str, str]]:
    """Return the address's parameters in order, with U+FFFD for invalid UTF-8. Raises BadRequest for too many."""
    try:
        return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise BadRequest(f"The query has more than {most} parameters. Allowed: fewer.") from None


async def body_of(request: AnyRequest) -> bytes:
    """Return the body. Raises BadRequest if the client left before the end; then no one reads the response."""
    try:
        return await request.body()
    except InternalServerException:
        raise BadRequest("The body is incomplete. Allowed: as many bytes as content-length announces.") from None


REFUSALS: dict[int, ResponseSpec] = {
    status: ResponseSpec(ErrorBody, generate_examples=False, description=said)
    for status, said in {
        400: "A parameter is invalid.",
        401: "There is no key, token or session, or it is not valid now.",
        403: "The key lacks the scope, or the person lacks the role.",
        404: "There is no such resource, or the installation hides refusals.",
        421: "The header `host` names another server.",
        410: "A day was revised since page 1.",
        429: "Too many requests by the organization; `retry-after` has the seconds to wait.",
        500: "A bug.",
        503: "A server that the API depends on is not available; `retry-after` has the seconds to wait.",
    }.items()
}
