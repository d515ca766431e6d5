"""Paging, shared by all lists: the newest day, the digest a cursor is bound to, and consistency across pages."""

from collections.abc import Callable, Sequence
from datetime import date

from api.context import Context
from api.cursors import Cursor, digest_of
from api.errors import CursorExpired, Unavailable
from api.parameters import QueryParams
from api.principal import Viewer
from queries.freshness import Freshness
from queries.sql_files import Row


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


def read_consistently(
    read: Callable[[], Sequence[Row]], stamp_now: Callable[[], str], cursor: Cursor | None
) -> tuple[str, Sequence[Row]]:
    """Return the rows and the stamp of their cells, so that all pages show the same state.

    Page 1 reads the stamp before the rows, later pages after them. Raises CursorExpired if the stamp differs from
    page 1's.
    """
    if cursor is None:
        seen = stamp_now()
        return seen, read()
    rows = read()
    if stamp_now() != cursor.stamp:
        raise CursorExpired(
            f"page: a day from {cursor.first} to {cursor.last}, or the order of its rows, was revised since page 1. "
            "Start again without page."
        )
    return cursor.stamp, rows
