"""The small rules of the metrics' recount, each written from docs/metrics.md."""

from datetime import date, timedelta
from typing import Any

from tests.reference.model.events import Event

ONE = timedelta(days=1)
DECISIONS = tuple(f"{tool}_{said}" for tool in ("edit", "multi_edit", "write", "notebook_edit")
                  for said in ("accepted", "rejected"))  # fmt: skip


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
