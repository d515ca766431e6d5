"""Rows of the Claude Code report."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct

from api.schemas.common import Metrics, filled
from pricing.money import EXACT, money_text
from queries.sql_files import Row
from reports.periods import midnight

SUBSCRIPTIONS: dict[str, Literal["enterprise", "team"]] = {
    "team": "team",
    "enterprise_usage_based": "enterprise",
    "enterprise_seat_based": "enterprise",
}
"""Subscription type by plan. Without a plan there is no subscription."""


class UserActor(Struct, frozen=True, kw_only=True, tag="user_actor", tag_field="type"):
    """A person, by the present e-mail address; "" for a forgotten person."""

    email_address: str


class ApiActor(Struct, frozen=True, kw_only=True, tag="api_actor", tag_field="type"):
    """A key, service account or federated identity, by its present name, or by its id if the directory has no name."""

    api_key_name: str


class LinesOfCode(Metrics, frozen=True, kw_only=True):
    """Lines that people accepted."""

    added: int
    removed: int


class CoreMetrics(Metrics, frozen=True, kw_only=True):
    """Sessions and their results."""

    num_sessions: int
    lines_of_code: LinesOfCode
    commits_by_claude_code: int
    pull_requests_by_claude_code: int


class ToolAction(Metrics, frozen=True, kw_only=True):
    """Proposals of one tool."""

    accepted: int
    rejected: int


class ToolActions(Metrics, frozen=True, kw_only=True):
    """Proposals of the editing tools."""

    edit_tool: ToolAction
    multi_edit_tool: ToolAction
    write_tool: ToolAction
    notebook_edit_tool: ToolAction


class Tokens(Struct, frozen=True, kw_only=True):
    """Tokens of a model, in disjoint classes."""

    input: int
    output: int
    cache_read: int
    cache_creation: int


class Cost(Struct, frozen=True, kw_only=True):
    """An amount in cents: a JSON number with all its digits; null if the model has no price.

    The type is for the OpenAPI document. The value is the number's text, so that it never becomes a float.
    """

    currency: Literal["USD"] = "USD"
    amount: float | None


class ModelUse(Struct, frozen=True, kw_only=True):
    """The usage of a model. `estimated_cost` is null for a viewer without spend."""

    model: str
    tokens: Tokens
    estimated_cost: Cost | None


class ClaudeCodeDay(Struct, frozen=True, kw_only=True):
    """An actor's activity in one terminal on one day, separately for remote and local."""

    date: datetime
    actor: UserActor | ApiActor
    organization_id: str
    customer_type: Literal["api", "subscription"]
    subscription_type: Literal["enterprise", "team"] | None
    terminal_type: str
    is_remote: bool
    core_metrics: CoreMetrics
    tool_actions: ToolActions
    model_breakdown: list[ModelUse]


class ClaudeCodePage(Struct, frozen=True, kw_only=True):
    """Rows of one day; pass `next_page` as the parameter `page`. `unpriced_models` are the models in these rows whose
    cost is unknown; null for a viewer without spend."""

    data: list[ClaudeCodeDay]
    has_more: bool
    next_page: str | None
    organization_id: str
    data_refreshed_at: datetime | None
    unpriced_models: list[str] | None


def claude_code_day(
    row: Row, organization_id: str, day: date, plan: str, sees_spend: bool, sees_detail: bool
) -> ClaudeCodeDay:
    """Return a row as the API returns it. Without detail, all input tokens are one class (api/usage/redaction.py)."""
    person, on_plan = row["actor_type"] == "user", SUBSCRIPTIONS.get(plan)
    subscription = on_plan if person else None
    machine = row["name"] or row["actor_id"]
    return ClaudeCodeDay(
        date=midnight(day),
        actor=UserActor(email_address=row["email"]) if person else ApiActor(api_key_name=machine),
        organization_id=organization_id,
        customer_type="subscription" if subscription else "api",
        subscription_type=subscription,
        terminal_type=row["terminal"],
        is_remote=bool(row["remote"]),
        core_metrics=filled(CoreMetrics, row["counts"]),
        tool_actions=filled(ToolActions, row["counts"]),
        model_breakdown=[_model(use if sees_detail else _blurred(use), sees_spend) for use in row["models"]],
    )


def _blurred(use: tuple[Any, ...]) -> tuple[Any, ...]:
    model, given, output, cache_read, cache_creation, usd = use
    return model, given + cache_read + cache_creation, output, 0, 0, usd


def _model(use: tuple[Any, ...], sees_spend: bool) -> ModelUse:
    model, given, output, cache_read, cache_creation, usd = use
    tokens = Tokens(input=given, output=output, cache_read=cache_read, cache_creation=cache_creation)
    return ModelUse(model=model, tokens=tokens, estimated_cost=Cost(amount=_cents(usd)) if sees_spend else None)


def _cents(usd: str) -> Any:
    if not usd:
        return None
    return msgspec.Raw((money_text(Decimal(usd).scaleb(2, EXACT)) or "0").encode())
