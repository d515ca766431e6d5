"""An independent recount of usage and costs: the events and the price list, in plain Python.

Of Tally it imports the form of ids and the reader of price lists alone.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import cached_property
from operator import mul
from typing import Any

from api import tagged_ids
from pricing.price_list import PriceList
from tests.reference.engagement import Recount, moment

EXACT = Context(prec=200)
DAY = timedelta(days=1)
COUNTS = (
    *("uncached_input_tokens", "cache_read_input_tokens", "cache_creation_5m_input_tokens"),
    *("cache_creation_1h_input_tokens", "output_tokens", "web_search_requests", "milliseconds"),
)
TOKEN_TYPES = (
    *("uncached_input_tokens", "cache_read_input_tokens", "cache_creation.ephemeral_5m_input_tokens"),
    *("cache_creation.ephemeral_1h_input_tokens", "output_tokens"),
)
ACTORS = {
    "user": ("user_actor", tagged_ids.USER),
    "service_account": ("service_account_actor", tagged_ids.SERVICE_ACCOUNT),
    "api_key": ("api_actor", tagged_ids.API_KEY),
    "federated": ("federated_actor", ""),
}
ATTRIBUTED = {
    "agent_id": tagged_ids.AGENT,
    "deployment_id": tagged_ids.DEPLOYMENT,
    "environment_id": tagged_ids.ENVIRONMENT,
    "session_id": tagged_ids.SESSION,
    "user_profile_id": tagged_ids.USER_PROFILE,
    "workspace_id": tagged_ids.WORKSPACE,
}
SLACK = ("slack_channel_id", "claude_tag_user_id", "claude_tag_category")
Value = str | None


@dataclass
class Tally:
    """One row: counts, and costs in cents by component (tokens of each class, searches, execution)."""

    requests: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * 7)
    spans: int = 0
    listed: list[Decimal] = field(default_factory=lambda: [Decimal(0)] * 7)
    net: list[Decimal] = field(default_factory=lambda: [Decimal(0)] * 7)
    unpriced: set[str] = field(default_factory=set)

    def add(self, used: "Used") -> None:
        """Count one event."""
        self.requests += used.is_request
        self.spans += used.spans
        self.counts = [a + b for a, b in zip(self.counts, used.counts, strict=True)]
        if used.listed is None:
            self.unpriced.add(used.model)
            return
        rate = 1 - used.discount
        self.listed = [EXACT.add(a, b) for a, b in zip(self.listed, used.listed, strict=True)]
        self.net = [EXACT.add(a, EXACT.multiply(b, rate)) for a, b in zip(self.net, used.listed, strict=True)]


@dataclass(frozen=True)
class Used:
    """One event that is reported: when, its values by dimension (several groups), and what it counts and costs."""

    at: datetime
    values: Mapping[str, Collection[Value]]
    model: str
    counts: list[int]
    spans: int
    listed: list[Decimal] | None
    discount: Decimal

    @property
    def is_request(self) -> bool:
        return bool(self.model)


def total(parts: list[Decimal]) -> Decimal:
    """An exact sum."""
    found = Decimal(0)
    for part in parts:
        found = EXACT.add(found, part)
    return found


class Spending:
    """What the reports should say."""

    def __init__(self, recount: Recount, prices: PriceList) -> None:
        self.recount = recount
        self.prices: dict[tuple[str, ...], dict[datetime, Any]] = defaultdict(dict)
        for row in prices.rows:
            *key, start = vars(row.key).values()
            self.prices[tuple(key)][start] = row.usd
        self._used: dict[str, list[Used]] = {}

    def used(self, organization: str) -> list[Used]:
        """All usage of an organization that is reported."""
        if organization not in self._used:
            self._used[organization] = list(self._read(organization))
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
                rows[key + at].add(used)
        return dict(rows)

    @cached_property
    def terms(self) -> dict[tuple[str, str], dict[datetime, Any]]:
        """(organization, type of change) to its history."""
        history: dict[tuple[str, str], dict[datetime, Any]] = defaultdict(dict)
        fields = {"plan.changed": "plan", "discount.changed": "discount", "extra_usage.changed": "enabled"}
        for event in self.recount.events:
            if event["type"] in fields:
                start = datetime.fromisoformat(event["effective_from"])
                history[event["organization_id"], event["type"]][start] = event[fields[event["type"]]]
        return history

    @cached_property
    def federated(self) -> dict[str, str]:
        """Federated identities as the latest of their events says."""
        saved = [event for event in self.recount.events if event["type"] == "federated_identity.saved"]
        return {
            event["federated_identity_id"]: f"federated {event['subject']} {event['provider']}"
            for event in sorted(saved, key=moment)
        }

    def _read(self, organization: str) -> Iterator[Used]:
        for event in self.recount.events:
            if event["organization_id"] != organization or event["type"] not in ("token.used", "execution.used"):
                continue
            at = moment(event)
            hour = at.replace(minute=0, second=0, microsecond=0)
            plan, discount, extra = (
                in_force(self.terms[organization, kind], hour)
                for kind in ("plan.changed", "discount.changed", "extra_usage.changed")
            )
            seated = plan in ("team", "enterprise_seat_based")
            if seated and not (extra and event["funding"] == "extra_usage"):
                continue
            counts = [event.get(name, 0) for name in COUNTS]
            spans = event.get("spans", 1) if event["type"] == "execution.used" else 0
            values = self.values(event, organization, at)
            listed = self.listed(event, counts, hour)
            yield Used(at, values, event.get("model", ""), counts, spans, listed, Decimal(discount or 0))

    def listed(self, event: dict[str, Any], counts: list[int], hour: datetime) -> list[Decimal] | None:
        """List cents by component; None without a price."""
        model = event.get("model", "")
        key = (
            re.sub(r"-(20\d{6}|latest)\Z", "", model), event.get("service_tier", "standard"),
            event.get("context_window", "0-200k"), event.get("inference_geo", "global"), event.get("speed", "standard"),
        )  # fmt: skip
        tokens = in_force(self.prices[key], hour) if model else [Decimal(0)] * 7
        tools = in_force(self.prices["", "", "", "", ""], hour)
        if tokens is None or None in tokens[:5]:
            return None
        return [
            EXACT.multiply(mul(price, 100), count)
            for price, count in zip((*tokens[:5], *tools[5:]), counts, strict=True)
        ]

    def values(self, event: dict[str, Any], organization: str, at: datetime) -> dict[str, Collection[Value]]:
        """The event's values by dimension, in the response's forms."""
        kind, prefix = ACTORS[event["actor"]["type"]]
        uuid, attribution = event["actor"]["id"], event.get("attribution") or {}
        is_request = event["type"] == "token.used"
        groups = self.recount.groups_on(organization, uuid, at.date()) if kind == "user_actor" else set()
        key = attribution.get("api_key_id") or (uuid if kind == "api_actor" else None)
        found: dict[str, Value] = {name: _tagged(prefix, attribution.get(name)) for name, prefix in ATTRIBUTED.items()}
        found |= {name: attribution.get(name) for name in SLACK}
        found |= {
            "actor": tagged_ids.tagged(prefix, uuid) if prefix else self.federated[uuid],
            "actor_type": kind,
            "api_key_id": _tagged(tagged_ids.API_KEY, key),
            "product": event.get("product"),
            "model": event.get("model"),
            "service_tier": event.get("service_tier", "standard") if is_request else None,
            "context_window": event.get("context_window", "0-200k") if is_request else None,
            "speed": event.get("speed", "standard") if is_request else None,
            "inference_geo": event.get("inference_geo"),
            "organization_id": organization,
        }
        return {name: (value,) for name, value in found.items()} | {
            "rbac_group_id": {tagged_ids.tagged(tagged_ids.GROUP, group) for group in groups} or (None,)
        }


def _is_named(name: str, value: Value, only: Mapping[str, Collection[Value]] | None) -> bool:
    """A group that the filter does not name has no row, although its people may be there for another one."""
    return name != "rbac_group_id" or name not in (only or {}) or value in (only or {})[name]


def _tagged(prefix: str, uuid: str | None) -> Value:
    return tagged_ids.tagged(prefix, uuid) if uuid else None


def in_force(history: Mapping[datetime, Any], hour: datetime) -> Any:
    """What holds at that hour; None before the first change."""
    return history.get(max((start for start in history if start <= hour), default=datetime.min.replace(tzinfo=UTC)))


def text(at: datetime) -> str:
    """A moment as responses write it."""
    return at.isoformat().replace("+00:00", "Z")
