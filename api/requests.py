"""What all routes share: a request's parameters, and the refusals of the OpenAPI document."""

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
    """The request's parameters. Raises BadRequest."""
    return collect(parameters_of(request, most=500), allowed)


def parameters_of(request: AnyRequest, most: int) -> list[tuple[str, str]]:
    """The parameters of the address, in their order; what is no UTF-8 in them stands as U+FFFD. Raises BadRequest."""
    try:
        return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise BadRequest(f"The query has more than {most} parameters. Allowed: fewer.") from None


async def body_of(request: AnyRequest) -> bytes:
    """What was sent. Raises BadRequest when its sender left before its end, which nobody reads any more."""
    try:
        return await request.body()
    except InternalServerException:
        raise BadRequest("The body broke off. Allowed: as many bytes as content-length says.") from None


REFUSALS: dict[int, ResponseSpec] = {
    status: ResponseSpec(ErrorBody, generate_examples=False, description=said)
    for status, said in {
        400: "A parameter is wrong.",
        401: "No key, token or session, or none that is good now.",
        403: "The key lacks the scope, or the person the role.",
        404: "There is no such resource, or the installation hides refusals.",
        421: "The header `host` names another server.",
        410: "A day was revised since page 1.",
        429: "The organization has asked too often; `retry-after` says when there is room.",
        500: "A bug.",
        503: "Something behind the API is away; `retry-after` says when to ask again.",
    }.items()
}
