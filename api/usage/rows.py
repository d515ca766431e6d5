"""From the rows of the usage tables to those of responses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

from api.schemas.usage import (
    Actor,
    ApiActor,
    Bucket,
    CacheCreation,
    CostGroup,
    CostMetrics,
    CostResult,
    CostRow,
    FederatedActor,
    Provider,
    ServerToolUse,
    ServiceAccountActor,
    TokenType,
    UsageGroup,
    UsageMetrics,
    UsageResult,
    UsageRow,
    UserActor,
    UserCost,
    UserUsage,
)
from api.tagged_ids import (
    AGENT,
    API_KEY,
    DEPLOYMENT,
    ENVIRONMENT,
    GROUP,
    SERVICE_ACCOUNT,
    SESSION,
    USER,
    USER_PROFILE,
    WORKSPACE,
    tagged,
)
from api.usage.buckets import Range
from api.usage.filters import ACTOR_TYPES
from queries.sql_files import Row
from reports.usage.query import EVERY_ACTOR_TYPE
from reports.usage.rows import Account
from tally_client.events.envelope import NIL

TEXTS = (
    *("claude_tag_category", "claude_tag_user_id", "context_window", "inference_geo", "model", "product"),
    *("service_tier", "slack_channel_id", "speed"),
)
IDS = {
    "agent_id": AGENT,
    "api_key_id": API_KEY,
    "deployment_id": DEPLOYMENT,
    "environment_id": ENVIRONMENT,
    "rbac_group_id": GROUP,
    "session_id": SESSION,
    "user_profile_id": USER_PROFILE,
    "workspace_id": WORKSPACE,
}
COMPONENTS = ("cost_type", "token_type")
"""Groupings of costs that split a row rather than tell rows apart."""

TOKEN_TYPES: tuple[TokenType, ...] = get_args(TokenType)
"""In the order of a row's counts."""

OUTER_TYPES = {inner: outer for outer, inner in ACTOR_TYPES.items()}


@dataclass(frozen=True)
class View:
    """What rows are shown with: the range, the groupings, the organization, and who the page's actors are.

    `is_blurred`: to somebody who could compute spend from more (blurred.py).
    """

    organization_id: str
    range: Range
    group_by: Sequence[str]
    people: Mapping[str, Account] = field(default_factory=dict)
    identities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_blurred: bool = False

    def span(self, row: Row) -> tuple[datetime, datetime]:
        """The moments that a row covers."""
        if self.range.width is None:
            return self.range.begins, self.range.ends
        begins = datetime.fromtimestamp(row["bucket"], UTC)
        return begins, begins + self.range.width


def usage_results(row: Row, view: View) -> Iterator[UsageResult]:
    """A row of the report of usage by bucket."""
    yield UsageResult(**_older(row, view), **_usage(row))


def user_usages(row: Row, view: View) -> Iterator[UserUsage]:
    """A row of the report of usage by person."""
    yield UserUsage(**_older(row, view), **_persons(row, view), **_usage(row), total_tokens=row["total_tokens"])


def usage_rows(row: Row, view: View) -> Iterator[UsageRow]:
    """A row of `usage`."""
    begins, ends = view.span(row)
    group = UsageGroup(**_dimensions(row, view), **_identified(row, view))
    usage = UsageMetrics(**_usage(row), total_tokens=row["total_tokens"])
    yield UsageRow(starting_at=begins, ending_at=ends, group=group, usage=usage)


def cost_results(row: Row, view: View) -> Iterator[CostResult]:
    """Rows of the report of costs by bucket: one, or one a component."""
    for component, cost in _costs(row, view):
        yield CostResult(**_older(row, view), **component, **cost)


def user_costs(row: Row, view: View) -> Iterator[UserCost]:
    """Rows of the report of costs by person: one, or one a component."""
    for component, cost in _costs(row, view):
        yield UserCost(**_older(row, view), **_persons(row, view), **component, **cost)


def cost_rows(row: Row, view: View) -> Iterator[CostRow]:
    """Rows of `cost`: one, or one a component."""
    begins, ends = view.span(row)
    for component, cost in _costs(row, view):
        group = CostGroup(**_dimensions(row, view), **_identified(row, view), **component)
        yield CostRow(starting_at=begins, ending_at=ends, group=group, cost=CostMetrics(**cost))


def bucket(begins: datetime, view: View, results: list[Any]) -> Bucket[Any]:
    """A bucket of time."""
    assert view.range.width is not None
    return Bucket(starting_at=begins, ending_at=begins + view.range.width, results=results)


def _dimensions(row: Row, view: View) -> dict[str, Any]:
    found: dict[str, Any] = {name: row[f"by_{name}"] or None for name in TEXTS if name in view.group_by}
    for name in IDS.keys() & view.group_by:
        uuid = str(row[f"by_{name}"])
        found[name] = None if uuid == NIL else tagged(IDS[name], uuid)
    return found


def _older(row: Row, view: View) -> dict[str, Any]:
    """The older reports spell one product in their own way."""
    found = _dimensions(row, view)
    if found.get("product") == "claude_tag":
        found["product"] = "claude-tag"
    return found


def _identified(row: Row, view: View) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kind = EVERY_ACTOR_TYPE[row["by_actor_type"] - 1] if row["by_actor_type"] else ""
    if "actor_type" in view.group_by:
        found["actor_type"] = OUTER_TYPES[kind]
    if "actor" in view.group_by:
        found["actor"] = actor_of(kind, str(row["by_actor"]), view)
    if "organization_id" in view.group_by:
        found["organization_id"] = view.organization_id
    return found


def _persons(row: Row, view: View) -> dict[str, Any]:
    begins, ends = view.span(row) if view.range.width else (None, None)
    return {"actor": user_actor(str(row["by_actor"]), view), "starting_at": begins, "ending_at": ends}


def actor_of(kind: str, uuid: str, view: View) -> Actor | None:
    """An identity; None for a federated one that the directory does not know."""
    if kind == "user":
        return user_actor(uuid, view)
    if kind == "service_account":
        return ServiceAccountActor(service_account_id=tagged(SERVICE_ACCOUNT, uuid))
    if kind == "api_key":
        return ApiActor(api_key_id=tagged(API_KEY, uuid))
    saved = view.identities.get(uuid)
    return None if saved is None else FederatedActor(provider=provider_of(saved), subject=saved["subject"])


def provider_of(saved: Mapping[str, Any]) -> Provider:
    """Who vouches for a federated identity, with what its kind of provider must have."""
    others = {
        "aws": {"account_id": "", "signed_principal": saved["subject"]},
        "azure": {"subscription_id": ""},
        "gcp": {"project_number": ""},
        "oidc": {"issuer": saved.get("issuer")},
    }[saved["provider"]]
    return Provider(type=saved["provider"], **others)


def user_actor(uuid: str, view: View) -> UserActor:
    """A person."""
    person = view.people[uuid]
    email = None if person.is_deleted else person.email or None
    name = "Deleted User" if person.is_deleted else person.name or None
    user_id = tagged(USER, uuid)
    return UserActor(user_id=user_id, name=name, email_address=email, email=email, deleted=person.has_left)


def _usage(row: Row) -> dict[str, Any]:
    uncached, read, write_5m, write_1h, output, searches, _ = row["counts"]
    return {
        "uncached_input_tokens": uncached,
        "cache_creation": CacheCreation(ephemeral_1h_input_tokens=write_1h, ephemeral_5m_input_tokens=write_5m),
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "server_tool_use": ServerToolUse(web_search_requests=searches),
        "requests": row["requests"] + row["execution_spans"],
    }


def _costs(row: Row, view: View) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(component, its cost): all in one, or each by itself when the groupings say so."""
    split = [name for name in COMPONENTS if name in view.group_by]
    whole = {"amount": row["net_cents"], "list_amount": row["list_cents"]}
    others = {"requests": None if split else row["requests"] + row["execution_spans"]}
    others["unpriced_models"] = row["unpriced_models"]
    if not split:
        yield {}, whole | others
        return
    for component, place in _components(row, split):
        amounts = {"amount": row["each_net_cents"][place], "list_amount": row["each_list_cents"][place]}
        yield component, amounts | others


def _components(row: Row, split: Sequence[str]) -> Iterator[tuple[dict[str, str], int]]:
    """Components that the row has any of, and where their amounts stand."""
    counts = row["counts"]
    if "token_type" in split:
        for place, name in enumerate(TOKEN_TYPES):
            if counts[place]:
                yield {"cost_type": "tokens", "token_type": name}, place
    elif row["requests"]:
        yield {"cost_type": "tokens"}, 7
    if "cost_type" in split:
        if counts[5]:
            yield {"cost_type": "web_search"}, 5
        if counts[6] or row["execution_spans"]:
            yield {"cost_type": "code_execution"}, 6
