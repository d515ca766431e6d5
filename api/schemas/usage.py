"""Rows of the usage and cost reports. A dimension is null if `group_by[]` does not name it or the usage has none."""

from datetime import datetime
from typing import Generic, Literal, TypeVar

from msgspec import Struct

from api.schemas.common import ResponsePage

R = TypeVar("R")

TokenType = Literal[
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
    "output_tokens",
]
CostType = Literal["tokens", "web_search", "code_execution"]


class ReportPage(ResponsePage[R], Generic[R], frozen=True, kw_only=True):
    """A page of a report; `has_more` is true if there is a next page."""

    has_more: bool


class UserActor(Struct, frozen=True, kw_only=True):
    """A person as they are now. `deleted`: no longer a member, or without an account; in the latter case there is no
    e-mail, and the name is "Deleted User". `email` is an older spelling."""

    type: Literal["user_actor"] = "user_actor"
    user_id: str
    name: str | None
    email_address: str | None
    email: str | None
    deleted: bool


class ServiceAccountActor(Struct, frozen=True, kw_only=True):
    """A service account."""

    type: Literal["service_account_actor"] = "service_account_actor"
    service_account_id: str


class ApiActor(Struct, frozen=True, kw_only=True):
    """An API key acting for itself."""

    type: Literal["api_actor"] = "api_actor"
    api_key_id: str


class Provider(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The issuer of a federated identity. Of a cloud's own ids only the principal is known; the others are ""."""

    type: str
    account_id: str | None = None
    signed_principal: str | None = None
    subscription_id: str | None = None
    project_number: str | None = None
    issuer: str | None = None


class FederatedActor(Struct, frozen=True, kw_only=True):
    """A caller that a cloud platform vouches for."""

    type: Literal["federated_actor"] = "federated_actor"
    provider: Provider
    subject: str | None


Actor = UserActor | ServiceAccountActor | ApiActor | FederatedActor


class CacheCreation(Struct, frozen=True, kw_only=True):
    """Tokens written to the cache, by how long they are cached."""

    ephemeral_1h_input_tokens: int
    ephemeral_5m_input_tokens: int


class ServerToolUse(Struct, frozen=True, kw_only=True):
    """Use of server tools."""

    web_search_requests: int


class Dimensions(Struct, frozen=True, kw_only=True):
    """The dimensions common to all reports."""

    claude_tag_category: str | None = None
    claude_tag_user_id: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None
    model: str | None = None
    product: str | None = None
    rbac_group_id: str | None = None
    slack_channel_id: str | None = None
    speed: str | None = None


class UsageResult(Dimensions, frozen=True, kw_only=True):
    """Usage. `requests` counts API requests and spans of code execution."""

    uncached_input_tokens: int
    cache_creation: CacheCreation
    cache_read_input_tokens: int
    output_tokens: int
    server_tool_use: ServerToolUse
    requests: int


class UserUsage(UsageResult, frozen=True, kw_only=True):
    """A person's usage, per bucket if the report has buckets."""

    actor: UserActor
    starting_at: datetime | None
    ending_at: datetime | None
    total_tokens: int


class CostResult(Dimensions, frozen=True, kw_only=True):
    """Cost in cents: `list_amount` at list price, `amount` after the discount, neither rounded.

    Usage of `unpriced_models` is in neither, since its price is unknown.
    """

    amount: str
    list_amount: str
    currency: Literal["USD"] = "USD"
    cost_type: CostType | None = None
    token_type: TokenType | None = None
    requests: int | None
    unpriced_models: list[str]


class UserCost(CostResult, frozen=True, kw_only=True):
    """A person's cost, per bucket if the report has buckets."""

    actor: UserActor
    starting_at: datetime | None
    ending_at: datetime | None


class Bucket(Struct, Generic[R], frozen=True, kw_only=True):
    """The usage in [starting_at, ending_at); `results` is empty if there was none."""

    starting_at: datetime
    ending_at: datetime
    results: list[R]


class UsageGroup(Dimensions, frozen=True, kw_only=True):
    """The dimensions of a row."""

    actor: Actor | None = None
    actor_type: str | None = None
    agent_id: str | None = None
    api_key_id: str | None = None
    deployment_id: str | None = None
    environment_id: str | None = None
    organization_id: str | None = None
    service_tier: str | None = None
    session_id: str | None = None
    user_profile_id: str | None = None
    workspace_id: str | None = None


class CostGroup(UsageGroup, frozen=True, kw_only=True):
    """The dimensions of a row, including components of the cost."""

    cost_type: CostType | None = None
    token_type: TokenType | None = None


class UsageMetrics(Struct, frozen=True, kw_only=True):
    """Usage. `requests` counts API requests and spans of code execution."""

    uncached_input_tokens: int
    cache_creation: CacheCreation
    cache_read_input_tokens: int
    output_tokens: int
    server_tool_use: ServerToolUse
    requests: int
    total_tokens: int


class CostMetrics(Struct, frozen=True, kw_only=True):
    """Cost in cents, as in the older reports."""

    amount: str
    list_amount: str
    currency: Literal["USD"] = "USD"
    requests: int | None
    unpriced_models: list[str]


class UsageRow(Struct, frozen=True, kw_only=True):
    """The usage of one combination of dimensions in [starting_at, ending_at)."""

    starting_at: datetime
    ending_at: datetime
    group: UsageGroup
    usage: UsageMetrics


class CostRow(Struct, frozen=True, kw_only=True):
    """The cost of one combination of dimensions in [starting_at, ending_at)."""

    starting_at: datetime
    ending_at: datetime
    group: CostGroup
    cost: CostMetrics
