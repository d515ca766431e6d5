"""People and summaries, walked with the official SDK: every value equals the recount of the events."""

from datetime import date, timedelta
from typing import Any

import pytest

from api.tagged_ids import GROUP, PROJECT, USER, tagged
from tests.reference.engagement import Recount, Tally
from tests.support.api_server import Served
from tests.support.group_events import GROUPS
from tests.support.sdk_walk import DAY, FIRST, LAST, RANGE, counted, numbers, walk
from tests.support.simulated_world import World

CASES: list[tuple[dict[str, Any], date, date]] = [
    ({"date": DAY}, DAY, DAY),
    (RANGE, FIRST, LAST),
    ({"starting_date": date(2026, 10, 12)}, date(2026, 10, 12), LAST),
]
IDS = ["day", "range", "all"]


def same_users(world: World, organization: str, rows: list[dict[str, Any]], expected: dict[str, Tally]) -> None:
    """Rows of people equal the recount's."""
    found = {row["user"]["id"]: row for row in rows}
    assert len(found) == len(rows)
    assert set(found) == {tagged(USER, account) for account in expected}
    for account, tally in expected.items():
        row = found[tagged(USER, account)]
        assert numbers(row) == counted(tally.counts()), account
        assert row["user"]["email_address"] == row["user"]["email"] == world.emails[account]
        assert row["last_activity_date"] == str(tally.last)


@pytest.mark.parametrize(("asked", "first", "last"), CASES, ids=IDS)
def test_users(world: World, served: Served, recount: Recount, asked: dict[str, Any], first: date, last: date) -> None:
    for organization in world.organizations:
        rows = walk(served, served.keys[organization], "users", **asked, limit=7)
        same_users(world, organization, rows, recount.users(organization, first, last))
        emails = [row["user"]["email_address"] for row in rows]
        assert emails == sorted(emails, key=str.encode)


@pytest.mark.parametrize("dimension", ["user_id", "rbac_group_id", "project_id", "user_and_group"])
def test_users_filtered(world: World, served: Served, recount: Recount, organization: str, dimension: str) -> None:
    people = sorted(recount.users(organization, FIRST, LAST))[:3]
    projects = sorted(name for name, *_ in recount.listed("projects", organization, FIRST, LAST))[:2]
    choices: dict[str, tuple[list[str], dict[str, Any]]] = {
        "user_id": ([f"user_id:{tagged(USER, person)}" for person in people], {"users": people}),
        "rbac_group_id": ([f"rbac_group_id:{tagged(GROUP, group)}" for group in GROUPS[:2]], {"groups": GROUPS[:2]}),
        "project_id": ([f"project_id:{tagged(PROJECT, project)}" for project in projects], {"projects": projects}),
        "user_and_group": (
            [f"user_id:{people[0]}", f"user_id:{people[1]}", f"rbac_group_id:{GROUPS[3]}"],
            {"users": people[:2], "groups": GROUPS[3:]},
        ),
    }
    filters, narrowed = choices[dimension]
    rows = walk(served, served.keys[organization], "users", **RANGE, filter=filters, limit=2)
    expected = recount.users(organization, FIRST, LAST, **narrowed)
    assert expected
    same_users(world, organization, rows, expected)


def test_users_by_group(served: Served, recount: Recount, organization: str) -> None:
    rows = walk(served, served.keys[organization], "users", **RANGE, group_by=["rbac_group_id"], limit=2)
    expected = recount.users(organization, FIRST, LAST, by_group=True)
    assert len(rows) == len(expected) > 3
    for row in rows:
        group = next(group for group in expected if tagged(GROUP, group) == row["rbac_group_id"])
        tally = expected[group]
        people = {"distinct_user_count": len(tally.people)}
        assert numbers(row) == counted({**tally.counts(), **people})
        assert row["rbac_group_name"] == recount.group_name(organization, group)
        assert row["last_activity_date"] == str(tally.last)
        assert row["user"] is None


@pytest.mark.parametrize("metric", ["chat_metrics.message_count", "cowork_metrics.distinct_session_count"])
@pytest.mark.parametrize("order", [None, "asc", "desc"])
def test_users_ordered(served: Served, organization: str, metric: str, order: str | None) -> None:
    asked = {**RANGE, "order_by": metric, **({"order": order} if order else {})}
    rows = walk(served, served.keys[organization], "users", **asked, limit=4)
    block, name = metric.split(".")
    ranks = [row[block][name] for row in rows]
    assert ranks == sorted(ranks, reverse=order != "asc")
    assert len({row["user"]["id"] for row in rows}) == len(rows) > 10


@pytest.mark.parametrize("groups", [(), GROUPS[:2]], ids=["all", "groups"])
def test_summaries(world: World, served: Served, recount: Recount, organization: str, groups: tuple[str, ...]) -> None:
    for one in [organization] if groups else world.organizations:
        asked: dict[str, Any] = (
            {"filter": [f"rbac_group_id:{tagged(GROUP, group)}" for group in groups]} if groups else {}
        )
        rows = walk(served, served.keys[one], "summaries", starting_date=FIRST, **asked)
        expected = recount.summaries(one, FIRST, LAST, groups)
        assert [row["starting_at"][:10] for row in rows] == [str(FIRST + timedelta(days=n)) for n in range(19)]
        for row, day in zip(rows, expected, strict=True):
            assert {name: row[name] for name in day} == day
            if groups:
                assert row["assigned_seat_count"] is row["weekly_adoption_rate"] is row["pending_invite_count"] is None
