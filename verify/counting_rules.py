"""The increments of a valid event, written as plainly as possible (docs/verify.md)."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from verify.events import ATTRIBUTION_IDS, SESSION_COUNTERS, TOKEN_CLASSES
from verify.tables import NIL
from verify.timestamps import DAY, MINUTE, day_text, hour_text, minute_text, parse_moment
from verify.validity import LATER_ARTIFACT_EVENTS, Event

Key = tuple[Any, ...]
Addition = tuple[str, Key, dict[str, int]]
"""(table, (organization, window, *key), counter -> increment). An omitted counter is not changed."""


def increments(kind: str, event: Event, timestamp_ms: int) -> Iterator[Addition]:
    """Yield the event's increments: one cell of its own table, and a live minute unless it arrived a week late."""
    occurred_at = _moment(event, "occurred_at")
    organization = event["organization_id"]
    if kind in ("token.used", "execution.used"):
        table, key, amounts = _USAGE[kind](event)
        yield table, (organization, hour_text(occurred_at), *key), amounts
    else:
        table, key, amounts = _ACTIVITY[kind](event)
        counted_at = _moment(event, "created_at") if kind in LATER_ARTIFACT_EVENTS else occurred_at
        yield table, (organization, day_text(counted_at), *key), amounts
    if timestamp_ms * 1000 // MINUTE - occurred_at // MINUTE <= 7 * DAY // MINUTE:
        yield _live_minute(kind, event, minute_text(occurred_at))


def attribution_row(attribution: dict[str, Any] | None) -> Key | None:
    """Return the row of `attributions` for a usage event's attribution (its id first); None if it has none."""
    if attribution is None:
        return None
    said = {field: attribution[field] for field in _ATTRIBUTION if attribution.get(field) not in (None, [])}
    if "skills" in said:
        said["skills"] = [plain_name(name) for name in said["skills"]]
    return (
        str(UUID(bytes=blake2b(orjson.dumps(said), digest_size=16).digest())),
        *(said.get(field, NIL) for field in ATTRIBUTION_IDS),
        *(said.get(field, "") for field in _ATTRIBUTION_TEXTS),
        None if "is_remote" not in said else int(said["is_remote"]),
        tuple(said.get("skills", ())),
    )


def connector_key(name: str) -> str:
    """Return the connector's name in tables: "Atlassian MCP server" and "mcp-atlassian" are both "atlassian"."""
    words = " ".join(re.sub(r"[\s_\-./:()\[\]{}]", " ", _caseless(name)).split())
    bare = re.sub(r"(?<!\S)mcp(?!\S)( (server|connector|integration)(?!\S))*", "", words)
    own = [word for word in bare.split() if word]
    if all(word in ("server", "connector", "integration") for word in own):
        return "mcp"
    return "_".join(own)


def plain_name(name: str) -> str:
    """Return the name of a skill or plugin in tables: " PDF" and "pdf" are "pdf"; a blank name becomes one space."""
    return re.sub(r"^\s+|\s+$", "", _caseless(name)) or " "


def name_in_tables(kind: str, name: str) -> str:
    """Return the name of a connector, skill or plugin in tables."""
    return connector_key(name) if kind == "connector" else plain_name(name)


def _caseless(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


_ATTRIBUTION_TEXTS = ("slack_channel_id", "claude_tag_user_id", "claude_tag_category", "terminal")
_ATTRIBUTION = (*ATTRIBUTION_IDS, *_ATTRIBUTION_TEXTS, "is_remote", "skills")

Cell = tuple[str, Key, dict[str, int]]


def _moment(event: Event, field: str) -> int:
    moment = parse_moment(event[field])
    if moment is None:
        raise ValueError(f"{field} {event[field]!r} passed validation but is not a moment")
    return moment


def _actor(event: Event) -> Key:
    return event["actor"]["type"], event["actor"]["id"], event.get("product") or ""


def _place(event: Event) -> Key:
    return (*_actor(event), event.get("surface") or "", event.get("project_id") or NIL)


def _token(event: Event) -> Cell:
    key = (
        *_actor(event),
        event["model"],
        event.get("service_tier", "standard"),
        event.get("context_window") or "",
        event.get("inference_geo") or "",
        event.get("speed") or "",
        event["funding"],
        _attribution_id(event),
    )
    amounts = {name: event.get(name, 0) for name in (*TOKEN_CLASSES, "web_search_requests")}
    return "spend_cells", key, {"requests": 1, **amounts}


def _execution(event: Event) -> Cell:
    key = (*_actor(event), "", "", "", "", "", event["funding"], _attribution_id(event))
    amounts = {"execution_spans": event.get("spans", 1), "execution_milliseconds": event.get("milliseconds", 0)}
    return "spend_cells", key, amounts


def _attribution_id(event: Event) -> str:
    row = attribution_row(event.get("attribution"))
    return row[0] if row else NIL


def _chat(event: Event, amounts: dict[str, int]) -> Cell:
    return "chat_cells", (*_place(event), event["conversation_id"]), amounts


def _chat_message(event: Event) -> Cell:
    thinking, searches = int(event.get("thinking", False)), event.get("web_searches", 0)
    return _chat(event, {"messages": 1, "thinking_messages": thinking, "web_searches": searches})


def _file(event: Event) -> Cell:
    return "file_cells", (*_actor(event), event.get("project_id") or NIL, event["file_id"]), {"uploads": 1}


def _project(event: Event, counter: str) -> Cell:
    return "project_cells", (*_actor(event), event["project_id"]), {counter: 1}


def _artifact(event: Event, counter: str) -> Cell:
    return "artifact_cells", (*_place(event), event["artifact_type"], event["artifact_id"]), {counter: 1}


def _connector_called(event: Event) -> Cell:
    calls = event.get("access", "unclassified") + "_calls"
    return _extension(event, "connector", event.get("auth_mode", "none"), {calls: 1, "uses": 1})


def _extension(event: Event, kind: str, auth_mode: str, amounts: dict[str, int]) -> Cell:
    name = name_in_tables(kind, event["name"])
    return "connector_cells", (*_place(event), kind, name, auth_mode, event.get("session_id") or NIL), amounts


def _session(event: Event, amounts: dict[str, int]) -> Cell:
    where = (event.get("surface") or "", event.get("terminal") or "", int(event.get("is_remote", False)))
    return "session_cells", (*_actor(event), *where, event["session_id"]), amounts


def _session_activity(event: Event) -> Cell:
    return _session(event, {name: event.get(name, 0) for name in SESSION_COUNTERS})


def _live_minute(kind: str, event: Event, minute: str) -> Addition:
    is_token = kind == "token.used"
    tokens = {"requests": 1, **{name: event.get(name, 0) for name in TOKEN_CLASSES}} if is_token else {}
    key = (event["organization_id"], minute, event.get("product") or "", event["model"] if is_token else "")
    return "minute_cells", key, {"events": 1, **tokens}


_USAGE: dict[str, Callable[[Event], Cell]] = {"token.used": _token, "execution.used": _execution}

_ACTIVITY: dict[str, Callable[[Event], Cell]] = {
    "chat.started": lambda event: _chat(event, {"started": 1}),
    "chat.message": _chat_message,
    "chat.shared_viewed": lambda event: _chat(event, {"shared_views": 1}),
    "file.uploaded": _file,
    "project.created": lambda event: _project(event, "created"),
    "project.used": lambda event: _project(event, "used"),
    "artifact.created": lambda event: _artifact(event, "created"),
    "artifact.shared": lambda event: _artifact(event, "shared"),
    "artifact.published": lambda event: _artifact(event, "published"),
    "artifact.viewed": lambda event: _artifact(event, "viewed"),
    "connector.called": _connector_called,
    "connector.connected": lambda event: _extension(
        event, "connector", event.get("auth_mode", "individual"), {"credentials": 1}
    ),
    "skill.used": lambda event: _extension(event, "skill", "", {"uses": 1}),
    "skill.enabled": lambda event: _extension(event, "skill", "", {"enabled": 1}),
    "plugin.used": lambda event: _extension(event, "plugin", "", {"uses": 1}),
    "plugin.installed": lambda event: _extension(event, "plugin", "", {"installed": 1}),
    "session.started": lambda event: _session(event, {"started": 1}),
    "session.activity": _session_activity,
}
