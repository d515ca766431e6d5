"""Walks over pages while things change: every row once, or 410. Generated from the tables of lists and reports."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import anthropic
import pytest

from api.engagement.routes import LISTS
from api.usage.endpoints import REPORTS
from intake.ndjson import ProducerRecord
from simulation import Plan
from tests.support.api_server import PREFIX, Served, context_of, make_keys, serve
from tests.support.group_events import GROUPS, extra_events
from tests.support.simulated_world import NOW, UNTIL, Events, World, fold_lines, line_of, priced_world

pytestmark = pytest.mark.slow

DAYS = {"starting_date": "2026-11-05", "ending_date": "2026-11-20"}
SPAN = {"starting_at": "2026-11-05T00:00:00Z", "ending_at": "2026-11-19T00:00:00Z"}
SHOWN = {"email", "email_address", "name", "deleted", "rbac_group_name", "skill_display_name", "share_status"}
SHOWN |= {"connector_display_name", "project_name", "created_by", "created_at", "plugin_id", "unpriced_models"}
"""What is said of a row, and decides neither whether it is there nor where."""

PLAN = Plan(until=UNTIL, seed=8, organizations=2, users=9, days=20)
CROWD = [str(UUID(int=0xABE0000 + number)) for number in range(6)]
Asked = tuple[str, dict[str, Any]]


def crowd(events: Events) -> Events:
    """Six people of one group who all do everything on one day, so that every list has several pages."""
    made = extra_events(events)
    organization = next(event["organization_id"] for event in made if event["type"] == "group.saved")
    samples = {event["type"]: event for event in events if event.get("actor", {}).get("type") == "user"}
    for number, person in enumerate(CROWD):
        name, there = f"walked-{number}", {"organization_id": organization}
        long_ago = there | {"occurred_at": "2026-10-25T00:00:00Z"}
        here = there | {"occurred_at": "2026-11-17T09:00:00Z", "actor": {"type": "user", "id": person}}
        share_status = ("private", "organization")[number % 2]
        project = str(UUID(int=0xABF0000 + number))
        made += [
            long_ago | {"type": "member.joined", "account_id": person, "role": "member"},
            long_ago | {"type": "profile.updated", "account_id": person, "email": f"{name}@a.example", "name": name},
            long_ago | {"type": "group.joined", "account_id": person, "group_id": GROUPS[3]},
            long_ago | {"type": "skill.saved", "name": name, "display_name": name, "share_status": share_status},
            samples["token.used"] | here | {"funding": "usage_based"},
            samples["chat.message"] | here | {"product": "chat", "project_id": project},
            samples["connector.called"] | here | {"name": name},
            samples["skill.used"] | here | {"name": name},
            samples["artifact.created"] | here | {"artifact_id": project},
        ]
    return [event | {"event_id": str(UUID(int=0xABD0000 + number))} for number, event in enumerate(made)]


@pytest.fixture
def world(clickhouse: str) -> World:
    """A world of its own, whose busiest organization has groups and a crowd."""
    return priced_world(clickhouse, PLAN, crowd)


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    with serve(context_of(world)) as running:
        running.keys = make_keys(world)
        yield running


def walks() -> list[Asked]:
    """Every list and report, by group where that is one of its dimensions, and by what else places its rows."""
    found: list[Asked] = []
    for endpoint in LISTS:
        days = DAYS if "starting_date" in endpoint.parameters else {"date": "2026-11-17"}
        path, of_group = f"{PREFIX}/{endpoint.name}", {"filter": [f"rbac_group_id:{GROUPS[3]}"]}
        found += [(path, days)] if "order_by" in endpoint.parameters else []
        found += [(path, days | {"group_by": list(endpoint.group_by)} | of_group)]
        if "share_status" in endpoint.filters:
            found.append((path, days | {"filter": ["share_status:organization", "share_status:private"]}))
    for report in REPORTS:
        path = f"{PREFIX}/{report.name}"
        found.append((path, SPAN | {"group_by": ["rbac_group_id"]}))
        found += [(path, SPAN | {"exclude_deleted_users": "true"})] if report.people else []
    return found


def stripped(value: Any) -> Any:
    if isinstance(value, list):
        return [stripped(each) for each in value]
    if isinstance(value, dict):
        return {name: stripped(each) for name, each in value.items() if name not in SHOWN}
    return value


def rows_of(served: Served, key: str, asked: Asked, **more: Any) -> dict[str, Any]:
    response = served.get(asked[0], key, **asked[1], **more)
    assert response.status_code == 200, (asked, response.text)
    body = response.json()
    return {"rows": [json.dumps(stripped(row)) for row in body["data"]], "next": body["next_page"]}


def most(asked: Asked) -> int:
    return 31 if asked[0].endswith(("usage_report", "cost_report")) and "user_" not in asked[0] else 1000


class Changes:
    """What may happen between two pages."""

    def __init__(self, world: World) -> None:
        self.world, self.organization = world, world.organizations[0]
        of = [event for event in world.events if event["organization_id"] == self.organization]
        self.of = of
        self.people = sorted({event["actor"]["id"] for event in of if event.get("actor", {}).get("type") == "user"})
        self.start = 1_000_000

    def fold(self, *lines: ProducerRecord) -> None:
        client = self.world.client()
        fold_lines(client, self.world, list(lines), start=self.start)
        client.close()
        self.start += 1_000

    def event(self, kind: str, at: str, **fields: Any) -> ProducerRecord:
        made = {"type": kind, "event_id": str(uuid4()), "occurred_at": at, "organization_id": self.organization}
        return line_of(made | fields)

    def again(self, kind: str, at: str) -> ProducerRecord:
        """An event of a kind that was there, once more at another time."""
        found = next(
            event for event in self.of if event["type"] == kind and event.get("actor", {}).get("type") == "user"
        )
        return line_of(found | {"event_id": str(uuid4()), "occurred_at": at})

    def profiles(self) -> None:
        """Whoever came last by e-mail comes first now."""
        emails = {person: self.world.emails.get(person, "") for person in self.people}
        last = max(emails, key=lambda person: emails[person])
        named = {"account_id": last, "email": "0@a.example", "name": "New"}
        self.fold(self.event("profile.updated", "2026-11-20T11:00:00Z", **named))

    def groups(self) -> None:
        """Everybody has left a group and joined another long ago."""
        for person in self.people:
            member = {"account_id": person}
            self.fold(
                self.event("group.left", "2026-11-01T00:00:00Z", group_id=GROUPS[3], **member),
                self.event("group.joined", "2026-11-01T00:00:00Z", group_id=GROUPS[1], **member),
            )

    def deleted_group(self) -> None:
        self.fold(self.event("group.deleted", "2026-11-08T00:00:00Z", group_id=GROUPS[3]))

    def departures(self) -> None:
        """Half of the people are removed, and one is forgotten."""
        gone = [self.event("member.removed", "2026-11-19T00:00:00Z", account_id=one) for one in self.people[::2]]
        self.fold(*gone, ProducerRecord("tally.profiles", self.people[1].encode(), None, "2026-11-20T11:00:00Z"))

    def shares(self) -> None:
        """Every skill is shared with other people than before."""
        other = {"private": "organization", "organization": "private"}
        saved = [event for event in self.of if event["type"] == "skill.saved"]
        lines = [
            line_of(
                event
                | {"event_id": str(uuid4()), "occurred_at": "2026-11-20T11:00:00Z"}
                | {"share_status": other.get(event["share_status"], "private")}
            )
            for event in saved
        ]
        self.fold(*lines)

    def usage(self) -> None:
        kinds = ("token.used", "chat.message", "connector.called", "skill.used", "artifact.created")
        self.fold(*(self.again(kind, "2026-11-17T10:00:00Z") for kind in kinds))

    def elsewhere(self) -> None:
        """All of it in another organization, which concerns nobody here."""
        mine, self.organization = self.organization, self.world.organizations[1]
        here, people = self.of, self.people
        self.of = [event for event in self.world.events if event["organization_id"] == self.organization]
        self.people = sorted({event["account_id"] for event in self.of if event["type"] == "member.joined"})
        for change in (self.profiles, self.groups, self.departures, self.shares):
            change()
        self.organization, self.of, self.people = mine, here, people


ENDED: dict[str, set[str]] = {
    "profiles": {"users"},
    "groups": {"user_usage_report", "user_cost_report"},
    "deleted_group": {"user_usage_report", "user_cost_report"},
    "departures": {"user_usage_report"},
    "shares": {"skills"},
    "usage": {"connectors", "projects"},
    "elsewhere": set(),
}
"""Whose walks each change ends at least; what happens in another organization ends none."""


@pytest.mark.parametrize("name", ENDED)
def test_every_row_comes_once_or_the_walk_ends(world: World, served: Served, name: str) -> None:
    key = served.keys[world.organizations[0]]
    walked = ENDED[name] or {"users", "usage", "skills"}
    asked = [one for one in walks() if one[0].rpartition("/")[2] in walked]
    first = [(one, page) for one in asked if (page := rows_of(served, key, one, limit=2))["next"]]
    assert {one[0].rpartition("/")[2] for one, _ in first} == walked, "one has a single page"
    before = [rows_of(served, key, one, limit=most(one))["rows"] for one, _ in first]
    getattr(Changes(world), name)()
    ended: set[str] = set()
    for (one, page), whole in zip(first, before, strict=True):
        rest = served.get(one[0], key, **one[1], limit=most(one), page=page["next"])
        if rest.status_code == 410:
            assert "Start again" in rest.json()["error"]["message"]
            ended.add(one[0].rpartition("/")[2])
            continue
        rows = page["rows"] + [json.dumps(stripped(row)) for row in rest.json()["data"]]
        assert rows == whole or rows == rows_of(served, key, one, limit=most(one))["rows"], one
    assert ended >= ENDED[name]
    assert name != "elsewhere" or not ended


MONTH = {"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-12-01T00:00:00Z"}
PEOPLE = [str(UUID(int=0xABC0000 + number)) for number in range(61)]
WALKED = {
    "user_cost_report": {},
    "user_usage_report": {},
    "cost": {"group_by": ["actor"]},
    "usage": {"group_by": ["actor"]},
}


class Working:
    """People who work in the hour that has begun."""

    def __init__(self, world: World) -> None:
        self.world, self.start = world, 5_000_000
        self.used = next(event for event in world.events if event["type"] == "token.used")
        self.organization = str(UUID(int=0xC0FFEE))

    def work(self, *people: str) -> None:
        """A request of each."""
        made = {"organization_id": self.organization, "occurred_at": "2026-11-20T12:00:01Z", "funding": "usage_based"}
        lines = [
            line_of(self.used | made | {"event_id": str(uuid4()), "actor": {"type": "user", "id": person}})
            for person in people
        ]
        client = self.world.client()
        fold_lines(client, self.world, lines, start=self.start, now=NOW + timedelta(seconds=30))
        client.close()
        self.start += 1_000


@pytest.fixture
def working(world: World, served: Served) -> Working:
    """An organization of its own, on no seats."""
    working = Working(world)
    working.work(*PEOPLE)
    served.keys = make_keys(world, datetime(2026, 11, 30, 12, tzinfo=UTC))
    return working


def person_of(row: Any) -> str:
    """Whose row it is, "" for one of a machine."""
    actor = row.actor if hasattr(row, "actor") else row.group.actor
    return str(getattr(actor, "user_id", "") or "")


def strict(served: Served, key: str) -> dict[str, Any]:
    return {"base_url": served.base_url, "api_key": key, "max_retries": 0, "_strict_response_validation": True}


@pytest.mark.parametrize("method", WALKED)
def test_the_running_month_is_walked_while_people_work(served: Served, working: Working, method: str) -> None:
    """By the official SDK, beyond the end of the month: everybody who was there on page 1, each once."""
    key = served.keys[working.organization]
    asked: Any = {**MONTH, **WALKED[method], "limit": 20}
    seen: list[str] = []
    with anthropic.Anthropic(**strict(served, key)) as client:
        for row in getattr(client.beta.organization.analytics, method).list(**asked):
            seen.append(person_of(row))
            if len(seen) % 15 == 10:
                working.work(PEOPLE[len(seen) % 61], str(uuid4()))
            if len(seen) == 30:
                served.context.clock = lambda: datetime(2026, 12, 1, 0, 0, 5, tzinfo=UTC)
    assert_all(seen)


@pytest.mark.anyio
async def test_the_asynchronous_client_walks_it_too(served: Served, working: Working) -> None:
    key, seen = served.keys[working.organization], []
    async with anthropic.AsyncAnthropic(**strict(served, key)) as client:
        rows = client.beta.organization.analytics.cost.list(**MONTH, group_by=["actor"], limit=20)  # type: ignore[arg-type]
        async for row in rows:
            seen.append(person_of(row))
            if len(seen) % 15 == 10:
                working.work(PEOPLE[len(seen) % 61])
    assert_all(seen)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def assert_all(seen: list[str]) -> None:
    from api.tagged_ids import USER, tagged

    people = [one for one in seen if one]
    assert len(people) == len(set(people)), "somebody came twice"
    assert {tagged(USER, person) for person in PEOPLE} <= set(people), "somebody was skipped"


@pytest.mark.parametrize("method", ["usage_report", "cost_report"])
def test_the_bucket_that_has_begun_may_grow_with_others_behind_it(
    served: Served, working: Working, method: str
) -> None:
    path, key = f"{PREFIX}/{method}", served.keys[working.organization]
    asked = {"starting_at": "2026-11-20T00:00:00Z", "ending_at": "2026-12-01T00:00:00Z", "limit": 2}
    first = served.get(path, key, **asked).json()
    working.work(PEOPLE[0])
    assert served.get(path, key, **asked, page=first["next_page"]).status_code == 200
