"""Nobody reads another organization. Generated from the route table, so that a new route cannot be forgotten."""

import json
from typing import Any

import httpx
import pytest

from access.sessions import Identity
from api.app import make_app
from api.engagement.routes import FILTERS, LISTS
from api.tagged_ids import GROUP, PROJECT, USER, tagged
from api.usage.endpoints import REPORTS, Report
from tests.reference.engagement import Recount
from tests.reference.usage_and_cost import Spending
from tests.support.api_server import HEADERS, PREFIX, Served, context_of
from tests.support.route_table import CLAUDE_CODE, days_of, handlers
from tests.support.sdk_reports import DIMENSIONS
from tests.support.sign_in import browser
from tests.support.simulated_world import World


def guarded_paths(world: World) -> list[str]:
    """Every path that tells something of an organization."""
    return [path for path, _ in handlers(make_app(context_of(world)).app)]


def marks(world: World, recount: Recount, organization: str) -> set[str]:
    """Texts that only this organization's answers may hold: ids, e-mails."""
    people = {event["account_id"] for event in world.events if is_of(event, organization, "member.joined")}
    groups = {event["group_id"] for event in world.events if is_of(event, organization, "group.saved")}
    projects = set(recount.names(organization, "project.saved", "project_id"))
    emails = {world.emails[person] for person in people} - {""}
    ids = {tagged(USER, one) for one in people} | {tagged(GROUP, one) for one in groups}
    return emails | ids | {tagged(PROJECT, one) for one in projects} | people | groups | projects | {organization}


def is_of(event: dict[str, Any], organization: str, kind: str) -> bool:
    return bool(event["organization_id"] == organization and event["type"] == kind)


def test_every_route_is_known_here_and_refuses_without_a_key(world: World, served: Served) -> None:
    paths = guarded_paths(world)
    assert sorted(paths) == sorted([*(f"{PREFIX}/{name}" for name in FILTERS), CLAUDE_CODE])
    for path in paths:
        assert served.get(path, **days_of(path)).status_code == 401


def owner_of(world: World, organization: str) -> Identity:
    """The organization's primary owner; the simulation keeps the first."""
    joined = (event for event in world.events if is_of(event, organization, "member.joined"))
    return Identity(organization, next(event["account_id"] for event in joined if event["role"] == "primary_owner"))


@pytest.mark.parametrize("who", ["key", "person"])
def test_nobody_gets_anything_of_another_organization(world: World, served: Served, recount: Recount, who: str) -> None:
    mine, theirs = world.organizations[:2]
    foreign = marks(world, recount, theirs)
    asking = httpx.Client(base_url=served.base_url, headers=HEADERS | {"x-api-key": served.keys[mine]}, timeout=30)
    if who == "person":
        asking = browser(world, served, owner_of(world, mine))
    for path in guarded_paths(world):
        response = asking.get(path, params=days_of(path))
        assert response.status_code == 200
        assert [mark for mark in foreign if mark in response.text] == [], path
        assert response.json()["organization_id"] == mine
        control = served.get(path, served.keys[theirs], **days_of(path))
        assert theirs in control.text, "the marks are of no use if their own answers lack them"


@pytest.mark.parametrize("dimension", ["user_id", "rbac_group_id", "project_id"])
def test_another_organizations_ids_filter_nothing_in(
    world: World, served: Served, recount: Recount, dimension: str
) -> None:
    mine, theirs = world.organizations[:2]
    ids = {
        "user_id": sorted({event["account_id"] for event in world.events if is_of(event, theirs, "member.joined")}),
        "rbac_group_id": sorted({event["group_id"] for event in world.events if is_of(event, theirs, "group.saved")}),
        "project_id": sorted(recount.names(theirs, "project.saved", "project_id")),
    }[dimension][:50]
    filters = [f"{dimension}:{one}" for one in ids]
    for name in [name for name, readers in FILTERS.items() if dimension in readers]:
        path = f"{PREFIX}/{name}"
        body = served.get(path, served.keys[mine], filter=filters, **days_of(path)).json()
        if name == "summaries":
            assert all(day["monthly_active_user_count"] == 0 for day in body["data"])
        else:
            assert body["data"] == [], name
        own = json.dumps(served.get(path, served.keys[theirs], filter=filters, **days_of(path)).json()["data"])
        assert any(character.isdigit() and character != "0" for character in own)


ID_PARAMETERS = [
    (report, parameter) for report in REPORTS for parameter in report.filters if parameter.endswith("_ids[]")
]


@pytest.mark.parametrize(("report", "parameter"), ID_PARAMETERS, ids=lambda each: getattr(each, "name", each))
def test_another_organizations_ids_filter_no_usage_in(
    world: World, served: Served, spending: Spending, report: Report, parameter: str
) -> None:
    mine, theirs = world.organizations[:2]
    name = parameter.removesuffix("[]")
    dimension = DIMENSIONS.get(name, name.removesuffix("s"))
    ids = sorted({value for used in spending.used(theirs) for value in used.values[dimension] if value})
    ids = [one for one in ids if dimension != "actor" or one.startswith("user_")][:50]
    path, asked = f"{PREFIX}/{report.name}", {name: ids, **days_of(report.name)}
    assert usage_in(served.get(path, served.keys[mine], **asked).json()) == []
    assert usage_in(served.get(path, served.keys[theirs], **asked).json())


def usage_in(body: dict[str, Any]) -> list[Any]:
    """The rows of a page, those of its buckets when it has any."""
    return [result for row in body["data"] for result in row.get("results", [row])]


def test_every_grouping_of_usage_stays_within(world: World, served: Served, recount: Recount) -> None:
    mine, theirs = world.organizations[:2]
    foreign = marks(world, recount, theirs)
    for report in REPORTS:
        for group_by in (report.group_by[place : place + 5] for place in range(0, len(report.group_by), 5)):
            asked = {"group_by": list(group_by), "limit": 31, **days_of(report.name)}
            body = served.get(f"{PREFIX}/{report.name}", served.keys[mine], **asked)
            assert body.status_code == 200
            assert [mark for mark in foreign if mark in body.text] == []


def test_every_grouping_stays_within(world: World, served: Served, recount: Recount) -> None:
    mine, theirs = world.organizations[:2]
    foreign = marks(world, recount, theirs)
    for endpoint in LISTS:
        path = f"{PREFIX}/{endpoint.name}"
        body = served.get(path, served.keys[mine], group_by=list(endpoint.group_by), limit=1000, **days_of(path))
        assert body.status_code == 200
        assert [mark for mark in foreign if mark in body.text] == []
