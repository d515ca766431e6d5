"""Paging, shared by all lists: the newest day, the query a cursor is bound to, and consistency across pages."""

from collections.abc import Callable, Sequence
from datetime import date

from api.context import Context
from api.cursors import C, Cursor, decode_cursor, digest_of
from api.errors import CursorExpired, Unavailable
from api.parameters import QueryParams, single
from api.principal import Viewer
from queries.freshness import Freshness
from queries.sql_files import Row

Secret = Callable[[], bytes]
"""Reads the secret that seals cursors, which an empty database does not have yet."""


def newest_day(context: Context, freshness: Freshness) -> date:
    """Return the newest complete day. Raises Unavailable while it is unknown."""
    newest = freshness.newest_complete_day(context.grace)
    if newest is None:
        raise Unavailable("No day is complete yet: part of the log was never read to its end. Try again later.", 60)
    return newest


def query_digest(endpoint: str, viewer: Viewer, given: QueryParams) -> str:
    """Return the digest a cursor is bound to: the viewer, and all parameters that decide which rows there are."""
    deciding = sorted(f"{name}={value}" for name in given if name not in ("page", "limit") for value in given[name])
    return digest_of(endpoint, viewer.organization_id, viewer.name, *deciding)


def read_cursor(given: QueryParams, secret: Secret, query: str, kind: type[C]) -> C | None:
    """Return the cursor of the query with this digest; None on page 1, which needs no secret. Raises BadRequest."""
    text = single(given, "page")
    return None if text is None else decode_cursor(text, secret(), query, kind)


def read_consistently(
    read: Callable[[], Sequence[Row]], stamp_now: Callable[[], str], cursor: Cursor | None, what: str
) -> tuple[str, Sequence[Row]]:
    """Return the stamp of the rows' cells and the rows, so that all pages show the same state.

    Page 1 reads the stamp before the rows, later pages after them. Raises CursorExpired if `what` was revised since
    page 1.
    """
    if cursor is None:
        seen = stamp_now()
        return seen, read()
    rows = read()
    require_unrevised(stamp_now(), cursor, what)
    return cursor.stamp, rows


def require_unrevised(stamp: str, cursor: Cursor, what: str) -> None:
    """Raise CursorExpired if the cells' stamp differs from the one on page 1."""
    if stamp != cursor.stamp:
        raise CursorExpired(f"page: {what} was revised since page 1. Start again without page.")
