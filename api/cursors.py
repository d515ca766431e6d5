"""Opaque cursors: where a walk over pages stands, sealed (AES-GCM), and bound to the query that began it.

Nobody but us reads or makes one: what is in it (the last row's rank and key) is not its holder's to know or to keep.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import date, datetime
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from api.errors import BadRequest

_NONCE = 12
"""Bytes that are drawn for each cursor (NIST SP 800-38D): by the birthday bound 2^32 of them are safe."""


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
    """The query, the moments that page 1 resolved, and where the next page begins: beyond the ranks and key of a row,
    with the bucket of time `bucket`, or at the place `start` of a walk that is kept. `stamp` is of the cells of what
    was given; of buckets of those until `stamped`, since what comes later grows of itself."""

    begins: datetime
    ends: datetime
    stamp: str
    bucket: datetime | None = None
    first: str = ""
    second: str = ""
    key: str = ""
    stamped: datetime | None = None
    walk: str = ""
    start: int = 0


C = TypeVar("C", bound=Bound)


def encode_cursor(cursor: Bound, secret: bytes) -> str:
    """The text of a cursor."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + _box(secret).encrypt(nonce, msgspec.json.encode(cursor), None)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def decode_cursor(text: str, secret: bytes, query: str, kind: type[C]) -> C:
    """The cursor of a text. Raises BadRequest when it was not sealed here, was altered, or is another query's."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        payload = _box(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except (ValueError, InvalidTag):
        raise BadRequest(
            f"page: {text[:40]!r} is no cursor of this API. Allowed: next_page of the page before."
        ) from None
    if msgspec.json.decode(payload, type=Bound).query != query:
        raise BadRequest(
            "page: this cursor belongs to another query. Allowed: next_page with the very parameters of the first "
            "page; only limit may change."
        )
    return msgspec.json.decode(payload, type=kind)


def digest_of(*parts: str) -> str:
    """What binds a cursor to its query."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _box(secret: bytes) -> AESGCM:
    return AESGCM(hmac.digest(secret, b"cursors", "sha256"))
