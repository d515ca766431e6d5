"""The reports as the SDK's types name them, their rows as comparable values, and the same from the recount."""

import typing
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from anthropic.types.beta.organization import analytics

from tests.reference.usage_and_cost import TOKEN_TYPES, Spending, Tally, Value, cents

PARAMS = {
    "usage_report": analytics.UsageReportListParams,
    "cost_report": analytics.CostReportListParams,
    "user_usage_report": analytics.UserUsageReportListParams,
    "user_cost_report": analytics.UserCostReportListParams,
    "usage": analytics.UsageListParams,
    "cost": analytics.CostListParams,
}
METHODS = tuple(PARAMS)
BUCKETED, NEWER, PRICED = METHODS[:2], METHODS[4:], ("cost_report", "user_cost_report", "cost")
SPLITS = ("cost_type", "token_type")
BEGINS, ENDS = datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 11, 17, tzinfo=UTC)
SPAN = {"starting_at": BEGINS, "ending_at": ENDS}
WIDTHS = {"1d": timedelta(days=1), "1h": timedelta(hours=1), "1m": timedelta(minutes=1)}
Key = tuple[Value, ...]
DIMENSIONS = {
    "claude_tag_categories": "claude_tag_category",
    "rbac_group_ids": "rbac_group_id",
    "user_ids": "actor",
    "actor_ids": "actor",
}
"""What a filter narrows, where that is not its name in the singular."""


def named(method: str, parameter: str) -> list[str]:
    """The values that the SDK's type of a parameter names; none for free text."""
    return _literals(typing.get_type_hints(PARAMS[method])[parameter])


def _literals(kind: Any) -> list[str]:
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    return [value for inner in typing.get_args(kind) for value in _literals(inner)]


def lists(method: str) -> list[str]:
    """The list parameters of a method, groupings apart."""
    hints = typing.get_type_hints(PARAMS[method])
    return [name for name in hints if name.endswith("s") and name not in ("betas", "exclude_deleted_users")]


def cases(of: Any) -> list[tuple[str, str]]:
    """(method, value) for all that `of(method)` gives."""
    return [(method, value) for method in METHODS for value in of(method)]


def width_name(method: str) -> str:
    return "time_bucket_width" if method in NEWER else "bucket_width"


def found(method: str, rows: list[dict[str, Any]], by: Collection[str], width: bool) -> dict[Key, Any]:
    """The rows by (values of `by`..., bucket, component), no two with one key."""
    every = [(row, row) for row in rows]
    if method in BUCKETED:
        every = [(result, row) for row in rows for result in row["results"]]
    values = [(_key(method, row, by) + ((at["starting_at"],) if width else ()), row) for row, at in every]
    if method in PRICED:
        values = [
            ((*key, _dimension(method, row, "cost_type"), _dimension(method, row, "token_type")), row)
            for key, row in values
        ]
    keyed = {key: _numbers(method, row) for key, row in values}
    assert len(keyed) == len(values), "a row came twice"
    return keyed


def _dimension(method: str, row: Mapping[str, Any], name: str) -> Any:
    return (row["group"] if method in NEWER else row)[name]


def _key(method: str, row: Mapping[str, Any], by: Collection[str]) -> Key:
    return tuple(_value(method, row, name) for name in by if name not in SPLITS)


def _value(method: str, row: Mapping[str, Any], name: str) -> Value:
    if name == "actor":
        actor = row["actor"] if method not in NEWER else row["group"]["actor"]
        plain = actor.get("user_id") or actor.get("service_account_id") or actor.get("api_key_id")
        return str(plain or f"federated {actor['subject']} {actor['provider']['type']}")
    value = _dimension(method, row, name)
    if name == "product" and method not in NEWER:
        assert value != "claude_tag"
        return "claude_tag" if value == "claude-tag" else value
    return None if value is None else str(value)


def _numbers(method: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    if method in PRICED:
        cost = row["cost"] if method in NEWER else row
        assert cost["currency"] == "USD"
        return Decimal(cost["amount"]), Decimal(cost["list_amount"]), cost["requests"], tuple(cost["unpriced_models"])
    usage = row["usage"] if method in NEWER else row
    counts = (
        usage["uncached_input_tokens"], usage["cache_read_input_tokens"],
        usage["cache_creation"]["ephemeral_5m_input_tokens"], usage["cache_creation"]["ephemeral_1h_input_tokens"],
        usage["output_tokens"],
    )  # fmt: skip
    assert usage.get("total_tokens", sum(counts)) == sum(counts)
    return (*counts, usage["server_tool_use"]["web_search_requests"], usage["requests"])


def expected(
    method: str, spending: Spending, organization: str, *, by: Collection[str] = (),
    only: Mapping[str, Collection[Value]] | None = None, width: str | None = None,
    begins: datetime = BEGINS, ends: datetime = ENDS,
) -> dict[Key, Any]:  # fmt: skip
    """What `found` should give."""
    names = [name for name in by if name not in SPLITS]
    only = {**(only or {}), **({"actor_type": ["user_actor"]} if method.startswith("user_") else {})}
    bucket = WIDTHS[width] if width else None
    rows = spending.rows(organization, begins, ends, by=names, only=only, width=bucket)
    if method not in PRICED:
        return {key: (*tally.counts[:6], tally.requests + tally.spans) for key, tally in rows.items()}
    split = [name for name in SPLITS if name in by]
    return {(*key, *part): cost for key, tally in rows.items() for part, cost in _costs(tally, split).items()}


def _costs(tally: Tally, split: list[str]) -> dict[Key, Any]:
    others = (None if split else tally.requests + tally.spans, tuple(sorted(tally.unpriced)))

    def cost(*places: int) -> tuple[Any, ...]:
        return (
            cents(tally.net[place] for place in places),
            cents(tally.listed[place] for place in places),
            *others,
        )

    if not split:
        return {(None, None): cost(*range(7))}
    parts: dict[Key, Any] = {}
    if "token_type" in split:
        parts |= {("tokens", name): cost(place) for place, name in enumerate(TOKEN_TYPES) if tally.counts[place]}
    elif tally.requests:
        parts["tokens", None] = cost(*range(5))
    if "cost_type" in split and tally.counts[5]:
        parts["web_search", None] = cost(5)
    if "cost_type" in split and tally.spans + tally.counts[6]:
        parts["code_execution", None] = cost(6)
    return parts


def grouped(method: str, by: list[str]) -> list[str]:
    """What rows are apart by: people's reports by person, too."""
    return ["actor", *by] if method.startswith("user_") else by
