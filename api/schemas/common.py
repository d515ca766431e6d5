"""Parts shared by all rows: metrics filled by name, people, pages."""

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
"""Fields that expose spend, in rows whose other fields do not."""

SEARCHES = "web_search_count"
"""A count of units that all have one price, so that it reveals the cost."""


class Metrics(Struct, frozen=True, kw_only=True):
    """A block of metrics. Fields of type int are counted; a nullable field has no data source yet."""


class User(Struct, frozen=True, kw_only=True):
    """A person. `email_address` is the present one, "" for a forgotten person; `email` is its older spelling."""

    type: Literal["user"] = "user"
    id: str
    email_address: str
    email: str


class ResponsePage(Struct, Generic[R], frozen=True, kw_only=True):
    """One page of rows. Pass `next_page` as the parameter `page`; it is null on the last page.

    The rows include everything that the log had received by `data_refreshed_at`.
    """

    data: list[R]
    next_page: str | None = None
    organization_id: str
    data_refreshed_at: datetime | None = None


def filled(kind: type[T], counts: Mapping[str, int], **others: Any) -> T:
    """Return a row whose int fields are the counts of their dotted names (0 if missing)."""
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
    """Yield the dotted names of a row's metrics, by which it can be ordered."""
    for field in msgspec.structs.fields(kind):
        if field.type is int:
            yield prefix + field.name
        elif _is_block(field.type):
            yield from metric_names(field.type, f"{prefix}{field.name}.")


def _is_block(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Metrics)


def without_spend(row: S) -> S:
    """Return the row for a viewer without spend."""
    return msgspec.structs.replace(row, **{name: None for name in row.__struct_fields__ if name in SPEND_FIELDS})


def without_searches(row: S) -> S:
    """Return the row for a viewer who may not compute what usage cost: web searches are 0."""
    return msgspec.structs.replace(row, **{name: 0 for name in row.__struct_fields__ if name == SEARCHES})


def cents(units: str) -> str | None:
    """Return an amount in cents, given in units of 10^-24 USD; None if it is unknown."""
    return money_text(Decimal(units).scaleb(-22, EXACT)) if units else None


def user_of(uuid: str, email: str) -> User:
    """Return a person, by account."""
    return User(id=tagged(USER, uuid), email_address=email, email=email)
