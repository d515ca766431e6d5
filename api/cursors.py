"""Opaque cursors: where a walk over pages stands, signed, and bound to the query that began it."""

import base64
import hashlib
import hmac
from datetime import date, datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from api.errors import BadRequest

_SIGNATURE = 16
"""Bytes of HMAC-SHA256: 128 bits, as strong as the UUIDs that a forger would want to read."""


class Bound(Struct, frozen=True, array_like=True):
    """What every cursor holds: the digest of its query."""

    query: str


class Cursor(Bound, frozen=True, array_like=True):
    """The query, the days that page 1 resolved, their cells (stamp), and the last row that was given."""

    first: date
    last: date
    stamp: str
    rank: str
    key: str


class ReportCursor(Bound, frozen=True, array_like=True):
    """The query, the moments that page 1 resolved, the cells of what was given (stamp), and where the next page begins:
    beyond the ranks and key of a row, or with the bucket of time `bucket`."""

    begins: datetime
    ends: datetime
    stamp: str
    bucket: datetime | None = None
    first: str = ""
    second: str = ""
    key: str = ""


C = TypeVar("C", bound=Bound)


def seal(cursor: Bound, secret: bytes) -> str:
    """The text of a cursor."""
    payload = msgspec.json.encode(cursor)
    return base64.urlsafe_b64encode(_sign(payload, secret) + payload).decode().rstrip("=")


def unseal(text: str, secret: bytes, query: str, kind: type[C]) -> C:
    """The cursor of a text. Raises BadRequest when it was not sealed here, was altered, or is another query's."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        sealed = b""
    signature, payload = sealed[:_SIGNATURE], sealed[_SIGNATURE:]
    if not hmac.compare_digest(signature, _sign(payload, secret)):
        raise BadRequest(f"page: {text[:40]!r} is no cursor of this API. Allowed: next_page of the page before.")
    if msgspec.json.decode(payload, type=Bound).query != query:
        raise BadRequest(
            "page: this cursor belongs to another query. Allowed: next_page with the very parameters of the first "
            "page; only limit may change."
        )
    return msgspec.json.decode(payload, type=kind)


def digest_of(*parts: str) -> str:
    """What binds a cursor to its query."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _sign(payload: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, payload, "sha256")[:_SIGNATURE]
