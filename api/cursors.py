"""Opaque cursors: the position in a paged query, sealed (AES-GCM) and bound to that query.

Only the API reads or creates them: their content (rank and key of the last row) is not for the client to see or store.
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
from queries.paging import AfterRow

_NONCE = 12
"""Bytes of the random nonce (NIST SP 800-38D): by the birthday bound, 2^32 of them are safe."""


class Bound(Struct, frozen=True, array_like=True):
    """The part that every cursor has: the digest of its query."""

    query: str


class Cursor(Bound, frozen=True, array_like=True):
    """A page's end: the stamp of the cells that page 1 was read from, and the ranks and key of the last row."""

    stamp: str
    ranks: tuple[str, ...]
    key: str

    @property
    def after(self) -> AfterRow:
        """The position at which the next page begins."""
        return AfterRow(self.ranks, self.key)


class DaysCursor(Cursor, frozen=True, array_like=True):
    """A page's end, and the days that page 1 resolved."""

    first: date
    last: date


class ReportCursor(Cursor, frozen=True, array_like=True):
    """A page's end, and the moments that page 1 resolved. The next page begins after the row, in the time bucket
    `bucket`, or at position `start` of a stored walk. For buckets, `stamp` covers only those until `stamped`, since
    later ones grow anyway."""

    begins: datetime
    ends: datetime
    bucket: datetime | None = None
    stamped: datetime | None = None
    walk: str = ""
    start: int = 0


C = TypeVar("C", bound=Bound)


def encode_cursor(cursor: Bound, secret: bytes) -> str:
    """Return the cursor's text."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + _box(secret).encrypt(nonce, msgspec.json.encode(cursor), None)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def decode_cursor(text: str, secret: bytes, query: str, kind: type[C]) -> C:
    """Return the cursor in a text. Raises BadRequest if it was not sealed here, was altered, or has another query."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        payload = _box(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except (ValueError, InvalidTag):
        raise BadRequest(
            f"page: {text[:40]!r} is not a valid cursor. Allowed: next_page of the previous page."
        ) from None
    if msgspec.json.decode(payload, type=Bound).query != query:
        raise BadRequest(
            "page: this cursor belongs to another query. Allowed: next_page with the same parameters as on the first "
            "page; only limit may change."
        )
    return msgspec.json.decode(payload, type=kind)


def digest_of(*parts: str) -> str:
    """Return the digest that binds a cursor to its query."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _box(secret: bytes) -> AESGCM:
    return AESGCM(hmac.digest(secret, b"cursors", "sha256"))
