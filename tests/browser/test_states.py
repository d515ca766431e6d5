"""What a figure says when its days are not complete, not known, empty, or cannot be read; and what a page says then."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from access.sessions import Identity
from simulation import Plan
from sinks.client import connect
from tests.browser.conftest import Open, owner_of
from tests.support.accessibility import violations
from tests.support.api_server import context_of, serve
from tests.support.page_values import table, tiles
from tests.support.sign_in import browser as signed_in
from tests.support.simulated_world import NOW, UNTIL, World, make_world

pytestmark = pytest.mark.slow

At = Callable[..., Page]


@pytest.fixture(scope="module")
def small(clickhouse: str) -> World:
    """A few people for a few days."""
    return make_world(clickhouse, f"states_{uuid4().hex}", Plan(until=UNTIL, seed=9, organizations=1, users=5, days=6))


@pytest.fixture
def at(small: World, context: BrowserContext) -> Iterator[At]:
    """Opens a page of a server over the small world, which its keyword arguments make another."""
    servers = []

    def open_(path: str, world: World = small, **others: Any) -> Page:
        settled = context_of(world, session_lifetime=timedelta(days=9))
        for name, value in others.items():
            setattr(settled, name, value)
        running = serve(settled)
        servers.append(running)
        base_url = running.__enter__().base_url
        organization = world.organizations[0]
        holder = Identity(organization, owner_of(world, organization))
        with (
            serve(context_of(world, session_lifetime=timedelta(days=9))) as door,
            signed_in(world, door, holder) as who,
        ):
            cookies = [{"name": name, "value": value, "url": base_url} for name, value in who.cookies.items()]
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{base_url}/organizations/{organization}/{path}")
        return page

    yield open_
    for server in servers:
        server.__exit__(None, None, None)


def test_a_day_that_has_begun_is_partial(open_page: Open) -> None:
    page = open_page("activity?until=2026-11-20")
    expect(page.locator("#active-users .state")).to_have_text("Not complete: data until 20 Nov 2026, 12:00 UTC.")
    assert page.locator("#active-users .plot .band").count() == 1
    expect(page.locator("#active-users .legend")).to_contain_text("day not complete")
    assert table(page, "active-users")[-1][1] == "0"
    page.locator("#active-users summary").first.click()
    expect(page.locator("#active-users tbody tr").last).to_contain_text("not complete")


def test_a_complete_day_without_events_is_0_and_a_day_past_the_data_a_gap(at: At) -> None:
    page = at("activity?until=2026-11-22&days=1-month", clock=lambda: NOW + timedelta(days=2))
    rows = {row[0]: row[1:] for row in table(page, "active-users")}
    assert rows["2026-11-08"] == ["0", "0", "0"]
    assert rows["2026-11-21"] == rows["2026-11-22"] == ["", "", ""]
    assert page.locator("#active-users .plot .band.gap").count() == 2
    expect(page.locator("#active-users .legend")).to_contain_text("no data yet")
    assert tiles(page)["Weekly active people"] == ""
    assert violations(page) == []


def test_when_nobody_knows_how_far_the_data_reaches_nothing_is_0(at: At) -> None:
    page = at("activity", sources=lambda _: {"tally.chat/7@0"})
    expect(page.locator(".reach")).to_contain_text("How far the data reaches is not known yet")
    assert set(tiles(page).values()) == {""}
    assert {cell for row in table(page, "active-users") for cell in row[1:]} == {""}
    assert violations(page) == []


@pytest.mark.parametrize("path", ["spend", "claude-ai", "claude-code", "exports"])
def test_every_page_opens_when_nothing_is_known(at: At, path: str) -> None:
    page = at(path, sources=lambda _: {"tally.chat/7@0"})
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert violations(page) == []


def test_days_without_anything_say_so(at: At) -> None:
    page = at("activity?until=2026-06-30")
    expect(page.locator("#active-users .nothing")).to_have_text("Nothing happened in this period.")
    expect(page.locator("#connectors .nothing")).to_have_text("No one called a connector in this period.")
    assert tiles(page)["Weekly active people"] == "0"
    page.goto(page.url.replace("activity", "claude-code"))
    expect(page.locator("#people .nothing")).to_have_text("No one used Claude Code in this period.")
    assert violations(page) == []


def test_one_figure_that_cannot_be_read_takes_no_other_with_it(at: At, clickhouse: str) -> None:
    plan = Plan(until=UNTIL, organizations=1, users=2, days=2)
    world = make_world(clickhouse, f"broken_{uuid4().hex}", plan)
    client = world.client()
    client.command("DROP VIEW invite_changes")
    client.close()
    page = at("activity", world)
    expect(page.locator("#seats .failed")).to_contain_text("This could not be read.")
    expect(page.locator("#active-users .plot")).to_be_visible()
    assert violations(page) == []


def test_without_its_database_a_page_says_when_to_come_back(at: At) -> None:
    page = at("activity", connect=lambda: connect("http://127.0.0.1:9"))
    expect(page.get_by_role("heading", level=1)).to_have_text("The numbers cannot be read at present")
    answer = httpx.get(page.url, headers={"x-api-key": "any"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert violations(page) == []
