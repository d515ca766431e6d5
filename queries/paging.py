"""The order of a list, and the position and end of its pages, for every paged query.

Rows are ordered by their ranks and then by their key, which no two rows share, so a walk over the pages sees every row
once. A query reads one row more than its page has: that row shows that there is a next page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from queries.sql_files import Row


@dataclass(frozen=True)
class AfterRow:
    """The end of a page: its last row's ranks and key. Without a key it is the beginning of the list."""

    ranks: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Ranking:
    """The order, start and length of a page. `by`: a metric's name, or "" for the list's own order; with `by_time`, by
    time bucket first."""

    by: str = ""
    descending: bool = False
    after: AfterRow = field(default_factory=AfterRow)
    limit: int = 1000
    by_time: bool = False

    def of_page(self, length: int) -> "Ranking":
        """Return the ranking that reads a page of that length, and one row more."""
        return replace(self, limit=length + 1)

    def parameters(self, ranks: Sequence[str] = (), lowest: str = "") -> dict[str, Any]:
        """Return the parameters of a query with these columns of ranks; on page 1 each rank is `lowest`, which the
        query does not look at."""
        after = self.after.ranks or (lowest,) * len(ranks)
        return {
            "order_by": self.by,
            "by_time": self.by_time,
            "descending": self.descending,
            **{f"after_{name.removesuffix('_rank')}": rank for name, rank in zip(ranks, after, strict=True)},
            "after_key": self.after.key,
            "limit": self.limit,
        }

    def is_beyond(self, row: AfterRow) -> bool:
        """Return True if a row comes after the end of the previous page."""
        after = self.after
        if not after.key or row.ranks == after.ranks:
            return row.key > after.key
        return (row.ranks < after.ranks) == self.descending


@dataclass(frozen=True)
class Page:
    """The rows of a page, and its end if another page follows."""

    rows: Sequence[Row]
    end: AfterRow | None


def cut_page(found: Sequence[Row], length: int, ranks: Sequence[str] = ()) -> Page:
    """Return the page in the rows that `Ranking.of_page` reads; `ranks` are their columns of ranks."""
    rows = found[:length]
    if len(found) <= length:
        return Page(rows, None)
    last = rows[-1]
    return Page(rows, AfterRow(tuple(last[name] for name in ranks), last["key"]))
