"""Cursors: bound to their query and organization, sealed, pinned to page 1's days and cells."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.cursors import DaysCursor, decode_cursor, encode_cursor
from api.errors import BadRequest
from api.tagged_ids import USER, tagged
from simulation import Plan
from tests.reference.engagement import Recount
from tests.support.api_server import PREFIX, Served, context_of, make_keys, serve
from tests.support.simulated_world import UNTIL, World, fold_lines, line_of, make_world

PATH = f"{PREFIX}/users"
SECRET = bytes(range(32))
CURSOR = DaysCursor("q", "s", ("rank",), "key", date(2026, 11, 1), date(2026, 11, 19))
QUESTION: dict[str, Any] = {"starting_date": "2026-11-10", "limit": 2}


@pytest.fixture
def small(clickhouse: str) -> Iterator[tuple[World, Served]]:
    """A world of its own that a test may change, and an API over it."""
    plan = Plan(until=UNTIL, seed=3, organizations=1, users=8, days=10)
    world = make_world(clickhouse, f"cursors_{uuid4().hex}", plan)
    with serve(context_of(world)) as served:
        served.keys = make_keys(world)
        yield world, served


def rest(served: Served, key: str, body: dict[str, Any], **question: Any) -> list[str]:
    """The ids of the people of a page and of all that follow."""
    people = [row["user"]["id"] for row in body["data"]]
    while body["next_page"]:
        response = served.get(PATH, key, page=body["next_page"], **question)
        assert response.status_code == 200, response.text
        body = response.json()
        people += [row["user"]["id"] for row in body["data"]]
    return people


def test_a_sealed_cursor_opens_again_and_no_other_does() -> None:
    text = encode_cursor(CURSOR, SECRET)
    assert decode_cursor(text, SECRET, "q", DaysCursor) == CURSOR
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        altered = text[:place] + other + text[place + 1 :]
        try:
            assert decode_cursor(altered, SECRET, "q", DaysCursor) == CURSOR, (
                "an altered cursor was taken"
            )  # bits past the last byte
        except BadRequest:
            continue
    for bad in ("", "x", "é", text[:-4], text + "AAAA", text * 2, "=" * 50):
        with pytest.raises(BadRequest, match="page"):
            decode_cursor(bad, SECRET, "q", DaysCursor)
    with pytest.raises(BadRequest, match="not a valid cursor"):
        decode_cursor(text, bytes(32), "q", DaysCursor)
    with pytest.raises(BadRequest, match="another query"):
        decode_cursor(text, SECRET, "p", DaysCursor)


def test_a_cursor_belongs_to_its_query_and_organization(served: Served, world: World) -> None:
    first, second = (served.keys[organization] for organization in world.organizations[:2])
    cursor = served.get(PATH, first, **QUESTION).json()["next_page"]
    assert served.get(PATH, first, page=cursor, **{**QUESTION, "limit": 900}).status_code == 200
    for key, path, changed in (
        (first, PATH, {"order": "desc"}),
        (first, PATH, {"starting_date": "2026-11-11"}),
        (first, PATH, {"ending_date": "2026-11-20"}),
        (first, PATH, {"filter": [f"user_id:{uuid4()}"]}),
        (first, PATH, {"group_by": ["rbac_group_id"]}),
        (first, f"{PREFIX}/skills", {}),
        (second, PATH, {}),
    ):
        response = served.get(path, key, page=cursor, **{**QUESTION, **changed})
        assert response.status_code == 400, changed
        assert "page:" in response.json()["error"]["message"]
    assert served.get(PATH, first, page=cursor[:-3] + "AAA", **QUESTION).status_code == 400


def test_the_days_are_those_of_page_1(world: World) -> None:
    context = context_of(world)
    with serve(context) as served:
        key = make_keys(world)[world.organizations[0]]
        context.grace = timedelta(days=3)
        body = served.get(PATH, key, **QUESTION).json()
        context.grace = timedelta(hours=2)  # meanwhile two more days are complete
        people = rest(served, key, body, **QUESTION)
        expected = Recount(world.events).users(world.organizations[0], date(2026, 11, 10), date(2026, 11, 16))
        assert sorted(people) == sorted(tagged(USER, account) for account in expected)


def test_a_revised_day_ends_the_walk_and_another_day_does_not(small: tuple[World, Served]) -> None:
    world, served = small
    organization = world.organizations[0]
    key = served.keys[organization]
    body = served.get(PATH, key, **QUESTION).json()
    client = world.client()
    person = next(event["actor"]["id"] for event in world.events if event.get("actor", {}).get("type") == "user")
    message = {"type": "chat.message", "organization_id": organization, "actor": {"type": "user", "id": person}}
    outside = message | {"event_id": str(uuid4()), "conversation_id": str(uuid4())}
    fold_lines(client, world, [line_of(outside | {"occurred_at": "2026-11-20T10:00:00Z"})], start=1_000_000)
    assert len(rest(served, key, body, **QUESTION)) > 3
    within = message | {"event_id": str(uuid4()), "conversation_id": str(uuid4())}
    fold_lines(client, world, [line_of(within | {"occurred_at": "2026-11-12T10:00:00Z"})], start=2_000_000)
    client.close()
    gone = served.get(PATH, key, page=body["next_page"], **QUESTION)
    assert gone.status_code == 410
    assert "Start again" in gone.json()["error"]["message"]
    again = rest(served, key, served.get(PATH, key, **QUESTION).json(), **QUESTION)
    assert len(again) == len(set(again))
