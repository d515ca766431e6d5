"""Which events make a person active (docs/metrics.md, "Active users")."""

from tests.reference.model.events import Event

ACTIVE_USERS = ("chat", "claude_code", "cowork")
"""The products that make somebody an active user."""


def active_in(event: Event) -> str:
    """Return the product in which an event makes its person active, "" for none: merely starting a session is none."""
    if event["type"] == "chat.message":
        return "chat"
    product = event.get("product") or ""
    counters = ("tool_uses", "commits", "pull_requests") if product == "claude_code" else ("tool_uses", "messages")
    is_active = event["type"] == "session.activity" and any(event.get(name) for name in counters)
    return product if is_active else ""
