"""Conversion of rows of the usage tables to rows of responses."""

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
from reports.usage.query import EVERY_ACTOR_TYPE, TEXT_DIMENSIONS
from reports.usage.rows import Account
from tally_client.events.envelope import NIL

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
"""The prefix of each dimension's ids."""
COMPONENTS = ("cost_type", "token_type")
"""Groupings of costs that split a row into components, unlike dimensions."""

TOKEN_TYPES: tuple[TokenType, ...] = get_args(TokenType)
"""The token types, in the order of a row's counts."""

OUTER_TYPES = {inner: outer for outer, inner in ACTOR_TYPES.items()}


@dataclass(frozen=True)
class View:
    """The context that rows are shown in: range, groupings, organization, and the identities of the page's actors.

    `is_blurred`: the viewer could compute spend from more detail (redaction.py).
    """

    organization_id: str
    range: Range
    group_by: Sequence[str]
    people: Mapping[str, Account] = field(default_factory=dict)
    identities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_blurred: bool = False

    def span(self, row: Row) -> tuple[datetime, datetime]:
        """Return the range of a row."""
        if self.range.width is None:
            return self.range.begins, self.range.ends
        begins = datetime.fromtimestamp(row["bucket"], UTC)
        return begins, begins + self.range.width


def usage_results(row: Row, view: View) -> Iterator[UsageResult]:
    """Yield the row of the report of usage by bucket."""
    yield UsageResult(**_older(row, view), **_usage(row))


def user_usages(row: Row, view: View) -> Iterator[UserUsage]:
    """Yield the row of the report of usage by person."""
    yield UserUsage(**_older(row, view), **_persons(row, view), **_usage(row), total_tokens=row["total_tokens"])


def usage_rows(row: Row, view: View) -> Iterator[UsageRow]:
    """Yield the row of `usage`."""
    begins, ends = view.span(row)
    group = UsageGroup(**_dimensions(row, view), **_identified(row, view))
    usage = UsageMetrics(**_usage(row), total_tokens=row["total_tokens"])
    yield UsageRow(starting_at=begins, ending_at=ends, group=group, usage=usage)


def cost_results(row: Row, view: View) -> Iterator[CostResult]:
    """Yield the rows of the report of costs by bucket: one, or one per component."""
    for component, cost in _costs(row, view):
        yield CostResult(**_older(row, view), **component, **cost)


def user_costs(row: Row, view: View) -> Iterator[UserCost]:
    """Yield the rows of the report of costs by person: one, or one per component."""
    for component, cost in _costs(row, view):
        yield UserCost(**_older(row, view), **_persons(row, view), **component, **cost)


def cost_rows(row: Row, view: View) -> Iterator[CostRow]:
    """Yield the rows of `cost`: one, or one per component."""
    begins, ends = view.span(row)
    for component, cost in _costs(row, view):
        group = CostGroup(**_dimensions(row, view), **_identified(row, view), **component)
        yield CostRow(starting_at=begins, ending_at=ends, group=group, cost=CostMetrics(**cost))


def bucket(begins: datetime, view: View, results: list[Any]) -> Bucket[Any]:
    """Return a time bucket."""
    assert view.range.width is not None
    return Bucket(starting_at=begins, ending_at=begins + view.range.width, results=results)


def _dimensions(row: Row, view: View) -> dict[str, Any]:
    found: dict[str, Any] = {name: row[f"by_{name}"] or None for name in TEXT_DIMENSIONS if name in view.group_by}
    for name in IDS.keys() & view.group_by:
        uuid = str(row[f"by_{name}"])
        found[name] = None if uuid == NIL else tagged(IDS[name], uuid)
    return found


def _older(row: Row, view: View) -> dict[str, Any]:
    """Return the dimensions; the older reports have their own spelling of one product."""
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
    """Return an identity; None for a federated one that the directory does not know."""
    if kind == "user":
        return user_actor(uuid, view)
    if kind == "service_account":
        return ServiceAccountActor(service_account_id=tagged(SERVICE_ACCOUNT, uuid))
    if kind == "api_key":
        return ApiActor(api_key_id=tagged(API_KEY, uuid))
    saved = view.identities.get(uuid)
    return None if saved is None else FederatedActor(provider=provider_of(saved), subject=saved["subject"])


def provider_of(saved: Mapping[str, Any]) -> Provider:
    """Return the issuer of a federated identity, with the fields that its kind of provider must have."""
    others = {
        "aws": {"account_id": "", "signed_principal": saved["subject"]},
        "azure": {"subscription_id": ""},
        "gcp": {"project_number": ""},
        "oidc": {"issuer": saved.get("issuer")},
    }[saved["provider"]]
    return Provider(type=saved["provider"], **others)


def user_actor(uuid: str, view: View) -> UserActor:
    """Return a person."""
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
    """Yield (component, cost): the total, or each component if the groupings require that."""
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
    """Yield the components that the row has any of, and the positions of their amounts."""
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
