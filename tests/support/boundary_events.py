"""Events at the edges of what decides a cost or a cost centre: just before, and from that moment on."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tests.support.price_files import DEARER

Event = dict[str, Any]
GROUPS = [str(UUID(int=0xC000 + number)) for number in range(3)]
ODD_CENTER = "=R&D"


def edge_events(events: Sequence[Event]) -> list[Event]:
    """Usage of a person around changes of prices, and of their cost centre, in the busiest organization."""
    organizations = [event["organization_id"] for event in events]
    organization = max(set(organizations), key=organizations.count)
    person = str(UUID(int=0xC00F))
    first, second, without = GROUPS
    made = [
        {"type": "member.joined", "occurred_at": "2026-11-01T00:00:00Z", "account_id": person, "role": "member"},
        _group(first, "2026-11-01T00:00:00Z", ODD_CENTER),
        _group(second, "2026-11-01T00:00:00Z", "Later"),
        _group(without, "2026-11-01T00:00:00Z", None),
        _member("joined", without, person, "2026-11-03T07:00:00Z"),
        _member("joined", first, person, "2026-11-03T09:00:00Z"),
        _member("joined", second, person, "2026-11-03T09:20:00Z"),
        _member("left", first, person, "2026-11-05T09:00:00.001Z"),
        _member("joined", first, person, "2026-11-05T09:30:00Z"),
        _group(second, "2026-11-07T12:00:00Z", "Renamed"),
        {"type": "group.deleted", "occurred_at": "2026-11-08T15:59:59Z", "group_id": second},
    ]
    for day, hours in ((3, (7, 8, 9, 10, 11)), (5, (8, 9, 10)), (7, (11, 12, 13)), (8, (15, 16)), (10, (6, 7, 8))):
        for hour in hours:
            made += [_usage(person, f"2026-11-{day:02}T{hour:02}:{rest}Z") for rest in ("00:00", "59:59.999999")]
    return [
        {"event_id": str(UUID(int=0xC100 + number)), "organization_id": organization} | event
        for number, event in enumerate(made)
    ]


def _group(group: str, at: str, cost_center: str | None) -> Event:
    return {
        "type": "group.saved",
        "occurred_at": at,
        "group_id": group,
        "name": f"Group {group[-4:]}",
        "cost_center": cost_center,
    }


def _member(what: str, group: str, person: str, at: str) -> Event:
    return {"type": f"group.{what}", "occurred_at": at, "group_id": group, "account_id": person}


def _usage(person: str, at: str) -> Event:
    return {
        "type": "token.used",
        "occurred_at": at,
        "actor": {"type": "user", "id": person},
        "funding": "usage_based",
        "request_id": f"req_{at}",
        "model": DEARER,
        "product": "chat",
        "uncached_input_tokens": 1_003,
        "output_tokens": 17,
        "web_search_requests": 1,
    }
