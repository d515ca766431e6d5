"""Conversion of exceptions to responses: one body for every error, with the request's id."""

import logging
from pathlib import Path
from typing import Any

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.routes import BaseRoute, HTTPRoute

from api.errors import ApiError, ErrorBody, ErrorDetail

logger = logging.getLogger("tally.api")

REQUEST_ID = "tally.request_id"

_STATUS_TYPES = {404: "not_found_error", 405: "invalid_request_error", 413: "request_too_large"}


def error_response(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """Return an error's body, status and headers. An unexpected error is logged with the request's id."""
    request_id = request_id_of(request)
    known = _known(error)
    if known.status == 500:
        logger.error("%s: %s %s failed", request_id, request.method, request.url.path, exc_info=error)
    body = ErrorBody(error=ErrorDetail(known.type, known.message), request_id=request_id)
    headers = known.headers | ({"allow": ", ".join(allowed_methods(request))} if known.status == 405 else {})
    return Response(body, status_code=known.status, headers=headers, media_type="application/json")


def allowed_methods(request: Request[Any, Any, Any]) -> list[str]:
    """Return the methods of the requested path, which a 405 must list (RFC 9110 section 15.5.6)."""
    asked = [part for part in request.url.path.split("/") if part]
    return sorted({method for route in request.app.routes if _leads(route, asked) for method in _methods(route)})


def _leads(route: BaseRoute, asked: list[str]) -> bool:
    parts = route.path_components
    takes_the_rest = bool(parts) and not isinstance(parts[-1], str) and parts[-1].type is Path
    if len(asked) < len(parts) or (len(asked) > len(parts) and not takes_the_rest):
        return False
    return all(not isinstance(part, str) or part == given for part, given in zip(parts, asked, strict=False))


def _methods(route: BaseRoute) -> set[str]:
    return set(route.methods) if isinstance(route, HTTPRoute) else set()


def request_id_of(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    """Return the id in the response's header `request-id`."""
    return str(connection.scope.get(REQUEST_ID, ""))


def _known(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if not isinstance(error, HTTPException) or error.status_code >= 500:
        return ApiError("Something went wrong here. Search the server's log for the request id.")
    told = ApiError(_told(error))
    told.status = error.status_code
    told.type = _STATUS_TYPES.get(error.status_code, "invalid_request_error")
    return told


def _told(error: HTTPException) -> str:
    if isinstance(error, MethodNotAllowedException):
        return "The header `allow` lists the methods of this path."
    return "There is no such resource." if error.status_code == 404 else error.detail
