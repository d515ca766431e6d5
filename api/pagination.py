"""What pages of every list share: their newest day, what a cursor is bound to, and the same rows on each of them."""

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
    """The newest day that is complete. Raises Unavailable while nobody knows one."""
    newest = freshness.newest_complete_day(context.grace)
    if newest is None:
        raise Unavailable("No day is complete yet: part of the log was never read to its end. Try again later.", 60)
    return newest


def query_digest(endpoint: str, viewer: Viewer, given: QueryParams) -> str:
    """What a cursor is bound to: who asks, and all that decides which rows there are and in which order."""
    deciding = sorted(f"{name}={value}" for name in given if name not in ("page", "limit") for value in given[name])
    return digest_of(endpoint, viewer.organization_id, viewer.name, *deciding)


def read_consistently(
    read: Callable[[], Sequence[Row]], stamp_now: Callable[[], str], cursor: Cursor | None
) -> tuple[str, Sequence[Row]]:
    """The rows and the stamp of their cells: first the stamp on page 1, last on later ones, so that both saw the same.

    Raises CursorExpired when they did not.
    """
    if cursor is None:
        seen = stamp_now()
        return seen, read()
    rows = read()
    if stamp_now() != cursor.stamp:
        raise CursorExpired(
            f"page: a day from {cursor.first} to {cursor.last}, or what its rows are placed by, was revised since "
            "page 1. Begin again without it."
        )
    return cursor.stamp, rows
