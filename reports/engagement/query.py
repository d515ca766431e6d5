"""Queries of the engagement tables. Values reach ClickHouse as parameters only; the SQL never changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from queries.data_version import data_version
from queries.paging import Ranking
from queries.result_cache import cache_for
from queries.sql_files import Row, fetch

T = TypeVar("T")

FOLDER = Path(__file__).parent

RANKS = ("rank",)
"""The column by which lists are ordered before the key: text that sorts as the metric does."""


@dataclass(frozen=True)
class EngagementQuery:
    """An organization's days `first` to `last`, filtered and grouped. An empty filter matches everything.

    Groups are those held on the day of the activity. With `by_group` a row counts for each of them, so grouped rows
    overlap. `priced`: the rows expose spend, so a late price is a revision of them too.
    """

    organization_id: str
    first: date
    last: date
    users: Sequence[str] = ()
    groups: Sequence[str] = ()
    projects: Sequence[str] = ()
    products: Sequence[str] = ()
    names: Sequence[str] = ()
    share_statuses: Sequence[str] = ()
    types: Sequence[str] = ()
    shared: Sequence[bool] = ()
    by_user: bool = False
    by_group: bool = False
    by_product: bool = False
    priced: bool = False
    ranking: Ranking = field(default_factory=Ranking)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that all SQL files share."""
        return {
            "organization_id": self.organization_id,
            "first": self.first,
            "last": self.last,
            "users": list(self.users),
            "groups": list(self.groups),
            "everyone": not self.groups and not self.by_group,
            "projects": list(self.projects),
            "products": list(self.products),
            "by_user": self.by_user,
            "by_group": self.by_group,
            "by_product": self.by_product,
            **self.ranking.parameters(RANKS),
        }


def rows(client: Client, name: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Return the result of this folder's SQL file with that name."""
    return fetch(client, FOLDER / f"{name}.sql", parameters)


def cached_rows(
    read: Callable[[Client, EngagementQuery], Sequence[T]],
) -> Callable[[Client, EngagementQuery], Sequence[T]]:
    """Cache a reader's results while nothing that they depend on changes (queries/result_cache.py)."""

    @wraps(read)
    def recall(client: Client, question: EngagementQuery) -> Sequence[T]:
        state = data_version(client, question.organization_id).digest_until(question.last)
        asked = (read.__name__, repr(question))
        return cache_for(client).get_or_compute(asked, state, lambda: read(client, question))

    return recall


def revision_hash(client: Client, question: EngagementQuery) -> str:
    """Return a hash that changes if and only if one of the query's days is revised: equal stamps mean equal cells.

    A page read before a stamp and one read after an equal stamp saw the same cells, and the same of everything else
    that a row's position depends on: groups if they are requested, and names and shares if they are filtered by.
    """
    more = ["terms", "prices"] if question.priced else []
    more += ["groups"] if question.groups or question.by_group else []
    more += ["saved"] if question.names or question.share_statuses else []
    return data_version(client, question.organization_id).revision_hash(question.first, question.last, *more)
