"""Opaque cursors: where a walk over pages stands, signed, and bound to the query that began it."""

import base64
import hashlib
import hmac
from datetime import date

import msgspec
from msgspec import Struct

from api.errors import BadRequest

_SIGNATURE = 16
"""Bytes of HMAC-SHA256: 128 bits, as strong as the UUIDs that a forger would want to read."""


class Cursor(Struct, frozen=True, array_like=True):
    """The query (its digest), the days that page 1 resolved, their cells (stamp), and the last row that was given."""

    query: str
    first: date
    last: date
    stamp: str
    rank: str
    key: str


def seal(cursor: Cursor, secret: bytes) -> str:
    """The text of a cursor."""
    payload = msgspec.json.encode(cursor)
    return base64.urlsafe_b64encode(_sign(payload, secret) + payload).decode().rstrip("=")


def unseal(text: str, secret: bytes, query: str) -> Cursor:
    """The cursor of a text. Raises BadRequest when it was not sealed here, was altered, or is another query's."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        sealed = b""
    signature, payload = sealed[:_SIGNATURE], sealed[_SIGNATURE:]
    if not hmac.compare_digest(signature, _sign(payload, secret)):
        raise BadRequest(f"page: {text[:40]!r} is no cursor of this API. Allowed: next_page of the page before.")
    cursor = msgspec.json.decode(payload, type=Cursor)
    if cursor.query != query:
        raise BadRequest(
            "page: this cursor belongs to another query. Allowed: next_page with the very parameters of the first "
            "page; only limit may change."
        )
    return cursor


def digest_of(*parts: str) -> str:
    """What binds a cursor to its query."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _sign(payload: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, payload, "sha256")[:_SIGNATURE]
