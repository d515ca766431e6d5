"""A question to the engagement tables, and how it reaches ClickHouse: parameters only, the SQL never changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from queries.data_version import data_version
from queries.result_cache import cache_for
from queries.sql_files import Row, fetch

T = TypeVar("T")

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class AfterRow:
    """Where a page ended: the last row's rank and key."""

    rank: str = ""
    key: str = ""


@dataclass(frozen=True)
class Ranking:
    """In which order, from where on and how many. `by` "" is the list's own sort column, else a metric's name.

    Ties are in the order of the rows' keys, so a walk over pages meets every row once.
    """

    by: str = ""
    descending: bool = False
    after: AfterRow = field(default_factory=AfterRow)
    limit: int = 1000


@dataclass(frozen=True)
class EngagementQuery:
    """An organization's days `first` to `last`, narrowed and grouped. An empty filter lets everything through.

    Groups are those held on the day of the activity: with `by_group` a row counts for each of them, so grouped rows
    overlap. `priced`: rows tell of spend, so a late price is a revision of them, too.
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
        """The parameters that the SQL files share."""
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
            "order_by": self.ranking.by,
            "descending": self.ranking.descending,
            "after_rank": self.ranking.after.rank,
            "after_key": self.ranking.after.key,
            "limit": self.ranking.limit,
        }


def rows(client: Client, name: str, parameters: Mapping[str, Any]) -> list[Row]:
    """The answer of the folder's SQL file of that name."""
    return fetch(client, FOLDER / f"{name}.sql", parameters)


def cached_rows(
    read: Callable[[Client, EngagementQuery], Sequence[T]],
) -> Callable[[Client, EngagementQuery], Sequence[T]]:
    """A reader whose answers are given again while nothing changed that they were made of (queries/result_cache.py)."""

    @wraps(read)
    def recall(client: Client, question: EngagementQuery) -> Sequence[T]:
        state = data_version(client, question.organization_id).digest_until(question.last)
        asked = (read.__name__, repr(question))
        return cache_for(client).get_or_compute(asked, state, lambda: read(client, question))

    return recall


def revision_hash(client: Client, question: EngagementQuery) -> str:
    """What changes when any of the question's days is revised, and only then: equal stamps, equal cells.

    A page that is read before a stamp, and one that is read after an equal stamp, saw the same cells, and the same of
    all else that a row's place depends on: groups where they are asked for, what names and shares are filtered by.
    """
    more = ["terms", "prices"] if question.priced else []
    more += ["groups"] if question.groups or question.by_group else []
    more += ["saved"] if question.names or question.share_statuses else []
    return data_version(client, question.organization_id).revision_hash(question.first, question.last, *more)
