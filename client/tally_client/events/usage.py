"""Token and code-execution events, which are billed (topic `tally.token`)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tally_client.events.envelope import ActivityEvent, Count, Id, Tag

Funding = Literal["seat_allotment", "extra_usage", "usage_based"]
ServiceTier = Literal["standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount"]
ContextWindow = Literal["0-200k", "200k-1M"]
InferenceGeo = Literal["global", "us"]
Speed = Literal["standard", "fast"]
ClaudeTagCategory = Literal["dm", "engaged", "monitoring", "proactive", "scheduled"]


class Attribution(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where usage belongs in the customer's organization; stored once as a dimension, keyed by a hash of its fields."""

    workspace_id: Id | None = None
    api_key_id: Id | None = None
    session_id: Id | None = None
    agent_id: Id | None = None
    deployment_id: Id | None = None
    environment_id: Id | None = None
    user_profile_id: Id | None = None
    slack_channel_id: Tag | None = None
    claude_tag_user_id: Tag | None = None
    claude_tag_category: ClaudeTagCategory | None = None
    terminal: Tag | None = None
    is_remote: bool | None = None
    skills: Annotated[tuple[Tag, ...], Meta(max_length=32)] = ()


class UsageEvent(ActivityEvent, frozen=True, kw_only=True):
    """Base of token and execution usage. The event carries its `funding`, so a plan may change mid-month."""

    funding: Funding
    attribution: Attribution | None = None


class TokenUsed(UsageEvent, frozen=True, kw_only=True, tag="token.used"):
    """The tokens of one API request, in five mutually exclusive classes (a cached token is only in its cache class)."""

    request_id: Tag
    model: Tag
    uncached_input_tokens: Count = 0
    cache_read_input_tokens: Count = 0
    cache_creation_5m_input_tokens: Count = 0
    cache_creation_1h_input_tokens: Count = 0
    output_tokens: Count = 0
    web_search_requests: Count = 0
    service_tier: ServiceTier = "standard"
    context_window: ContextWindow | None = None
    inference_geo: InferenceGeo | None = None
    speed: Speed | None = None


class ExecutionUsed(UsageEvent, frozen=True, kw_only=True, tag="execution.used"):
    """Code execution: container spans and their billable milliseconds. There is no model."""

    spans: Count = 1
    milliseconds: Count = 0
