"""Pages, ranges and people of the reports."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.tagged_ids import USER, tagged
from simulation import Plan
from tests.reference.model.events import moment_of
from tests.reference.usage_and_cost import Spending
from tests.support.api_server import PREFIX, Served, context_of, make_keys, serve
from tests.support.price_files import UNPRICED
from tests.support.sdk_reports import NEWER, SPAN
from tests.support.sdk_walk import walk
from tests.support.simulated_world import NOW, UNTIL, World, fold_lines, line_of, make_world

pytestmark = pytest.mark.slow


def test_empty_buckets_are_there(served: Served, organization: str) -> None:
    body = served.get(
        f"{PREFIX}/usage_report", served.keys[organization], starting_at="2026-10-21T00:30:00Z", bucket_width="1h",
        ending_at="2026-10-23T00:59:59Z", models=["nothing"], limit=30,
    ).json()  # fmt: skip
    begins = [bucket["starting_at"] for bucket in body["data"]]
    assert (begins[0], len(begins), body["has_more"]) == ("2026-10-21T00:00:00Z", 30, True)
    assert all(bucket["results"] == [] for bucket in body["data"])
    assert body["data"][0]["ending_at"] == begins[1]


@pytest.mark.parametrize(("width", "buckets"), [("1d", 7), ("1h", 24), (None, 7)])
def test_usual_sizes_of_pages(served: Served, organization: str, width: str | None, buckets: int) -> None:
    asked = {"starting_at": "2026-10-25T00:00:00Z"} | ({"bucket_width": width} if width else {})
    body = served.get(f"{PREFIX}/usage_report", served.keys[organization], **asked).json()
    assert (len(body["data"]), body["has_more"]) == (buckets, True)
    assert body["data_refreshed_at"] == NOW.isoformat().replace("+00:00", "Z")
    rows = served.get(f"{PREFIX}/usage", served.keys[organization], **asked | {"group_by": ["session_id"]}).json()
    assert width or len(rows["data"]) == 20


def test_without_an_end_it_reaches_the_present(served: Served, organization: str) -> None:
    key = served.keys[organization]
    days = served.get(f"{PREFIX}/usage_report", key, starting_at="2026-11-18T09:00:00Z").json()["data"]
    assert [day["starting_at"][:10] for day in days] == ["2026-11-18", "2026-11-19", "2026-11-20"]
    rows = served.get(f"{PREFIX}/usage", key, starting_at="2026-11-18T09:10:00Z").json()["data"]
    assert (rows[0]["starting_at"], rows[0]["ending_at"]) == ("2026-11-18T09:00:00Z", "2026-11-20T12:00:00Z")


def test_what_has_no_price_is_named(served: Served, spending: Spending, organization: str) -> None:
    """The part with a price is given, and a model without one never costs 0 in silence."""
    rows = walk(served, served.keys[organization], "cost", beta=True, **SPAN, group_by=["model"])
    by_model = {row["group"]["model"]: row["cost"] for row in rows}
    assert (by_model[UNPRICED]["amount"], by_model[UNPRICED]["unpriced_models"]) == ("0", [UNPRICED])
    assert by_model[UNPRICED]["requests"] > 0
    (whole,) = walk(served, served.keys[organization], "cost", beta=True, **SPAN)
    assert whole["cost"]["unpriced_models"] == [UNPRICED]
    assert float(whole["cost"]["amount"]) > 0


@pytest.fixture
def small(clickhouse: str) -> Iterator[tuple[World, Served]]:
    """A world of its own, to be changed."""
    plan = Plan(until=UNTIL, seed=6, organizations=2, users=12, days=12)
    world = make_world(clickhouse, f"reports_{uuid4().hex}", plan)
    with serve(context_of(world)) as running:
        running.keys = make_keys(world)
        yield world, running


ASKED = {"starting_at": "2026-11-10T00:00:00Z", "ending_at": "2026-11-17T00:00:00Z"}


def request_of(world: World) -> dict[str, Any]:
    """A request of an organization on no seats: all its usage is reported."""
    by_use = world.pays_by_use
    return next(each for each in world.events if (each["type"], each["organization_id"]) == ("token.used", by_use))


def use(world: World, at: str, start: int, person: str = "") -> None:
    """One more request, of a person if one is named, folded later."""
    used = request_of(world) | {"event_id": str(uuid4()), "occurred_at": at}
    used |= {"actor": {"type": "user", "id": person}} if person else {}
    client = world.client()
    fold_lines(client, world, [line_of(used)], start=start)
    client.close()


KINDS = ("member.joined", "member.removed", "account.deleted")


def test_people_who_left_are_marked_and_can_be_left_out(small: tuple[World, Served]) -> None:
    world, served = small
    organization = request_of(world)["organization_id"]
    last = standings(world, organization)
    for number, person in enumerate(last):
        use(world, "2026-11-10T12:00:00Z", 1_000_000 * (number + 1), person)
    kinds = {tagged(USER, person): kind for person, kind in last.items()}
    assert set(kinds.values()) == set(KINDS)
    for method in ("user_usage_report", "user_cost_report", *NEWER):
        asked: dict[str, Any] = ASKED | ({"group_by": ["actor"]} if method in NEWER else {})
        rows = walk(served, served.keys[organization], method, beta=True, **asked)
        actors = [row.get("actor") or row["group"]["actor"] for row in rows]
        people = {actor["user_id"]: actor for actor in actors if actor["type"] == "user_actor"}
        assert people.keys() == kinds.keys()
        for user, actor in people.items():
            assert actor["deleted"] == (kinds[user] != "member.joined")
            is_gone = kinds[user] == "account.deleted"
            assert (actor["email_address"] is None) == (actor["name"] == "Deleted User") == is_gone
        kept = walk(served, served.keys[organization], method, beta=True, **asked, exclude_deleted_users=True)
        assert kept == [row for row, actor in zip(rows, actors, strict=True) if not actor.get("deleted")]


def standings(world: World, organization: str) -> dict[str, str]:
    """What was last said of the membership of each person of an organization."""
    of = (event for event in world.events if event["organization_id"] == organization and event["type"] in KINDS)
    return {event["account_id"]: event["type"] for event in sorted(of, key=moment_of)}


@pytest.mark.parametrize("method", ["usage_report", "user_usage_report"])
def test_a_revised_hour_ends_the_walk_and_another_does_not(small: tuple[World, Served], method: str) -> None:
    world, served = small
    key, path = served.keys[request_of(world)["organization_id"]], f"{PREFIX}/{method}"
    asked = ASKED | {"limit": 2}
    first = served.get(path, key, **asked).json()
    use(world, "2026-11-17T00:00:00Z", 1_000_000)
    assert served.get(path, key, **asked, page=first["next_page"]).status_code == 200
    use(world, "2026-11-11T23:59:59Z", 2_000_000)
    gone = served.get(path, key, **asked, page=first["next_page"])
    assert gone.status_code == 410
    assert "Start again" in gone.json()["error"]["message"]
    again = served.get(path, key, **asked).json()
    assert served.get(path, key, **asked, page=again["next_page"]).status_code == 200


def test_a_cursor_belongs_to_its_query_and_its_viewer(world: World, served: Served) -> None:
    one, other = world.organizations[:2]
    path = f"{PREFIX}/user_usage_report"
    page = served.get(path, served.keys[one], **ASKED, limit=2).json()["next_page"]
    assert served.get(path, served.keys[one], **ASKED, limit=3, page=page).status_code == 200
    another_key = make_keys(world)[one]
    for key, route, more in (
        (served.keys[other], path, {}),
        (another_key, path, {}),
        (served.keys[one], f"{PREFIX}/user_cost_report", {}),
        (served.keys[one], path, {"order": "asc"}),
    ):
        refused = served.get(route, key, **ASKED, page=page, **more)
        assert refused.status_code == 400
        assert "another query" in refused.json()["error"]["message"]


def test_a_range_without_an_end_is_pinned(small: tuple[World, Served]) -> None:
    world, served = small
    path, key = f"{PREFIX}/usage_report", served.keys[world.organizations[0]]
    asked = {"starting_at": "2026-11-20T08:00:00Z", "bucket_width": "1h", "limit": 3}
    first = served.get(path, key, **asked).json()
    served.context.clock = lambda: NOW + timedelta(hours=5)
    second = served.get(path, key, **asked, page=first["next_page"]).json()
    assert [bucket["starting_at"][11:13] for bucket in second["data"]] == ["11", "12"]
    assert second["has_more"] is False
