"""The event types of each topic, as FieldRules (see field_rules.py)."""

from verify.directory_events import DIRECTORY_EVENTS, PROFILE_EVENTS
from verify.field_rules import (
    ENVELOPE,
    Field,
    FieldRules,
    is_bool,
    is_count,
    is_id,
    is_moment,
    is_optional_id,
    list_of,
    name,
    one_of,
    optional,
    shaped,
    tag,
    text,
)

TOKEN_CLASSES = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "output_tokens",
)
SESSION_COUNTERS = (
    "messages",
    "tool_uses",
    "actions",
    "dispatch_turns",
    "lines_added",
    "lines_removed",
    "commits",
    "pull_requests",
    "edit_accepted",
    "edit_rejected",
    "multi_edit_accepted",
    "multi_edit_rejected",
    "write_accepted",
    "write_rejected",
    "notebook_edit_accepted",
    "notebook_edit_rejected",
    "delegations",
    "remote_jobs",
)
ATTRIBUTION_IDS = (
    "workspace_id",
    "api_key_id",
    "session_id",
    "agent_id",
    "deployment_id",
    "environment_id",
    "user_profile_id",
)

_ACTOR = FieldRules({"type": one_of("user", "api_key", "service_account", "federated"), "id": is_id})
_PRODUCTS = (
    "chat",
    "claude_code",
    "cowork",
    "office_agent",
    "claude_in_chrome",
    "claude_design",
    "claude_tag",
    "science",
    "claude_console",
    "managed_agents_api",
    "message_batches_api",
    "messages_api",
    "other",
)
_SURFACE = one_of("web", "desktop", "mobile", "slack", "excel", "powerpoint", "word", "outlook", "terminal", "ide")
_ARTIFACT_TYPE = one_of(
    "application/vnd.ant.code",
    "application/vnd.ant.mermaid",
    "application/vnd.ant.react",
    "image/svg+xml",
    "text/html",
    "text/markdown",
    "text/plain",
    "other",
)
_AUTH_MODE = one_of("managed", "individual", "none")
_SERVICE_TIER = one_of("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount")

_COUNT: Field = (is_count, 0)
_MAY_HAVE_ID: Field = (is_optional_id, None)

ATTRIBUTION = FieldRules(
    {
        **dict.fromkeys(ATTRIBUTION_IDS, _MAY_HAVE_ID),
        "slack_channel_id": (optional(tag), None),
        "claude_tag_user_id": (optional(tag), None),
        "claude_tag_category": (optional(one_of("dm", "engaged", "monitoring", "proactive", "scheduled")), None),
        "terminal": (optional(tag), None),
        "is_remote": (optional(is_bool), None),
        "skills": (list_of(tag, 32), []),
    }
)

_ACTIVITY: dict[str, Field] = {
    **ENVELOPE,
    "actor": shaped(_ACTOR),
    "product": (optional(one_of(*_PRODUCTS)), None),
    "surface": (optional(_SURFACE), None),
}
_CONVERSATION: dict[str, Field] = {**_ACTIVITY, "conversation_id": is_id, "project_id": _MAY_HAVE_ID}
_ARTIFACT: dict[str, Field] = {
    **_ACTIVITY,
    "artifact_id": is_id,
    "artifact_type": _ARTIFACT_TYPE,
    "project_id": _MAY_HAVE_ID,
}
_EXTENSION: dict[str, Field] = {**_ACTIVITY, "name": name, "session_id": _MAY_HAVE_ID, "project_id": _MAY_HAVE_ID}
_USAGE: dict[str, Field] = {
    **_ACTIVITY,
    "funding": one_of("seat_allotment", "extra_usage", "usage_based"),
    "attribution": (optional(shaped(ATTRIBUTION)), None),
}
_SESSION: dict[str, Field] = {
    **_ACTIVITY,
    "product": one_of(*(product for product in _PRODUCTS if product != "chat")),
    "session_id": is_id,
    "terminal": (optional(text(0, 64)), None),
    "is_remote": (is_bool, False),
}

_PROJECT_EVENT = FieldRules({**_ACTIVITY, "project_id": is_id})
_CONVERSATION_EVENT = FieldRules(_CONVERSATION)
_LATER_ARTIFACT_EVENT = FieldRules({**_ARTIFACT, "created_at": is_moment})
_EXTENSION_EVENT = FieldRules(_EXTENSION)

SCHEMAS: dict[str, dict[str, FieldRules]] = {
    "tally.chat": {
        "chat.started": _CONVERSATION_EVENT,
        "chat.message": FieldRules({**_CONVERSATION, "thinking": (is_bool, False), "web_searches": _COUNT}),
        "chat.shared_viewed": _CONVERSATION_EVENT,
        "file.uploaded": FieldRules({**_ACTIVITY, "file_id": is_id, "project_id": _MAY_HAVE_ID}),
    },
    "tally.project": {"project.created": _PROJECT_EVENT, "project.used": _PROJECT_EVENT},
    "tally.artifact": {
        "artifact.created": FieldRules(_ARTIFACT),
        "artifact.shared": _LATER_ARTIFACT_EVENT,
        "artifact.published": _LATER_ARTIFACT_EVENT,
        "artifact.viewed": _LATER_ARTIFACT_EVENT,
    },
    "tally.connector": {
        "connector.called": FieldRules(
            {
                **_EXTENSION,
                "access": (one_of("read", "write", "unclassified"), "unclassified"),
                "auth_mode": (_AUTH_MODE, "none"),
            }
        ),
        "connector.connected": FieldRules({**_EXTENSION, "auth_mode": (_AUTH_MODE, "individual")}),
        "skill.used": _EXTENSION_EVENT,
        "skill.enabled": _EXTENSION_EVENT,
        "plugin.used": _EXTENSION_EVENT,
        "plugin.installed": _EXTENSION_EVENT,
    },
    "tally.token": {
        "token.used": FieldRules(
            {
                **_USAGE,
                "request_id": tag,
                "model": tag,
                **dict.fromkeys(TOKEN_CLASSES, _COUNT),
                "web_search_requests": _COUNT,
                "service_tier": (_SERVICE_TIER, "standard"),
                "context_window": (optional(one_of("0-200k", "200k-1M")), None),
                "inference_geo": (optional(one_of("global", "us")), None),
                "speed": (optional(one_of("standard", "fast")), None),
            }
        ),
        "execution.used": FieldRules({**_USAGE, "spans": (is_count, 1), "milliseconds": _COUNT}),
    },
    "tally.session": {
        "session.started": FieldRules(_SESSION),
        "session.activity": FieldRules({**_SESSION, **dict.fromkeys(SESSION_COUNTERS, _COUNT)}),
    },
    "tally.directory": DIRECTORY_EVENTS,
    "tally.profiles": PROFILE_EVENTS,
}
"""By topic and event type, the rules of its fields."""
