"""The Claude Code report over plain HTTP (the SDK has no method for it): equal to a recount, page by page."""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from access.keys import READ_ACTIVITY, create_key
from api.claude_code.routes import NAME, PREFIX, USUAL_ROWS
from api.parameters import read_limit
from simulation import Plan
from tests.reference.claude_code import expected, rows_of
from tests.reference.engagement import Recount
from tests.reference.model.events import counted_at
from tests.support.api_server import Served, context_of, make_keys, serve
from tests.support.simulated_world import NOW, UNTIL, World, fold_lines, line_of, priced_world

pytestmark = pytest.mark.slow

PATH = f"{PREFIX}/{NAME}"
DAY = date(2026, 11, 17)


def walk(served: Served, key: str, **parameters: Any) -> list[dict[str, Any]]:
    """All rows of all pages; amounts as exact decimals."""
    rows: list[dict[str, Any]] = []
    page: dict[str, str] = {}
    while True:
        response = served.get(PATH, key, **parameters, **page)
        assert response.status_code == 200, response.text
        body = json.loads(response.text, parse_float=Decimal, parse_int=int)
        assert body["has_more"] == (body["next_page"] is not None)
        assert len(body["data"]) <= parameters.get("limit", 20)
        rows += body["data"]
        if not body["has_more"]:
            return rows
        page = {"page": body["next_page"]}


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the API in the recount's terms."""
    counts = dict(flat({name: row[name] for name in ("core_metrics", "tool_actions")}))
    models = {
        each["model"]: each["tokens"] | {"cents": each["estimated_cost"] and each["estimated_cost"]["amount"]}
        for each in row["model_breakdown"]
    }
    assert list(models) == sorted(models)
    assert len(models) == len(row["model_breakdown"])
    assert isinstance(row["is_remote"], bool)
    plain = ("actor", "customer_type", "subscription_type", "terminal_type", "is_remote")
    kept = {name: count for name, count in counts.items() if count or name == "core_metrics.num_sessions"}
    return {name: row[name] for name in plain} | {"counts": kept, "models": models}


def flat(block: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, int]]:
    for name, value in block.items():
        yield from flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]


@pytest.mark.parametrize("number", range(3))
def test_equals_a_recount(served: Served, world: World, recount: Recount, number: int) -> None:
    organization, seen = world.organizations[number], 0
    for day in (DAY, date(2026, 11, 3)):
        rows = walk(served, served.keys[organization], starting_at=str(day), limit=1000)
        assert [shown(row) for row in rows] == expected(
            world, recount, organization, rows_of(recount, organization, day), day
        )
        assert {row["date"] for row in rows} <= {f"{day}T00:00:00Z"}
        assert {row["organization_id"] for row in rows} <= {organization}
        seen += len(rows)
    assert seen > (15 if number == 0 else 0)


def test_the_recount_notices_what_is_wrong(served: Served, world: World, recount: Recount, organization: str) -> None:
    """Controls: one token more, one session elsewhere, a request in another terminal: each must be noticed."""
    found = [shown(row) for row in walk(served, served.keys[organization], starting_at=str(DAY), limit=1000)]

    def differs(events: Iterable[dict[str, Any]]) -> bool:
        other = Recount(events)
        return found != expected(world, other, organization, rows_of(other, organization, DAY), DAY)

    def changed(kind: str, change: dict[str, Any]) -> list[dict[str, Any]]:
        of_day = (e for e in recount.events if e.get("product") == "claude_code" and counted_at(e).date() == DAY)
        chosen = next(e for e in of_day if e["type"] == kind and e["organization_id"] == organization)
        return [event | change if event is chosen else event for event in recount.events]

    assert not differs(recount.events)
    for kind, change in (
        ("token.used", {"output_tokens": 123_457}),
        ("token.used", {"attribution": {"terminal": "elsewhere"}}),
        ("token.used", {"web_search_requests": 7}),
        ("session.activity", {"session_id": str(uuid4()), "is_remote": True}),
        ("session.activity", {"multi_edit_accepted": 1000}),
    ):
        assert differs(changed(kind, change)), (kind, change)


def test_pages_are_the_whole(served: Served, organization: str) -> None:
    key = served.keys[organization]
    whole = walk(served, key, starting_at=str(DAY), limit=1000)
    assert len(whole) > 15
    for limit in (1, 7, 16):
        assert walk(served, key, starting_at=str(DAY), limit=limit) == whole
    assert (read_limit({}, USUAL_ROWS), read_limit({"limit": ["1000"]}, USUAL_ROWS)) == (20, 1000)


def test_a_cost_is_a_number_with_all_its_digits(served: Served, organization: str) -> None:
    text = served.get(PATH, served.keys[organization], starting_at=str(DAY), limit=1000).text
    amounts = [
        each["estimated_cost"]["amount"]
        for row in json.loads(text, parse_float=str, parse_int=str)["data"]
        for each in row["model_breakdown"]
    ]
    assert amounts
    assert all(set(amount) <= set("0123456789.") for amount in amounts)
    assert max(len(amount.partition(".")[2]) for amount in amounts) >= 4


def test_who_does_not_see_spend_sees_the_rest(served: Served, world: World, organization: str) -> None:
    """The classes of tokens that go in, which only prices tell apart, are one."""
    client = world.client()
    _, blind = create_key(client, organization, "blind", NOW, None, scopes=(READ_ACTIVITY,))
    client.close()
    seen, whole = (
        served.get(PATH, key, starting_at=str(DAY), limit=1000).json() for key in (blind, served.keys[organization])
    )
    assert (seen["unpriced_models"], whole["unpriced_models"]) == (None, [])
    assert [
        each["estimated_cost"] for row in seen["data"] for each in row["model_breakdown"] if each["estimated_cost"]
    ] == []
    for row in whole["data"]:
        for each in row["model_breakdown"]:
            each["estimated_cost"] = None
            given = sum(each["tokens"][name] for name in ("input", "cache_read", "cache_creation"))
            each["tokens"] |= {"input": given, "cache_read": 0, "cache_creation": 0}
    assert seen["data"] == whole["data"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "starting_at: missing. Allowed: a UTC day"),
        ({"starting_at": "2026-11-20"}, "2026-11-19, the newest complete day"),
        ({"starting_at": "2024-12-31"}, "from 2025-01-01"),
        ({"starting_at": "2026-11-17T00:00:00Z"}, "a UTC day as YYYY-MM-DD"),
        ({"starting_at": "2026-11-17", "limit": "1001"}, "a whole number from 1 to 1000"),
        ({"starting_at": "2026-11-17", "page": "x"}, "not a valid cursor"),
        ({"starting_at": "2026-11-17", "ending_at": "2026-11-18"}, "unknown parameter"),
    ],
)
def test_a_wrong_question_is_told(served: Served, organization: str, asked: dict[str, str], says: str) -> None:
    response = served.get(PATH, served.keys[organization], **asked)
    assert response.status_code == 400
    assert says in response.json()["error"]["message"]


def test_a_cursor_belongs_to_its_day_and_organization(served: Served, world: World) -> None:
    first, second = (served.keys[organization] for organization in world.organizations[:2])
    page = served.get(PATH, first, starting_at=str(DAY), limit=1).json()["next_page"]
    assert served.get(PATH, second, starting_at=str(DAY), limit=1, page=page).status_code == 400
    assert served.get(PATH, first, starting_at="2026-11-16", limit=1, page=page).status_code == 400


def test_a_revised_day_ends_the_walk_and_an_unknown_model_is_named(clickhouse: str) -> None:
    plan = Plan(until=UNTIL, seed=3, organizations=1, users=8, days=10)
    world = priced_world(clickhouse, plan)
    organization = world.organizations[0]
    event = next(e for e in world.events if e["type"] == "token.used" and e.get("product") == "claude_code")
    new = event | {"event_id": str(uuid4()), "model": "claude-unheard-of", "occurred_at": f"{DAY}T10:00:00Z"}
    with serve(context_of(world)) as served:
        key = make_keys(world)[organization]
        page = served.get(PATH, key, starting_at=str(DAY), limit=1).json()["next_page"]
        assert served.get(PATH, key, starting_at=str(DAY), page=page).status_code == 200
        client = world.client()
        fold_lines(client, world, [line_of(new)], start=1_000_000)
        client.close()
        gone = served.get(PATH, key, starting_at=str(DAY), page=page)
        assert (gone.status_code, "Start again" in gone.text) == (410, True)
        body = served.get(PATH, key, starting_at=str(DAY), limit=1000).json()
    assert body["unpriced_models"] == ["claude-unheard-of"]
    unknown = [each for row in body["data"] for each in row["model_breakdown"] if each["model"] == "claude-unheard-of"]
    assert [each["estimated_cost"] for each in unknown] == [{"currency": "USD", "amount": None}]
