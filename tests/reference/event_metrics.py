"""Which metrics an event adds to, by docs/api.md and docs/events.md."""

from collections.abc import Mapping

from tests.reference.model import activity
from tests.reference.model.events import Event
from tests.reference.model.names import connector_key, name_key

OFFICE = ("excel", "powerpoint", "word", "outlook")
TOOLS = ("edit", "multi_edit", "write", "notebook_edit")
PRODUCTS = ("chat", "claude_code", "cowork", "office_agent", "claude_design", "science")


def active_in(event: Event) -> str:
    """The product in which an event makes its person active, or nothing: in some, a delegation or a remote job does."""
    product = event.get("product") or ""
    helped = event["type"] == "session.activity" and (event.get("delegations") or event.get("remote_jobs"))
    found = product if helped and product in PRODUCTS[3:] else activity.active_in(event)
    return found if found in PRODUCTS else ""


Touched = tuple[dict[str, int], dict[str, str]]
"""Sums, and things that are counted once, by metric."""

Befell = Mapping[str, set[str]]
"""An artifact to what befell it later: shared, published."""


def touches(event: Event, projects: set[str]) -> Touched | None:
    """The metrics of a person that an event adds to, as (sums, things); None when it does not count."""
    kind, product = event["type"], event.get("product") or "chat"
    chat_only = not projects or (event.get("project_id") in projects and (product == "chat" or kind[:5] == "chat."))
    if not chat_only:
        return None
    if kind == "chat.message":
        sums = {
            "chat_metrics.message_count": 1,
            "chat_metrics.thinking_message_count": int(event.get("thinking", False)),
            "web_search_count": event.get("web_searches", 0),
        }
        return sums, {"chat_metrics.distinct_conversation_count": event["conversation_id"]}
    if kind == "chat.shared_viewed":
        return {"chat_metrics.shared_conversations_viewed_count": 1}, {}
    if kind == "file.uploaded":
        return ({}, {"chat_metrics.distinct_files_uploaded_count": event["file_id"]}) if product == "chat" else None
    if kind in ("project.created", "project.used") and product in ("chat", "claude_design"):
        place = {"chat": "chat", "claude_design": "design"}[product]
        return {}, {f"{place}_metrics.distinct_projects_{kind.split('.')[1]}_count": event["project_id"]}
    if kind == "artifact.created":
        places = {
            "chat": "chat_metrics.distinct_artifacts_created_count",
            "claude_code": "claude_code_metrics.core_metrics.artifacts_created_count",
            "cowork": "cowork_metrics.artifacts_created_count",
        }
        return ({}, {places[product]: event["artifact_id"]}) if product in places else None
    if kind in ("connector.called", "skill.used", "plugin.used"):
        return extension_touches(event, kind.split(".")[0], product)
    if projects:
        return None
    if kind == "token.used":
        searches = event.get("web_search_requests", 0)
        return ({"web_search_count": searches}, {}) if searches and product == "claude_code" else None
    return session_touches(event, product) if kind.startswith("session.") else None


def extension_touches(event: Event, what: str, product: str) -> Touched | None:
    surface = event.get("surface") or ""
    place = f"office_metrics.{surface}" if product == "office_agent" else f"{product}_metrics"
    if product not in ("chat", "claude_code", "cowork", "science", "office_agent"):
        return None
    if product == "claude_code" or (product == "office_agent" and surface not in OFFICE):
        return {}, {}
    used, distinct = f"{place}.{what}s_used_count", f"{place}.distinct_{what}s_used_count"
    name = connector_key(event["name"]) if what == "connector" else name_key(event["name"])
    if what == "plugin" and product != "cowork":
        return {}, {}
    if product == "science":
        return ({used: 1} if what == "skill" else {}), {}
    sums = {} if (product, what) == ("chat", "skill") else {used: 1}
    return sums, {distinct: name}


def session_touches(event: Event, product: str) -> Touched | None:
    def n(name: str) -> int:
        return int(event.get(name, 0))

    session = event["session_id"]
    if product == "claude_code":
        core, tools = "claude_code_metrics.core_metrics", "claude_code_metrics.tool_actions"
        sums = {
            f"{core}.commit_count": n("commits"),
            f"{core}.pull_request_count": n("pull_requests"),
            f"{core}.lines_of_code.added_count": n("lines_added"),
            f"{core}.lines_of_code.removed_count": n("lines_removed"),
        }
        for tool in TOOLS:
            for verdict in ("accepted", "rejected"):
                sums[f"{tools}.{tool}_tool.{verdict}_count"] = n(f"{tool}_{verdict}")
        return sums, {f"{core}.distinct_session_count": session}
    if product == "cowork":
        edits = {f"cowork_metrics.{tool}_tool_count": n(f"{tool}_accepted") for tool in TOOLS}
        things = {"cowork_metrics.distinct_session_count": session}
        if sum(edits.values()):
            things["cowork_metrics.sessions_with_file_edits_count"] = session
        return edits | {
            "cowork_metrics.message_count": n("messages"),
            "cowork_metrics.action_count": n("actions"),
            "cowork_metrics.dispatch_turn_count": n("dispatch_turns"),
            "cowork_metrics.file_edit_count": sum(edits.values()),
        }, things
    if product == "office_agent":
        place = f"office_metrics.{event.get('surface')}"
        if event.get("surface") not in OFFICE:
            return {}, {}
        return {f"{place}.message_count": n("messages")}, {f"{place}.distinct_session_count": session}
    if product == "claude_design":
        return {"design_metrics.message_count": n("messages")}, {"design_metrics.distinct_session_count": session}
    if product == "science":
        return {
            "science_metrics.message_count": n("messages"),
            "science_metrics.delegation_count": n("delegations"),
            "science_metrics.remote_compute_job_count": n("remote_jobs"),
        }, {"science_metrics.distinct_session_count": session}
    return None


Named = tuple[str, dict[str, int], dict[str, str]]


def connector_touches(event: Event, _: Befell) -> Named | None:
    if event["type"] != "connector.called":
        return None
    person = event["actor"]["id"]
    sums = {"invocation_count": 1, f"{event.get('access', 'unclassified')}_call_count": 1}
    things = {"distinct_user_count": person, **in_sessions(event, "connector")}
    if event.get("auth_mode") in ("individual", "managed"):
        things[f"{event['auth_mode']}_auth_distinct_user_count"] = person
    return connector_key(event["name"]), sums, things


def skill_touches(event: Event, _: Befell) -> Named | None:
    if event["type"] == "skill.enabled":
        return name_key(event["name"]), {}, {"enable_count": event["actor"]["id"]}
    if event["type"] != "skill.used":
        return None
    things = {"distinct_user_count": event["actor"]["id"], **in_sessions(event, "skill")}
    return name_key(event["name"]), {"invocation_count": 1}, things


def plugin_touches(event: Event, _: Befell) -> Named | None:
    person = event["actor"]["id"]
    if event["type"] == "plugin.installed":
        return name_key(event["name"]), {}, {"install_count": person, "distinct_user_count": person}
    if event["type"] != "plugin.used":
        return None
    things = {"distinct_user_count": person, **in_sessions(event, "plugin")}
    shown = {name: thing for name, thing in things.items() if name[:4] not in ("chat", "offi")}
    return name_key(event["name"]), {"invocation_count": 1}, shown


def project_touches(event: Event, _: Befell) -> Named | None:
    kind, person = event["type"], event["actor"]["id"]
    if kind == "chat.message" and event.get("project_id"):
        things = {"distinct_user_count": person, "distinct_conversation_count": event["conversation_id"]}
        return event["project_id"], {"message_count": 1}, things
    if kind == "project.used" and event.get("product") in (None, "chat"):
        return event["project_id"], {}, {"distinct_user_count": person}
    return None


def artifact_touches(event: Event, befell: Befell) -> Named | None:
    if event["type"] != "artifact.created":
        return None
    artifact = event["artifact_id"]
    later = befell.get(artifact, set())
    things = {"artifacts_created_count": artifact, "distinct_user_count": event["actor"]["id"]}
    if "published" in later:
        things["published_artifacts_created_count"] = artifact
    return f"{event['artifact_type']} {bool(later)}", {}, things


NAMED = {
    "connectors": connector_touches,
    "skills": skill_touches,
    "plugins": plugin_touches,
    "projects": project_touches,
    "artifacts": artifact_touches,
}


def named(kind: str, event: Event, befell: Befell) -> list[Named]:
    """What an event adds to the rows of a list; usage that names skills makes their rows and counts nothing there."""
    if kind == "skills" and event["type"] in ("token.used", "execution.used"):
        said = (event.get("attribution") or {}).get("skills", ())
        return [(name, {}, {}) for name in sorted({name_key(name) for name in said})]
    touched = NAMED[kind](event, befell)
    return [touched] if touched else []


def in_sessions(event: Event, what: str) -> dict[str, str]:
    session, product = event.get("session_id"), event.get("product") or "chat"
    if session is None or product not in ("chat", "claude_code", "cowork", "office_agent"):
        return {}
    if product == "chat":
        return {f"chat_metrics.distinct_conversation_{what}_used_count": session}
    if product != "office_agent":
        return {f"{product}_metrics.distinct_session_{what}_used_count": session}
    if event.get("surface") not in OFFICE:
        return {}
    return {f"office_metrics.{event['surface']}.distinct_session_{what}_used_count": session}
