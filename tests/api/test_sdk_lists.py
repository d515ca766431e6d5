"""The lists by name, walked with the official SDK: every value equals the recount of the events."""

from typing import Any

import pytest

from api.tagged_ids import GROUP, PROJECT, USER, tagged
from tests.reference.engagement import Recount
from tests.reference.event_metrics import NAMED
from tests.support.api_server import Served
from tests.support.group_events import GROUPS, ODD_SKILL
from tests.support.sdk_walk import DAY, FIRST, LAST, RANGE, counted, numbers, walk
from tests.support.simulated_world import World

KEYS = {
    "projects": ("apps.chat.projects", "project_id"),
    "connectors": ("connectors", "connector_name"),
    "skills": ("skills", "skill_name"),
    "plugins": ("plugins", "plugin_name"),
    "artifacts": ("artifacts", "artifact_type"),
}
NARROWED: list[dict[str, Any]] = [
    {},
    {"by": ["user_id"]},
    {"by": ["rbac_group_id"]},
    {"by": ["user_id", "rbac_group_id"], "groups": GROUPS[:2]},
    {"groups": GROUPS[3:]},
    {"people": 9},
]
BY_PRODUCT: list[dict[str, Any]] = [
    {"by": ["product"]},
    {"by": ["product", "user_id", "rbac_group_id"], "products": ["cowork", "claude_code"]},
]


def keyed(kind: str, row: dict[str, Any]) -> tuple[str, str, str, str]:
    """What a row is narrowed to, as the recount has it."""
    name = row[KEYS[kind][1]]
    if kind == "artifacts":
        name = f"{name} {row['is_shared']}"
    return name, row["product"] or "", row["user_id"] or "", row["rbac_group_id"] or ""


def outer(kind: str, key: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    """The recount's key in the response's forms."""
    name, product, user, group = key
    name = tagged(PROJECT, name) if kind == "projects" else name
    return name, product, user and tagged(USER, user), group and tagged(GROUP, group)


def listing(
    served: Served, organization: str, kind: str, recount: Recount, narrowed: dict[str, Any]
) -> tuple[list[dict[str, Any]], dict[tuple[str, str, str, str], dict[str, int]]]:
    """The SDK's rows and the recount's, for the same question."""
    people = sorted(recount.users(organization, FIRST, LAST))[: narrowed.get("people", 0)]
    filters = [f"user_id:{tagged(USER, person)}" for person in people]
    filters += [f"rbac_group_id:{group}" for group in narrowed.get("groups", ())]
    filters += [f"product:{product}" for product in narrowed.get("products", ())]
    days: dict[str, Any] = {"date": DAY} if kind == "artifacts" else RANGE
    first, last = (DAY, DAY) if kind == "artifacts" else (FIRST, LAST)
    limit = 25 if "user_id" in narrowed.get("by", ()) else 3
    asked = {"filter": filters, "group_by": narrowed.get("by", []), "limit": limit}
    rows = walk(served, served.keys[organization], KEYS[kind][0], **days, **{k: v for k, v in asked.items() if v})
    narrow = {name: narrowed[name] for name in ("groups", "products", "by") if name in narrowed}
    return rows, recount.listed(kind, organization, first, last, users=people, **narrow)


QUESTIONS = [(kind, narrowed) for kind in KEYS for narrowed in (*NARROWED, *BY_PRODUCT)]
PROJECTS_ARE_CHAT = [("projects", narrowed) for narrowed in BY_PRODUCT]


@pytest.mark.parametrize(("kind", "narrowed"), [each for each in QUESTIONS if each not in PROJECTS_ARE_CHAT], ids=str)
def test_lists(served: Served, recount: Recount, organization: str, kind: str, narrowed: dict[str, Any]) -> None:
    rows, expected = listing(served, organization, kind, recount, narrowed)
    found = {keyed(kind, row): numbers(row) for row in rows}
    assert len(found) == len(rows)
    assert found == {outer(kind, key): shown(kind, counts) for key, counts in expected.items()}
    assert found


def shown(kind: str, counts: dict[str, int]) -> dict[str, int]:
    """The counts that a row of this kind has."""
    return {name: count for name, count in counted(counts).items() if kind != "projects" or "metrics" not in name}


def test_every_list_of_every_organization(world: World, served: Served, recount: Recount) -> None:
    for organization in world.organizations[1:]:
        for kind in NAMED:
            rows, expected = listing(served, organization, kind, recount, {})
            assert {keyed(kind, row): numbers(row) for row in rows} == {
                outer(kind, key): shown(kind, counts) for key, counts in expected.items()
            }


def test_projects_say_what_the_directory_knows(
    world: World, served: Served, recount: Recount, organization: str
) -> None:
    saved = recount.names(organization, "project.saved", "project_id")
    rows = walk(served, served.keys[organization], "apps.chat.projects", **RANGE)
    assert len(rows) > 3
    for row in rows:
        event = next(event for project, event in saved.items() if tagged(PROJECT, project) == row["project_id"])
        assert row["project_name"] == event["name"]
        assert row["created_at"].replace("Z", "000Z")[:23] == event["created_at"][:23]
        assert row["created_by"]["id"] == tagged(USER, event["created_by"])
        assert row["created_by"]["email_address"] == world.emails[event["created_by"]]


@pytest.mark.parametrize("spelling", ["Atlassian MCP server", "ATLASSIAN", "mcp-atlassian", "atlassian"])
def test_connectors_are_found_by_any_spelling(served: Served, organization: str, spelling: str) -> None:
    rows = walk(served, served.keys[organization], "connectors", **RANGE, filter=[f"connector_name:{spelling}"])
    assert [row["connector_name"] for row in rows] == ["atlassian"]


def test_connectors_show_the_name_that_the_directory_gives(served: Served, recount: Recount, organization: str) -> None:
    rows = {row["connector_name"]: row for row in walk(served, served.keys[organization], "connectors", **RANGE)}
    saved = recount.connector_names(organization)
    shown = {name: row["connector_display_name"] for name, row in rows.items()}
    assert shown == {name: saved.get(name) for name in rows}
    by_display = [f"connector_name:{saved['google_drive'].upper()}"]
    found = walk(served, served.keys[organization], "connectors", **RANGE, filter=by_display)
    assert [row["connector_name"] for row in found] == ["google_drive"]


@pytest.mark.parametrize("status", ["organization", "private", "public"])
def test_skills_by_share_status(served: Served, recount: Recount, organization: str, status: str) -> None:
    saved = recount.names(organization, "skill.saved", "name")
    rows = walk(served, served.keys[organization], "skills", **RANGE, filter=[f"share_status:{status}"])
    used = {name for name, *_ in recount.listed("skills", organization, FIRST, LAST)}
    assert {row["skill_name"] for row in rows} == {
        name for name, event in saved.items() if event["share_status"] == status and name in used
    }
    assert all(row["skill_display_name"] == saved[row["skill_name"]]["display_name"] for row in rows)


@pytest.mark.parametrize("name", [ODD_SKILL, ODD_SKILL.upper(), "PDF", "résumé, SHORT"])
def test_skills_and_plugins_by_name(served: Served, organization: str, name: str) -> None:
    rows = walk(served, served.keys[organization], "skills", **RANGE, filter=[f"skill_name:{name}"])
    assert [row["skill_name"].lower() for row in rows] == [name.lower()]
    plugins = walk(served, served.keys[organization], "plugins", **RANGE, filter=["plugin_name:CODE-review"])
    assert [row["plugin_name"] for row in plugins] == ["code-review"]
    assert plugins[0]["plugin_id"]


@pytest.mark.parametrize("kind", ["text/markdown", "text/html"])
@pytest.mark.parametrize("shared", ["true", "false"])
def test_artifacts_filtered(served: Served, organization: str, kind: str, shared: str) -> None:
    every = walk(served, served.keys[organization], "artifacts", date=DAY)
    asked = [f"artifact_type:{kind}", f"is_shared:{shared}"]
    rows = walk(served, served.keys[organization], "artifacts", date=DAY, filter=asked)
    assert rows == [row for row in every if row["artifact_type"] == kind and row["is_shared"] is (shared == "true")]


@pytest.mark.parametrize("kind", ["connectors", "skills", "plugins", "apps.chat.projects"])
def test_lists_in_order_of_a_metric(served: Served, organization: str, kind: str) -> None:
    rows = walk(served, served.keys[organization], kind, **RANGE, order_by="distinct_user_count", limit=2)
    ranks = [row["distinct_user_count"] for row in rows]
    assert ranks == sorted(ranks, reverse=True)
    assert len(ranks) > 2
