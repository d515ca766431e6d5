"""An independent recount of the Claude Code report: the events and the price file, in plain Python."""

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pricing.price_table import DEFAULT_PRICE_LIST
from tests.reference.engagement import Recount, at, moment
from tests.reference.spend_report import Prices
from tests.support.simulated_world import World
from tests.support.table_rows import CLASSES, Cell

TOOLS = ("edit", "multi_edit", "write", "notebook_edit")
COUNTS = {
    "core_metrics.lines_of_code.added": "lines_added",
    "core_metrics.lines_of_code.removed": "lines_removed",
    "core_metrics.commits_by_claude_code": "commits",
    "core_metrics.pull_requests_by_claude_code": "pull_requests",
    **{f"tool_actions.{tool}_tool.{say}": f"{tool}_{say}" for tool in TOOLS for say in ("accepted", "rejected")},
}
TOKENS = {
    "input": ("uncached_input_tokens",),
    "output": ("output_tokens",),
    "cache_read": ("cache_read_input_tokens",),
    "cache_creation": ("cache_creation_5m_input_tokens", "cache_creation_1h_input_tokens"),
}
PLANS = {"team": "team", "enterprise_usage_based": "enterprise", "enterprise_seat_based": "enterprise"}
Key = tuple[str, str, str, bool]


class Row:
    """One row of the recount."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.counts: dict[str, int] = defaultdict(int)
        self.models: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(int) | {"cents": Decimal(0)})


def rows_of(recount: Recount, organization: str, day: date) -> dict[Key, Row]:
    """(actor type, id, terminal, remote) to what was done and used, from the events."""
    rows: dict[Key, Row] = defaultdict(Row)
    prices = Prices(DEFAULT_PRICE_LIST)
    for event in recount.events:
        if event["organization_id"] != organization or event.get("product") != "claude_code":
            continue
        if at(event).date() != day:
            continue
        actor = (event["actor"]["type"], event["actor"]["id"])
        if event["type"].startswith("session."):
            row = rows[*actor, event.get("terminal") or "", event.get("is_remote", False)]
            row.sessions.add(event["session_id"])
            for shown, field in COUNTS.items():
                row.counts[shown] += event.get(field, 0)
        elif event["type"] == "token.used":
            place = event.get("attribution") or {}
            row = rows[*actor, place.get("terminal") or "", bool(place.get("is_remote"))]
            use(row.models[event["model"]], event, prices)
    return rows


def use(model: dict[str, Any], event: dict[str, Any], prices: Prices) -> None:
    """Add a request to what its model was used for."""
    for shown, fields in TOKENS.items():
        model[shown] += sum(event.get(field, 0) for field in fields)
    dimensions: dict[str, Any] = {
        name: event.get(name) or default
        for name, default in (
            *(("service_tier", "standard"), ("context_window", ""), ("inference_geo", ""), ("speed", "")),
            *((name, 0) for name in (*CLASSES, "web_search_requests")),
        )
    }
    hour = at(event).replace(minute=0, second=0, microsecond=0)
    usd = prices.cost(Cell(event["organization_id"], hour, "", model=event["model"], **dimensions))
    model["cents"] = None if usd is None or model["cents"] is None else model["cents"] + usd * 100


def plan_at(recount: Recount, organization: str, day: date) -> str | None:
    """The kind of subscription as the day ends."""
    plans = [
        (datetime.fromisoformat(event["effective_from"]).astimezone(UTC), moment(event), event["plan"])
        for event in recount.events
        if event["type"] == "plan.changed" and event["organization_id"] == organization
    ]
    past = [change for change in plans if change[0].date() <= day]
    return PLANS[max(past)[2]] if past else None


def actor_of(recount: Recount, emails: dict[str, str], organization: str, key: Key) -> dict[str, str]:
    """The actor of a row, as the directory names it."""
    if key[0] == "user":
        return {"type": "user_actor", "email_address": emails.get(key[1], "")}
    names = {
        "api_key": ("api_key.saved", "api_key_id", "name"),
        "service_account": ("service_account.saved", "service_account_id", "name"),
        "federated": ("federated_identity.saved", "federated_identity_id", "subject"),
    }
    kind, field, shown = names[key[0]]
    saved = recount.names(organization, kind, field).get(key[1])
    return {"type": "api_actor", "api_key_name": saved[shown] if saved else key[1]}


def expected(world: World, recount: Recount, organization: str, rows: dict[Key, Row], day: date) -> list[Any]:
    """The rows as the API shows them, in the order of actors, terminals, local before remote."""
    plan = plan_at(recount, organization, day)
    return [
        {
            "actor": actor_of(recount, world.emails, organization, key),
            "customer_type": "subscription" if plan and key[0] == "user" else "api",
            "subscription_type": plan if key[0] == "user" else None,
            "terminal_type": key[2],
            "is_remote": key[3],
            "counts": {name: count for name, count in row.counts.items() if count} | {
                "core_metrics.num_sessions": len(row.sessions)
            },
            "models": {name: dict(use) for name, use in sorted(row.models.items())},
        }
        for key, row in sorted(rows.items())
    ]  # fmt: skip
