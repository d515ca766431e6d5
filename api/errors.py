"""Everything that the API refuses with: one tree, each with its status and what the caller can do about it.

Bodies and types are those of the original's (docs/api.md): `{"type": "error", "error": {"type", "message"},
"request_id"}`.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct


class ErrorDetail(Struct, frozen=True):
    """What went wrong, for programs (`type`) and for people (`message`)."""

    type: str
    message: str


class ErrorBody(Struct, frozen=True, kw_only=True):
    """The body of every refusal."""

    type: Literal["error"] = "error"
    error: ErrorDetail
    request_id: str


class ApiError(Exception):
    """A refusal. `retry_after` is in seconds, for the header of that name."""

    status = 500
    type = "api_error"

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the refusal."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}


class BadRequest(ApiError):
    """A parameter is wrong: the message names it, its value and what is allowed."""

    status = 400
    type = "invalid_request_error"


class Unauthenticated(ApiError):
    """Nobody who is known: no key, token or session, or one that is not good now."""

    status = 401
    type = "authentication_error"

    @property
    def headers(self) -> dict[str, str]:
        """How to log in, as RFC 9110 section 11.6.1 wants it told."""
        return super().headers | {"www-authenticate": "Bearer"}


class Forbidden(ApiError):
    """Whoever asks is known, but may not have this."""

    status = 403
    type = "permission_error"


class MissingScope(Forbidden):
    """The key is good, but not for this."""


class MissingRole(Forbidden):
    """The person has no role that sees this; the message says which roles do."""


class SpendForbidden(Forbidden):
    """Whoever asks sees all but spend. The message is the same whatever there is, so that it tells nothing."""

    def __init__(self) -> None:
        super().__init__("This is about spend, which only owners, and keys with the scope read:analytics, see.")


class PricedDetail(Forbidden):
    """Whoever asks sees all but spend, and asks for what spend could be computed from."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} would tell what usage costs, which only owners, and keys with the scope read:analytics, see. "
            "Ask without it, or let the installation's operator open it (setting api_gross_spend_for)."
        )


class CrossSite(Forbidden):
    """A page of another site sent the request."""


class NotFound(ApiError):
    """There is no such thing, or the installation does not say that there is."""

    status = 404
    type = "not_found_error"


class CursorExpired(ApiError):
    """A day that the cursor walks over was revised: the walk begins anew at its first page."""

    status = 410
    type = "invalid_request_error"


class Changed(ApiError):
    """What was issued is not there any more as it was issued."""

    status = 410
    type = "not_found_error"


class RateLimited(ApiError):
    """The organization has asked too often, or somebody tried too often to sign in."""

    status = 429
    type = "rate_limit_error"


class Unavailable(ApiError):
    """Something behind the API is away; the same request works later."""

    status = 503
    type = "api_error"


def invalid_parameter(parameter: str, value: object, allowed: str) -> BadRequest:
    """The refusal of a parameter's value."""
    shown = str(value)
    return BadRequest(f"{parameter}: {shown[:200]!r} is not allowed. Allowed: {allowed}.")


def one_of(values: Iterable[str]) -> str:
    """A list of values for a message."""
    return "one of " + ", ".join(values)
