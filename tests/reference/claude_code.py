"""A recount of the Claude Code report, from the events."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.engagement import Recount
from tests.reference.model.events import HOUR, counted_at, end_of
from tests.reference.model.money import usd
from tests.reference.model.prices import Prices
from tests.reference.model.terms import PLAN
from tests.reference.model.usage import Usage, usage_of

if TYPE_CHECKING:
    from tests.support.simulated_world import World

TOOLS = ("edit", "multi_edit", "write", "notebook_edit")
COUNTS = {
    "core_metrics.lines_of_code.added": "lines_added",
    "core_metrics.lines_of_code.removed": "lines_removed",
    "core_metrics.commits_by_claude_code": "commits",
    "core_metrics.pull_requests_by_claude_code": "pull_requests",
    **{f"tool_actions.{tool}_tool.{say}": f"{tool}_{say}" for tool in TOOLS for say in ("accepted", "rejected")},
}
TOKENS = {"input": slice(0, 1), "output": slice(4, 5), "cache_read": slice(1, 2), "cache_creation": slice(2, 4)}
"""The places of usage's counts."""

PLANS = {"team": "team", "enterprise_usage_based": "enterprise", "enterprise_seat_based": "enterprise"}
Key = tuple[str, str, str, bool]


class Row:
    """One row of the recount."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.counts: dict[str, int] = defaultdict(int)
        self.models: dict[str, list[Usage]] = defaultdict(list)


def rows_of(recount: Recount, organization: str, day: date) -> dict[Key, Row]:
    """(actor type, id, terminal, remote) to what was done and used, from the events."""
    rows: dict[Key, Row] = defaultdict(Row)
    for event in recount.events:
        if event["organization_id"] != organization or event.get("product") != "claude_code":
            continue
        if counted_at(event).date() != day:
            continue
        actor = (event["actor"]["type"], event["actor"]["id"])
        if event["type"].startswith("session."):
            row = rows[*actor, event.get("terminal") or "", event.get("is_remote", False)]
            row.sessions.add(event["session_id"])
            for shown, field in COUNTS.items():
                row.counts[shown] += event.get(field, 0)
        elif event["type"] == "token.used":
            used = usage_of(event)
            place = used.attribution
            rows[*actor, place.get("terminal") or "", bool(place.get("is_remote"))].models[used.model].append(used)
    return rows


def use_of(used: Iterable[Usage], prices: Prices) -> dict[str, Any]:
    """What a model was used for: tokens, and their list price in cents, unknown if that of any is."""
    used = list(used)
    costs = [prices.cost(each) for each in used]
    known = [cost for cost in costs if cost is not None]
    tokens = {name: sum(sum(each.counts[place]) for each in used) for name, place in TOKENS.items()}
    return tokens | {"cents": usd(100 * sum(known)) if len(known) == len(costs) else None}


def plan_at(recount: Recount, organization: str, day: date) -> str | None:
    """The kind of subscription as the day ends."""
    plan = recount.terms.in_force(organization, PLAN, end_of(day) - HOUR)
    return PLANS[plan] if plan else None


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


def expected(world: "World", recount: Recount, organization: str, rows: dict[Key, Row], day: date) -> list[Any]:
    """The rows as the API shows them, in the order of actors, terminals, local before remote."""
    plan, prices = plan_at(recount, organization, day), Prices()
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
            "models": {model: use_of(used, prices) for model, used in sorted(row.models.items())},
        }
        for key, row in sorted(rows.items())
    ]  # fmt: skip
