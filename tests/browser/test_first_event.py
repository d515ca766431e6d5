"""A new organization's page waits for the first event, says what to do next, and shows the event without a reload."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from access.sessions import Identity
from simulation import Plan
from tests.support.accessibility import violations
from tests.support.api_server import NO_TLS, Served, context_of, serve
from tests.support.sign_in import browser as signed_in
from tests.support.simulated_world import NOW, UNTIL, World, fold_lines, line_of, make_world

NEW, OWNER = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001"
PAGES = ("activity", "spend", "claude-ai", "claude-code")


def of_new(type_: str, **fields: Any) -> dict[str, Any]:
    at = {"occurred_at": "2026-11-20T11:00:00Z", "event_id": str(uuid4()), "organization_id": NEW}
    return {"type": type_, **at, **fields}


def founding() -> list[dict[str, Any]]:
    """An organization as `tally organizations create` makes it."""
    return [
        of_new("organization.created", name="Acme"),
        of_new("plan.changed", plan="enterprise_usage_based", effective_from="2026-11-20T11:00:00Z"),
        of_new("member.joined", account_id=OWNER, role="primary_owner"),
        of_new("profile.updated", account_id=OWNER, email="me@example.com", name="Me"),
    ]


@pytest.fixture
def world(clickhouse: str) -> World:
    """An organization with people and activity, and a new one."""
    plan = Plan(until=UNTIL, seed=3, organizations=1, users=3, days=2)
    return make_world(clickhouse, f"first_{uuid4().hex}", plan, lambda _: founding())


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    with serve(context_of(world)) as running:
        yield running


@pytest.fixture
def page(world: World, served: Served, context: BrowserContext) -> Page:
    """A browser in which the new organization's owner is signed in."""
    with signed_in(world, served, Identity(NEW, OWNER)) as who:
        cookies = [{"name": name, "value": value, "url": served.base_url} for name, value in who.cookies.items()]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    return context.new_page()


def test_it_waits_and_shows_the_first_event_without_a_reload(world: World, served: Served, page: Page) -> None:
    for path in PAGES:
        page.goto(f"{served.base_url}/organizations/{NEW}/{path}")
        expect(page.get_by_role("heading", name="Waiting for the first event")).to_be_visible()
        expect(page.locator("#first-event")).to_contain_text(NEW)
        assert violations(page) == []

    page.goto(f"{served.base_url}/")
    client = world.client()
    chat = {"actor": {"type": "user", "id": OWNER}, "product": "chat", "conversation_id": str(uuid4())}
    fold_lines(client, world, [line_of(of_new("chat.message", **chat))], 1 << 20, NOW)
    client.close()
    expect(page.get_by_role("heading", name="The first event is of 20 Nov 2026")).to_be_visible(timeout=120_000)
    assert violations(page) == []
    page.get_by_role("link", name="Show the days up to 20 Nov 2026").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "until=2026-11-20" in page.url
    assert page.locator("#first-event").count() == 0


def test_the_others_do_not_wait_and_only_its_own_people_learn_its_first_day(world: World, served: Served) -> None:
    old = next(organization for organization in world.organizations if organization != NEW)
    owner = next(event["account_id"] for event in world.events if event.get("role") == "primary_owner")
    with signed_in(world, served, Identity(old, owner)) as who:
        assert who.get(f"/organizations/{old}/first-day").text == "2026-11-18"
        assert who.get(f"/organizations/{old}/first-day", params={"x": "1"}).status_code == 400
        assert who.get(f"/organizations/{NEW}/first-day").status_code == 404
        assert "first-event" not in who.get(f"/organizations/{old}/activity").text
    with signed_in(world, served, Identity(NEW, OWNER)) as who:
        assert who.get(f"/organizations/{NEW}/first-day").text == ""
    stranger = httpx.get(f"{served.base_url}/organizations/{NEW}/first-day", verify=NO_TLS)
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in")
