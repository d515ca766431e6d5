"""Names that a page must show as they are and never run, of the people and connectors that are shown first."""

from collections import Counter
from typing import Any
from uuid import UUID

from tests.support.simulated_world import Events

SCRIPT = "<script>document.title='taken'</script><img src=x onerror=alert(1)>"
NAMES = (
    "👩🏽‍🚀 Zoë 🇺🇳",
    "\u202eمحمد عبد الرحمن\u202c",
    "A very long name " + "Ω" * 300,
    SCRIPT,
    '=HYPERLINK("http://x.example","+1")',
    "{{ 7 * 7 }} {% raw %}",
    'O\'Brien & "Söhne" <b>',
)
AT = "2026-11-18T12:00:00Z"
SOMEBODY = str(UUID(int=0xCAFE))
"""Somebody of the busiest organization, whose account is known beforehand."""


DONE: dict[str, dict[str, Any]] = {
    "chat.message": {"conversation_id": SOMEBODY},
    "session.activity": {"session_id": SOMEBODY, "product": "claude_code", "lines_added": 7, "commits": 1},
    "connector.called": {"name": "notion", "access": "write"},
    "token.used": {
        "request_id": "r",
        "model": "claude-opus-4-8",
        "funding": "usage_based",
        "output_tokens": 5,
        "product": "chat",
    },
}
"""What they did."""


def odd_events(events: Events) -> Events:
    """The busiest people of the busiest organization get odd names, and the one after them is deleted."""
    organization = Counter(event["organization_id"] for event in events).most_common(1)[0][0]
    owners = {event["account_id"] for event in events if event.get("role") in ("primary_owner", "owner", "admin")}
    used = Counter(
        event["actor"]["id"]
        for event in events
        if event["organization_id"] == organization
        and event["type"] == "token.used"
        and event["actor"]["type"] == "user"
        and event["actor"]["id"] not in owners
    )
    people = [person for person, _ in used.most_common(len(NAMES) + 1)]
    made = [_profile(organization, person, name) for person, name in zip(people, NAMES, strict=False)]
    made.append(_event(organization, "account.deleted", account_id=people[-1]))
    made.append(_event(organization, "connector.saved", name="notion", display_name=SCRIPT))
    made.append(_event(organization, "member.joined", account_id=SOMEBODY, role="member"))
    made += [_did(organization, kind, **fields) for kind, fields in DONE.items()]
    return [event | {"event_id": str(UUID(int=0xC000 + number))} for number, event in enumerate(made)]


def _profile(organization: str, person: str, name: str) -> dict[str, Any]:
    return _event(organization, "profile.updated", account_id=person, email=f"{person[:8]}@odd.example", name=name)


def _did(organization: str, kind: str, **fields: Any) -> dict[str, Any]:
    return _event(organization, kind, actor={"type": "user", "id": SOMEBODY}, **fields)


def _event(organization: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "occurred_at": AT, "organization_id": organization, **fields}
