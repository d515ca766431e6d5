"""Valid events that do not count in any list, summary, report or figure (docs/events.md)."""

from tally_client.events import (
    ActivityEvent,
    ArtifactCreated,
    ArtifactViewed,
    ChatStarted,
    ConnectorCalled,
    ConnectorConnected,
    Event,
    FileUploaded,
    ProjectCreated,
)
from tally_client.events.activity import SessionEvent
from tally_client.events.usage import UsageEvent

LISTED_SESSIONS = ("claude_code", "cowork", "office_agent", "claude_design", "science")
"""Products whose sessions count in the API's lists and summaries (docs/metrics.md)."""

FILES_IN = (None, "chat")
NEVER_COUNTED = (ArtifactViewed, ConnectorConnected)
COUNTED_OF_ANYBODY = (UsageEvent, ChatStarted, ProjectCreated, ArtifactCreated, ConnectorCalled)
"""Events that count for every actor; other events count only for people, and sessions also in Claude Code."""


def uncounted(event: Event) -> str | None:
    """Return a sentence about an event that counts nowhere or only on the person's page; None for other events."""
    if not isinstance(event, ActivityEvent) or _is_counted(event):
        return None
    place = f" in {event.product}" if event.product else ""
    what = f"{event.__struct_config__.tag} by {event.actor.type}{place}"
    if isinstance(event, SessionEvent) and event.actor.type == "user":
        return f"{what} counts in no list or summary, only on the person's page"
    return f"{what} counts nowhere"


def _is_counted(event: ActivityEvent) -> bool:
    if isinstance(event, COUNTED_OF_ANYBODY):
        return True
    by_person = event.actor.type == "user"
    if isinstance(event, SessionEvent):
        return event.product == "claude_code" or (by_person and event.product in LISTED_SESSIONS)
    if isinstance(event, FileUploaded):
        return by_person and event.product in FILES_IN
    return by_person and not isinstance(event, NEVER_COUNTED)
