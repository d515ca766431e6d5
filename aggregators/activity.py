"""Activity by day: chats, files, projects, artifacts, connectors, skills, plugins and sessions."""

from collections.abc import Callable
from typing import Any

from aggregators.cell_rows import CellKey
from aggregators.cell_tables import ARTIFACT, CHAT, CONNECTOR, FILE, PROJECT, SESSION, SESSION_COUNTERS, CellTable
from aggregators.connectors import connector_key, name_key
from aggregators.increments import Amounts, Folded
from aggregators.live import live_change
from aggregators.validity import IdInterner, minute_in_bounds
from tally_client.events import (
    ActivityEvent,
    ArtifactCreated,
    ArtifactPublished,
    ArtifactShared,
    ArtifactViewed,
    ChatMessage,
    ChatSharedViewed,
    ChatStarted,
    ConnectorCalled,
    ConnectorConnected,
    FileUploaded,
    PluginInstalled,
    PluginUsed,
    ProjectCreated,
    ProjectUsed,
    SessionActivity,
    SessionStarted,
    SkillEnabled,
    SkillUsed,
)
from tally_client.events.envelope import NIL

Cell = tuple[CellTable, CellKey, Amounts]
Rule = Callable[[Any, IdInterner], Cell]


def _who(event: ActivityEvent) -> tuple[str, str, str]:
    return event.actor.type, event.actor.id, event.product or ""


def _optional(ids: IdInterner, value: str | None, field: str) -> str:
    return NIL if value is None else ids.check(value, field)


def _chat_key(event: ChatStarted | ChatMessage | ChatSharedViewed, ids: IdInterner) -> CellKey:
    project = _optional(ids, event.project_id, "project_id")
    conversation = ids.check(event.conversation_id, "conversation_id")
    return (*_who(event), event.surface or "", project, conversation)


def _chat_started(event: ChatStarted, ids: IdInterner) -> Cell:
    return CHAT, _chat_key(event, ids), (0, 0, 0, 0, 0, 1)


def _chat_message(event: ChatMessage, ids: IdInterner) -> Cell:
    return CHAT, _chat_key(event, ids), (0, 1, int(event.thinking), 0, event.web_searches, 0)


def _chat_shared_viewed(event: ChatSharedViewed, ids: IdInterner) -> Cell:
    return CHAT, _chat_key(event, ids), (0, 0, 0, 1, 0, 0)


def _file_uploaded(event: FileUploaded, ids: IdInterner) -> Cell:
    project = _optional(ids, event.project_id, "project_id")
    return FILE, (*_who(event), project, ids.check(event.file_id, "file_id")), (0, 1)


def _project(amounts: Amounts) -> Rule:
    def rule(event: ProjectCreated | ProjectUsed, ids: IdInterner) -> Cell:
        return PROJECT, (*_who(event), ids.check(event.project_id, "project_id")), amounts

    return rule


def _artifact(amounts: Amounts) -> Rule:
    def rule(event: ArtifactCreated | ArtifactShared | ArtifactPublished | ArtifactViewed, ids: IdInterner) -> Cell:
        project = _optional(ids, event.project_id, "project_id")
        artifact = ids.check(event.artifact_id, "artifact_id")
        key = (*_who(event), event.surface or "", project, event.artifact_type, artifact)
        return ARTIFACT, key, amounts

    return rule


def _extension(event: Any, ids: IdInterner, kind: str, name: str, auth_mode: str, amounts: Amounts) -> Cell:
    project = _optional(ids, event.project_id, "project_id")
    session = _optional(ids, event.session_id, "session_id")
    key = (*_who(event), event.surface or "", project, kind, name, auth_mode, session)
    return CONNECTOR, key, amounts


_CALLS: dict[str, Amounts] = {
    "read": (0, 1, 0, 0, 1, 0, 0, 0),
    "write": (0, 0, 1, 0, 1, 0, 0, 0),
    "unclassified": (0, 0, 0, 1, 1, 0, 0, 0),
}


def _connector_called(event: ConnectorCalled, ids: IdInterner) -> Cell:
    name = connector_key(event.name)
    return _extension(event, ids, "connector", name, event.auth_mode, _CALLS[event.access])


def _connector_connected(event: ConnectorConnected, ids: IdInterner) -> Cell:
    name = connector_key(event.name)
    return _extension(event, ids, "connector", name, event.auth_mode, (0, 0, 0, 0, 0, 0, 0, 1))


def _named(kind: str, amounts: Amounts) -> Rule:
    def rule(event: SkillUsed | SkillEnabled | PluginUsed | PluginInstalled, ids: IdInterner) -> Cell:
        return _extension(event, ids, kind, name_key(event.name), "", amounts)

    return rule


def _session_key(event: SessionStarted | SessionActivity, ids: IdInterner) -> CellKey:
    session = ids.check(event.session_id, "session_id")
    return (*_who(event), event.surface or "", event.terminal or "", int(event.is_remote), session)


_STARTED: Amounts = (0, 1, *(0 for _ in SESSION_COUNTERS))


def _session_started(event: SessionStarted, ids: IdInterner) -> Cell:
    return SESSION, _session_key(event, ids), _STARTED


def _session_activity(event: SessionActivity, ids: IdInterner) -> Cell:
    amounts = (0, 0, *(getattr(event, counter) for counter in SESSION_COUNTERS))
    return SESSION, _session_key(event, ids), amounts


RULES: dict[type[ActivityEvent], Rule] = {
    ChatStarted: _chat_started,
    ChatMessage: _chat_message,
    ChatSharedViewed: _chat_shared_viewed,
    FileUploaded: _file_uploaded,
    ProjectCreated: _project((0, 1, 0)),
    ProjectUsed: _project((0, 0, 1)),
    ArtifactCreated: _artifact((0, 1, 0, 0, 0)),
    ArtifactShared: _artifact((0, 0, 1, 0, 0)),
    ArtifactPublished: _artifact((0, 0, 0, 1, 0)),
    ArtifactViewed: _artifact((0, 0, 0, 0, 1)),
    ConnectorCalled: _connector_called,
    ConnectorConnected: _connector_connected,
    SkillUsed: _named("skill", (0, 0, 0, 0, 1, 0, 0, 0)),
    SkillEnabled: _named("skill", (0, 0, 0, 0, 0, 1, 0, 0)),
    PluginUsed: _named("plugin", (0, 0, 0, 0, 1, 0, 0, 0)),
    PluginInstalled: _named("plugin", (0, 0, 0, 0, 0, 0, 1, 0)),
    SessionStarted: _session_started,
    SessionActivity: _session_activity,
}


class ActivityFold:
    """Folds `tally.chat`, `tally.project`, `tally.artifact`, `tally.connector` and `tally.session`."""

    def __init__(self, ids: IdInterner) -> None:
        self._ids = ids

    def __call__(self, event: ActivityEvent, log_ms: int) -> Folded:
        """Return what one event adds. Raises InvalidRecord."""
        minute = minute_in_bounds(event.occurred_at, log_ms, "occurred_at")
        organization = self._ids.check(event.organization_id, "organization_id")
        self._ids.check(event.actor.id, "actor.id")
        counted = minute
        if isinstance(event, (ArtifactShared, ArtifactPublished, ArtifactViewed)):
            # "Ever shared" is counted on the day of the artifact's creation, whenever it was shared.
            counted = minute_in_bounds(event.created_at, log_ms, "created_at")
        declaration, key, amounts = RULES[type(event)](event, self._ids)
        change = (declaration, (organization, counted // 1440), key, amounts)
        return (change, *live_change(organization, event.product or "", minute, log_ms)), ()
