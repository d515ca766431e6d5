"""What all rows share: metrics that are filled by name, people, pages."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from api.tagged_ids import USER, tagged
from pricing.money import EXACT, money_text

T = TypeVar("T", bound="Metrics")
R = TypeVar("R")
S = TypeVar("S", bound=Struct)

SPEND_FIELDS = frozenset({"estimated_overage_spend", "attributed_list_price", "currency"})
"""Fields of rows that tell of spend, among others that do not."""

SEARCHES = "web_search_count"
"""A count of what has one price, and so is as good as its cost."""


class Metrics(Struct, frozen=True, kw_only=True):
    """A block of metrics. Fields of type int are counted; a field that may be null is one that nothing feeds yet."""


class User(Struct, frozen=True, kw_only=True):
    """A person. The e-mail is the present one, "" for a forgotten person; `email` is its older spelling."""

    type: Literal["user"] = "user"
    id: str
    email_address: str
    email: str


class ResponsePage(Struct, Generic[R], frozen=True, kw_only=True):
    """Some rows. `next_page` goes into the parameter `page`; null after the last.

    All that the log had received by `data_refreshed_at` is counted in them.
    """

    data: list[R]
    next_page: str | None = None
    organization_id: str
    data_refreshed_at: datetime | None = None


def filled(kind: type[T], counts: Mapping[str, int], **others: Any) -> T:
    """A row whose int fields are the counts of their dotted names (0 where there is none)."""
    return kind(**_blocks(kind, counts, ""), **others)


def _blocks(kind: type[Metrics], counts: Mapping[str, int], prefix: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.type is int:
            values[field.name] = counts.get(prefix + field.name, 0)
        elif _is_block(field.type):
            values[field.name] = field.type(**_blocks(field.type, counts, f"{prefix}{field.name}."))
    return values


def metric_names(kind: type[Metrics], prefix: str = "") -> Iterator[str]:
    """The dotted names of a row's metrics, which are what it can be ordered by."""
    for field in msgspec.structs.fields(kind):
        if field.type is int:
            yield prefix + field.name
        elif _is_block(field.type):
            yield from metric_names(field.type, f"{prefix}{field.name}.")


def _is_block(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Metrics)


def without_spend(row: S) -> S:
    """The row as somebody sees it who sees all but spend."""
    return msgspec.structs.replace(row, **{name: None for name in row.__struct_fields__ if name in SPEND_FIELDS})


def without_searches(row: S) -> S:
    """The row as somebody sees it who may not compute what usage cost: searches of the web are not told."""
    return msgspec.structs.replace(row, **{name: 0 for name in row.__struct_fields__ if name == SEARCHES})


def cents(units: str) -> str | None:
    """An amount in cents, from a whole number of 10^-24 USD; None when it is unknown."""
    return money_text(Decimal(units).scaleb(-22, EXACT)) if units else None


def user_of(uuid: str, email: str) -> User:
    """A person, by account."""
    return User(id=tagged(USER, uuid), email_address=email, email=email)
