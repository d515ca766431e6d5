"""Facts of usage: what an event of `tally.token` says was used, by whom, at which prices and paid for by what."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.reference.model.events import Event, hour_of, moment_of

TOKENS = (
    *("uncached_input_tokens", "cache_read_input_tokens", "cache_creation_5m_input_tokens"),
    *("cache_creation_1h_input_tokens", "output_tokens"),
)
COUNTERS = (*TOKENS, "web_search_requests", "milliseconds")
"""What has a price of its own."""

USED = ("token.used", "execution.used")


@dataclass(frozen=True)
class Usage:
    """What one event used, or several that are alike in all but their counts. "" is what the event does not name."""

    organization_id: str
    at: datetime
    actor_type: str
    actor_id: str
    product: str
    model: str
    service_tier: str
    context_window: str
    inference_geo: str
    speed: str
    funding: str
    requests: int
    spans: int
    counts: tuple[int, ...]
    attribution: Mapping[str, Any]

    @property
    def hour(self) -> datetime:
        """Return the hour, which decides about prices and terms."""
        return hour_of(self.at)

    @property
    def person(self) -> str:
        """Return the account of a person, "" for a machine."""
        return self.actor_id if self.actor_type == "user" else ""

    @property
    def priced_by(self) -> tuple[str, str, str, str]:
        """Return what the price depends on besides the model and the hour; what is open is the usual (docs/metrics.md,
        "Spend")."""
        window, geography = self.context_window or "0-200k", self.inference_geo or "global"
        return self.service_tier or "standard", window, geography, self.speed or "standard"

    @property
    def prompt_tokens(self) -> int:
        """Return all tokens that went in."""
        return sum(self.counts[:4])

    @property
    def output_tokens(self) -> int:
        """Return the tokens that came out."""
        return self.counts[4]


def usage_of(event: Event) -> Usage:
    """Return what an event used."""
    is_request = event["type"] == "token.used"
    return Usage(
        organization_id=event["organization_id"],
        at=moment_of(event),
        actor_type=event["actor"]["type"],
        actor_id=event["actor"]["id"],
        product=event.get("product") or "",
        model=event.get("model") or "",
        service_tier=event.get("service_tier") or ("standard" if is_request else ""),
        context_window=event.get("context_window") or "",
        inference_geo=event.get("inference_geo") or "",
        speed=event.get("speed") or "",
        funding=event["funding"],
        requests=int(is_request),
        spans=0 if is_request else event.get("spans", 1),
        counts=tuple(event.get(name, 0) for name in COUNTERS),
        attribution=event.get("attribution") or {},
    )


def usage_in(events: Iterable[Event], organization: str) -> Iterator[Usage]:
    """Yield the usage of an organization, in the order of the events."""
    for event in events:
        if event["type"] in USED and event["organization_id"] == organization:
            yield usage_of(event)
