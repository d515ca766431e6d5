"""The errors of the API: one tree, each with its HTTP status and a message with what to do next.

Bodies and types are those of the original API (docs/api.md): `{"type": "error", "error": {"type", "message"},
"request_id"}`.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct


class ErrorDetail(Struct, frozen=True):
    """An error, for programs (`type`) and for people (`message`)."""

    type: str
    message: str


class ErrorBody(Struct, frozen=True, kw_only=True):
    """The body of every error response."""

    type: Literal["error"] = "error"
    error: ErrorDetail
    request_id: str


class ApiError(Exception):
    """An error response. `retry_after` is in seconds, for the header of that name."""

    status = 500
    type = "api_error"

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the error response."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}


class BadRequest(ApiError):
    """A parameter is invalid: the message has its name, its value and what is allowed."""

    status = 400
    type = "invalid_request_error"


class Unauthenticated(ApiError):
    """There is no key, token or session, or it is not valid now."""

    status = 401
    type = "authentication_error"

    @property
    def headers(self) -> dict[str, str]:
        """The headers, with the challenge that RFC 9110 section 11.6.1 requires."""
        return super().headers | {"www-authenticate": "Bearer"}


class Forbidden(ApiError):
    """The caller is known, but may not access this."""

    status = 403
    type = "permission_error"


class MissingScope(Forbidden):
    """The key is valid, but lacks the scope."""


class MissingRole(Forbidden):
    """The person's role may not see this; the message names the roles that may."""


class SpendForbidden(Forbidden):
    """The caller may not see spend. The message is the same in every case, so that it reveals nothing."""

    def __init__(self) -> None:
        super().__init__("This exposes spend, which only owners, and keys with the scope read:analytics, may see.")


class PricedDetail(Forbidden):
    """The caller may not see spend and requests details from which spend could be computed."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} would reveal the cost of usage, which only owners, and keys with scope read:analytics, may see. "
            "Leave it out, or have the installation's operator open it (setting api_gross_spend_for)."
        )


class CrossSite(Forbidden):
    """A page of another site sent the request."""


class NotFound(ApiError):
    """The resource does not exist, or the installation hides that it does."""

    status = 404
    type = "not_found_error"


class CursorExpired(ApiError):
    """A day that the cursor covers was revised: start again from the first page."""

    status = 410
    type = "invalid_request_error"


class Changed(ApiError):
    """The resource is no longer available as it was issued."""

    status = 410
    type = "not_found_error"


class RateLimited(ApiError):
    """Too many requests by an organization, or too many failed sign-ins."""

    status = 429
    type = "rate_limit_error"


class Unavailable(ApiError):
    """A server that the API depends on is not available; retry the same request later."""

    status = 503
    type = "api_error"


def invalid_parameter(parameter: str, value: object, allowed: str) -> BadRequest:
    """Return the error for a parameter's value."""
    shown = str(value)
    return BadRequest(f"{parameter}: {shown[:200]!r} is not allowed. Allowed: {allowed}.")


def one_of(values: Iterable[str]) -> str:
    """Return a list of values for a message."""
    return "one of " + ", ".join(values)
