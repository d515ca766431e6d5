"""Events that the simulation does not think of: people in several groups, some for part of a day; odd names."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

Event = dict[str, Any]

GROUPS = [str(UUID(int=0xA000 + number)) for number in range(4)]
ODD_SKILL = 'o\'dd "name" \\ \\t{x:String} é'


def extra_events(events: Sequence[Event]) -> list[Event]:
    """Four groups of the busiest organization, memberships that come and go, and a skill with an odd name."""
    organization = _busiest(events)
    people = sorted({event["account_id"] for event in events if _joins(event, organization)})
    made = [_group(organization, group, f"Group {number}") for number, group in enumerate(GROUPS)]
    for number, person in enumerate(people[:9]):
        group = GROUPS[number % 3]
        made.append(_member(organization, "group.joined", group, person, "2026-10-25T00:00:00Z"))
        made.append(_member(organization, "group.joined", GROUPS[3], person, "2026-10-25T00:00:00Z"))
        if number % 2:
            made.append(_member(organization, "group.left", group, person, "2026-11-10T00:00:00Z"))
        if number % 3 == 0:
            made.append(_member(organization, "group.left", GROUPS[3], person, "2026-11-12T12:00:00+02:00"))
            made.append(_member(organization, "group.joined", GROUPS[3], person, "2026-11-17T23:59:59.999Z"))
    gone = {"group_id": GROUPS[2]}
    made.append(_event("group.deleted", organization, "2026-11-15T08:00:00Z", gone))
    for number, person in enumerate(people[:5]):
        made.append(_skill(organization, person, number))
        made.append(_usage(organization, person, number))
    return [event | {"event_id": str(UUID(int=0xE000 + number))} for number, event in enumerate(made)]


def _busiest(events: Sequence[Event]) -> str:
    organizations: list[str] = [event["organization_id"] for event in events]
    return max(set(organizations), key=organizations.count)


def _joins(event: Event, organization: str) -> bool:
    return bool(event["type"] == "member.joined" and event["organization_id"] == organization)


def _event(kind: str, organization: str, at: str, fields: Event) -> Event:
    return {"type": kind, "occurred_at": at, "organization_id": organization, **fields}


def _group(organization: str, group: str, name: str) -> Event:
    return _event("group.saved", organization, "2026-10-24T00:00:00Z", {"group_id": group, "name": name})


def _member(organization: str, kind: str, group: str, person: str, at: str) -> Event:
    return _event(kind, organization, at, {"group_id": group, "account_id": person})


def _skill(organization: str, person: str, number: int) -> Event:
    actor = {"type": "user", "id": person}
    name = (ODD_SKILL, f" {ODD_SKILL.upper()} ")[number % 2]
    return _event("skill.used", organization, f"2026-11-1{number}T10:00:00Z", {"actor": actor, "name": name})


def _usage(organization: str, person: str, number: int) -> Event:
    """A request of several skills, its cost no multiple of their number; one of them is named in two spellings."""
    usage = {
        "actor": {"type": "user", "id": person},
        "funding": ("extra_usage", "usage_based", "seat_allotment")[number % 3],
        "request_id": f"req_{number}",
        "model": "claude-opus-4-8",
        "uncached_input_tokens": 1_001 + number,
        "output_tokens": 7,
        "attribution": {"skills": ["pdf", "xlsx", " PDF", "only-in-usage", ODD_SKILL][: 4 + number % 2]},
    }
    return _event("token.used", organization, f"2026-11-1{number}T11:00:00Z", usage)
