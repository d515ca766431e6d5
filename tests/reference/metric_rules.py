"""The small rules of the metrics' recount, each written from docs/metrics.md and shared with nothing that it checks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.support.table_rows import CLASSES, Cell

Event = dict[str, Any]
ONE = timedelta(days=1)
POLICIES = ("plan.changed", "discount.changed", "extra_usage.changed")
DECISIONS = tuple(f"{tool}_{said}" for tool in ("edit", "multi_edit", "write", "notebook_edit")
                  for said in ("accepted", "rejected"))  # fmt: skip


def moment_of(event: Event, field: str = "occurred_at") -> datetime:
    return datetime.fromisoformat(event[field]).astimezone(UTC)


def first_day(kind: str, last: date) -> date:
    """The first day of a window, by walking back to it."""
    lengths = {"1-day": 1, "1-week": 7, "1-month": 30, "3-months": 90, "1-year": 365}
    if kind in lengths:
        return date.fromordinal(last.toordinal() - lengths[kind] + 1)
    months = {"mtd": range(1, 13), "qtd": (1, 4, 7, 10), "ytd": (1,)}[kind]
    day = last
    while day.day != 1 or day.month not in months:
        day -= ONE
    return day


def ranked(amounts: dict[str, Any]) -> list[tuple[str, Any]]:
    """The ten largest, ties by name."""
    return sorted(amounts.items(), key=lambda item: (-item[1], item[0]))[:10]


def code_sums(events: list[Event]) -> tuple[int, ...]:
    """(distinct sessions, sums of the counters)."""
    counters = ("lines_added", "lines_removed", "commits", "pull_requests", *DECISIONS)
    return len({event["session_id"] for event in events}), *(sum(e.get(name, 0) for e in events) for name in counters)


def is_use(event: Event, product: str) -> bool:
    """Whether a session's event makes its person active in the product."""
    counters = ("tool_uses", "commits", "pull_requests") if product == "claude_code" else ("tool_uses", "messages")
    return event.get("product") == product and any(event.get(name) for name in counters)


def cell_of(event: Event) -> Cell:
    """The usage of one event, as the recount of the spend report takes it."""
    counts = ("web_search_requests", *CLASSES)
    tokens = event["type"] == "token.used"
    return Cell(
        organization_id=event["organization_id"],
        hour=moment_of(event).replace(minute=0, second=0, microsecond=0),
        actor_id=event["actor"]["id"],
        actor_type=event["actor"]["type"],
        product=event.get("product") or "",
        model=event.get("model") or "",
        service_tier=event.get("service_tier") or "standard",
        context_window=event.get("context_window") or "",
        inference_geo=event.get("inference_geo") or "",
        speed=event.get("speed") or "",
        funding=event["funding"],
        requests=int(tokens),
        execution_milliseconds=event.get("milliseconds", 0),
        **{name: event.get(name, 0) for name in counts},
    )
