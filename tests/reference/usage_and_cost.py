"""A recount of the usage and cost reports: an organization's charges, by any of the reports' dimensions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from tests.reference.engagement import Recount
from tests.reference.model import ids
from tests.reference.model.money import usd
from tests.reference.model.prices import Prices
from tests.reference.model.terms import Charge, charges
from tests.reference.model.usage import Usage, usage_in

TOKEN_TYPES = (
    *("uncached_input_tokens", "cache_read_input_tokens", "cache_creation.ephemeral_5m_input_tokens"),
    *("cache_creation.ephemeral_1h_input_tokens", "output_tokens"),
)
ACTORS = {
    "user": ("user_actor", ids.USER),
    "service_account": ("service_account_actor", ids.SERVICE_ACCOUNT),
    "api_key": ("api_actor", ids.API_KEY),
    "federated": ("federated_actor", ""),
}
ATTRIBUTED = {
    "agent_id": ids.AGENT,
    "deployment_id": ids.DEPLOYMENT,
    "environment_id": ids.ENVIRONMENT,
    "session_id": ids.SESSION,
    "user_profile_id": ids.USER_PROFILE,
    "workspace_id": ids.WORKSPACE,
}
SLACK = ("slack_channel_id", "claude_tag_user_id", "claude_tag_category")
Value = str | None


@dataclass
class Tally:
    """One row: counts, and costs in units of money by component (tokens of each class, searches, execution)."""

    requests: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * 7)
    spans: int = 0
    listed: list[int] = field(default_factory=lambda: [0] * 7)
    net: list[int] = field(default_factory=lambda: [0] * 7)
    unpriced: set[str] = field(default_factory=set)

    def add(self, charge: Charge) -> None:
        """Count one event."""
        self.requests += charge.used.requests
        self.spans += charge.used.spans
        self.counts = _added(self.counts, charge.used.counts)
        if charge.listed_parts is None or charge.net_parts is None:
            self.unpriced.add(charge.used.model)
            return
        self.listed = _added(self.listed, charge.listed_parts)
        self.net = _added(self.net, charge.net_parts)


class Used(NamedTuple):
    """What is charged for one event, and its values by dimension (several groups)."""

    charge: Charge
    values: Mapping[str, Collection[Value]]

    @property
    def at(self) -> datetime:
        """When it was used."""
        return self.charge.used.at


def _added(sums: Iterable[int], counts: Iterable[int]) -> list[int]:
    return [total + count for total, count in zip(sums, counts, strict=True)]


def cents(parts: Iterable[int]) -> Decimal:
    """The sum of units of money, in cents."""
    return usd(100 * sum(parts))


class Spending:
    """What the reports should say."""

    def __init__(self, recount: Recount, prices: Prices) -> None:
        self.recount = recount
        self.prices = prices
        self._used: dict[str, list[Used]] = {}

    def used(self, organization: str) -> list[Used]:
        """All usage of an organization that is reported."""
        if organization not in self._used:
            usage = usage_in(self.recount.events, organization)
            charged = charges(usage, self.recount.terms, self.prices)
            self._used[organization] = [Used(charge, self.values(charge.used)) for charge in charged]
        return self._used[organization]

    def rows(
        self, organization: str, begins: datetime, ends: datetime, *, by: Collection[str] = (),
        only: Mapping[str, Collection[Value]] | None = None, width: timedelta | None = None,
    ) -> dict[tuple[Value, ...], Tally]:  # fmt: skip
        """(values of `by`..., beginning of the bucket if there are any) to its row."""
        rows: dict[tuple[Value, ...], Tally] = defaultdict(Tally)
        for used in self.used(organization):
            if not begins <= used.at < ends or not all(
                set(used.values[name]) & set(values) for name, values in (only or {}).items()
            ):
                continue
            keys: list[tuple[Value, ...]] = [()]
            for name in by:
                values = [value for value in used.values[name] if _is_named(name, value, only)]
                keys = [(*key, value) for key in keys for value in values]
            at = () if width is None else (text(used.at - (used.at - begins) % width),)
            for key in keys:
                rows[key + at].add(used.charge)
        return dict(rows)

    @cached_property
    def federated(self) -> dict[str, str]:
        """Federated identities as the latest of their events says."""
        return {
            event["federated_identity_id"]: f"federated {event['subject']} {event['provider']}"
            for events in self.recount.own.values()
            for event in events
            if event["type"] == "federated_identity.saved"
        }

    def values(self, used: Usage) -> dict[str, Collection[Value]]:
        """The usage's values by dimension, in the response's forms."""
        kind, prefix = ACTORS[used.actor_type]
        groups = self.recount.groups_on(used.organization_id, used.person, used.at.date()) if used.person else set()
        key = used.attribution.get("api_key_id") or (used.actor_id if kind == "api_actor" else None)
        tier, window, _, speed = used.priced_by if used.model else (None,) * 4
        found: dict[str, Value] = {
            name: _tagged(prefix, used.attribution.get(name)) for name, prefix in ATTRIBUTED.items()
        }
        found |= {name: used.attribution.get(name) for name in SLACK}
        found |= {
            "actor": ids.tagged(prefix, used.actor_id) if prefix else self.federated[used.actor_id],
            "actor_type": kind,
            "api_key_id": _tagged(ids.API_KEY, key),
            "product": used.product or None,
            "model": used.model or None,
            "service_tier": tier,
            "context_window": window,
            "speed": speed,
            "inference_geo": used.inference_geo or None,
            "organization_id": used.organization_id,
        }
        return {name: (value,) for name, value in found.items()} | {
            "rbac_group_id": {ids.tagged(ids.GROUP, group) for group in groups} or (None,)
        }


def _is_named(name: str, value: Value, only: Mapping[str, Collection[Value]] | None) -> bool:
    """A group that the filter does not name has no row, although its people may be there for another one."""
    return name != "rbac_group_id" or name not in (only or {}) or value in (only or {})[name]


def _tagged(prefix: str, uuid: str | None) -> Value:
    return ids.tagged(prefix, uuid) if uuid else None


def text(at: datetime) -> str:
    """A moment as responses write it."""
    return at.isoformat().replace("+00:00", "Z")
