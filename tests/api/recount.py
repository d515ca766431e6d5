"""An independent recount of the engagement lists: the events, in plain Python. It imports nothing of Tally."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

Event = dict[str, Any]
DAY = timedelta(days=1)
OFFICE = ("excel", "powerpoint", "word", "outlook")
TOOLS = ("edit", "multi_edit", "write", "notebook_edit")
WINDOWS = {"daily": 1, "weekly": 7, "monthly": 30}
PRODUCTS = ("chat", "claude_code", "cowork", "office_agent", "claude_design", "science")
ENDS = ("group.deleted", "member.removed", "account.deleted")


def at(event: Event) -> datetime:
    """The moment that an event counts for: what befalls an artifact counts for its creation."""
    return datetime.fromisoformat(event.get("created_at", event["occurred_at"])).astimezone(UTC)


def moment(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurred_at"]).astimezone(UTC)


class Tally:
    """One row: sums, and things that are counted once."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = defaultdict(int)
        self.things: dict[str, set[str]] = defaultdict(set)
        self.people: set[str] = set()
        self.last: date | None = None

    def counts(self) -> dict[str, int]:
        return {**self.sums, **{name: len(things) for name, things in self.things.items()}}


class Recount:
    """What all lists should say, from the events alone. An event_id counts once."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list({event["event_id"]: event for event in reversed(list(events))}.values())[::-1]

    def acts(self, organization: str, first: date, last: date) -> Iterator[tuple[Event, date]]:
        """What people did, with the day that it counts for."""
        for event in self.events:
            if event["organization_id"] == organization and event.get("actor", {}).get("type") == "user":
                day = at(event).date()
                if first <= day <= last:
                    yield event, day

    @cached_property
    def groups(self) -> dict[tuple[str, str], list[tuple[datetime, str, bool]]]:
        """(organization, account) to the history (moment, group, joined) of memberships."""
        history: dict[tuple[str, str], list[tuple[datetime, str, bool]]] = defaultdict(list)
        joined = [event for event in self.events if event["type"] == "group.joined"]
        for event in self.events:
            if event["type"] in ("group.joined", "group.left"):
                history[event["organization_id"], event["account_id"]].append(
                    (moment(event), event["group_id"], event["type"] == "group.joined")
                )
            elif event["type"] in ENDS:
                for other in joined:
                    same = all(event.get(name, other[name]) == other[name] for name in ("group_id", "account_id"))
                    if same and other["organization_id"] == event["organization_id"]:
                        history[event["organization_id"], other["account_id"]].append(
                            (moment(event), other["group_id"], False)
                        )
        return {key: sorted(changes, key=lambda change: change[0]) for key, changes in history.items()}

    def groups_on(self, organization: str, account: str, day: date) -> set[str]:
        """The groups that a person held at any instant of the day."""
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        held: set[str] = set()
        touched: set[str] = set()
        for when, group, joined in self.groups.get((organization, account), ()):
            if when >= begins + DAY:
                break
            if joined:
                held.add(group)
                touched.add(group)
            else:
                held.discard(group)
                if when <= begins:
                    touched.discard(group)
        return touched

    def names(self, organization: str, kind: str, key: str) -> dict[str, Event]:
        """The latest saved state of each thing."""
        found: dict[str, Event] = {}
        for event in sorted(self.events, key=moment):
            if event["organization_id"] == organization and event["type"] == kind:
                found[event[key]] = event
        return found

    def group_name(self, organization: str, group: str) -> str | None:
        saved = self.names(organization, "group.saved", "group_id").get(group)
        return saved["name"] if saved and group not in self.names(organization, "group.deleted", "group_id") else None

    # -- users -----------------------------------------------------------------------------------------------

    def users(
        self, organization: str, first: date, last: date, *, users: Any = (), groups: Any = (), projects: Any = (),
        by_group: bool = False,
    ) -> dict[str, Tally]:  # fmt: skip
        """account, or group, to its row."""
        rows: dict[str, Tally] = defaultdict(Tally)
        for event, day in self.acts(organization, first, last):
            account = event["actor"]["id"]
            touched = touches(event, set(projects))
            if touched is None or (users and account not in users):
                continue
            held = self.groups_on(organization, account, day) if by_group or groups else set()
            held &= set(groups) or held
            subjects = held if by_group else ({account} if held or not groups else set())
            for subject in subjects:
                row = rows[subject]
                row.people.add(account)
                row.last = max(day, row.last or day)
                for name, amount in touched[0].items():
                    row.sums[name] += amount
                for name, thing in touched[1].items():
                    row.things[name].add(thing)
        return dict(rows)

    # -- summaries -------------------------------------------------------------------------------------------

    def summaries(self, organization: str, first: date, last: date, groups: Any = ()) -> list[dict[str, Any]]:
        """One a day, by the names of the response."""
        active: dict[tuple[str, date], set[str]] = defaultdict(set)
        for event, day in self.acts(organization, first - 30 * DAY, last):
            account = event["actor"]["id"]
            if groups and not self.groups_on(organization, account, day) & set(groups):
                continue
            product = active_in(event)
            if product:
                active[product, day].add(account)
                if product in ("chat", "claude_code", "cowork"):
                    active["", day].add(account)
        found = []
        for number in range((last - first).days + 1):
            day = first + number * DAY
            row: dict[str, Any] = {}
            for product in ("", *PRODUCTS):
                for window, width in WINDOWS.items():
                    people = set().union(*(active[product, day - back * DAY] for back in range(width)))
                    row[f"{product}_{window}_active_user_count".lstrip("_")] = len(people)
            if not groups:
                seats, invites = self.standing(organization, day)
                row |= {"assigned_seat_count": seats, "pending_invite_count": invites}
                for window in WINDOWS:
                    row[f"{window}_adoption_rate"] = row[f"{window}_active_user_count"] / seats * 100
            found.append(row)
        return found

    def standing(self, organization: str, day: date) -> tuple[int, int]:
        """Seats held and invitations pending at the day's end."""
        seats, invites = set(), set()
        ends = datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY
        for event in sorted(self.events, key=moment):
            if event["organization_id"] != organization or moment(event) >= ends:
                continue
            kind = event["type"]
            if kind == "seat.assigned":
                seats.add(event["account_id"])
            elif kind in ("seat.unassigned", "member.removed", "account.deleted"):
                seats.discard(event["account_id"])
            elif kind == "invite.sent":
                invites.add(event["invite_id"])
            elif kind == "invite.closed":
                invites.discard(event["invite_id"])
        return len(seats), len(invites)

    # -- lists by name ---------------------------------------------------------------------------------------

    def listed(
        self, kind: str, organization: str, first: date, last: date, *, users: Any = (), groups: Any = (),
        products: Any = (), names: Any = (), by: Any = (),
    ) -> dict[tuple[str, str, str, str], dict[str, int]]:  # fmt: skip
        """(name, product, account, group) to counts, for connectors, skills, plugins, projects or artifacts.

        `names` are keys: the caller resolves spellings.
        """
        rows: dict[tuple[str, str, str, str], Tally] = defaultdict(Tally)
        for event, day in self.acts(organization, first, last):
            touched = NAMED[kind](event, self)
            account, product = event["actor"]["id"], event.get("product") or "chat"
            if touched is None or (users and account not in users) or (products and product not in products):
                continue
            name, sums, things = touched
            if names and name not in names:
                continue
            held = self.groups_on(organization, account, day) if groups or "rbac_group_id" in by else {""}
            held &= set(groups) or held
            if not held:
                continue
            for group in held if "rbac_group_id" in by else {""}:
                row = rows[
                    name, product if "product" in by else "", account if "user_id" in by else "", group
                ]  # fmt: skip
                for counter, amount in sums.items():
                    row.sums[counter] += amount
                for counter, thing in things.items():
                    row.things[counter].add(thing)
        return {key: row.counts() for key, row in rows.items()}

    @cached_property
    def befell(self) -> dict[str, set[str]]:
        """artifact to what befell it: shared, published."""
        found: dict[str, set[str]] = defaultdict(set)
        for event in self.events:
            if event["type"] in ("artifact.shared", "artifact.published"):
                found[event["artifact_id"]].add(event["type"].split(".")[1])
        return found


def active_in(event: Event) -> str:
    """The product in which an event makes its person active, or nothing."""
    kind, product = event["type"], event.get("product") or ""
    if kind == "chat.message":
        return "chat"
    if kind != "session.activity":
        return ""
    did = {name for name, value in event.items() if isinstance(value, int) and value > 0}
    if product == "claude_code":
        return product if did & {"tool_uses", "commits", "pull_requests"} else ""
    if product == "cowork":
        return product if did & {"tool_uses", "messages"} else ""
    others = {"messages", "tool_uses", "delegations", "remote_jobs"}
    return product if product in PRODUCTS[3:] and did & others else ""


Touched = tuple[dict[str, int], dict[str, str]]


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
    name = normal(event["name"]) if what == "connector" else event["name"]
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


def connector_touches(event: Event, _: Recount) -> Named | None:
    if event["type"] != "connector.called":
        return None
    person = event["actor"]["id"]
    sums = {"invocation_count": 1, f"{event.get('access', 'unclassified')}_call_count": 1}
    things = {"distinct_user_count": person, **in_sessions(event, "connector")}
    if event.get("auth_mode") in ("individual", "managed"):
        things[f"{event['auth_mode']}_auth_distinct_user_count"] = person
    return normal(event["name"]), sums, things


def skill_touches(event: Event, _: Recount) -> Named | None:
    if event["type"] == "skill.enabled":
        return event["name"], {}, {"enable_count": event["actor"]["id"]}
    if event["type"] != "skill.used":
        return None
    things = {"distinct_user_count": event["actor"]["id"], **in_sessions(event, "skill")}
    return event["name"], {"invocation_count": 1}, things


def plugin_touches(event: Event, _: Recount) -> Named | None:
    person = event["actor"]["id"]
    if event["type"] == "plugin.installed":
        return event["name"], {}, {"install_count": person, "distinct_user_count": person}
    if event["type"] != "plugin.used":
        return None
    things = {"distinct_user_count": person, **in_sessions(event, "plugin")}
    shown = {name: thing for name, thing in things.items() if name[:4] not in ("chat", "offi")}
    return event["name"], {"invocation_count": 1}, shown


def project_touches(event: Event, _: Recount) -> Named | None:
    kind, person = event["type"], event["actor"]["id"]
    if kind == "chat.message" and event.get("project_id"):
        things = {"distinct_user_count": person, "distinct_conversation_count": event["conversation_id"]}
        return event["project_id"], {"message_count": 1}, things
    if kind == "project.used" and event.get("product") in (None, "chat"):
        return event["project_id"], {}, {"distinct_user_count": person}
    return None


def artifact_touches(event: Event, recount: Recount) -> Named | None:
    if event["type"] != "artifact.created":
        return None
    artifact = event["artifact_id"]
    befell = recount.befell.get(artifact, set())
    things = {"artifacts_created_count": artifact, "distinct_user_count": event["actor"]["id"]}
    if "published" in befell:
        things["published_artifacts_created_count"] = artifact
    return f"{event['artifact_type']} {bool(befell)}", {}, things


NAMED = {
    "connectors": connector_touches,
    "skills": skill_touches,
    "plugins": plugin_touches,
    "projects": project_touches,
    "artifacts": artifact_touches,
}


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


def normal(name: str) -> str:
    """A connector's key: "Atlassian MCP server" and "mcp-atlassian" are "atlassian"."""
    words = re.split(r"[\s_\-./:]+", name.casefold())
    kept = [word for word in words if word and not re.fullmatch("mcp|server|connector|integration", word)]
    return "_".join(kept or [word for word in words if word])
