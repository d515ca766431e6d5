"""Live updates by itself, pauses, ends with its reader's right to look and its server; operators see the pipeline."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from access.keys import ApiKey, create_key, revoke_key
from access.sessions import Identity
from api.schemas.pipeline import Pipeline, SourceStanding
from simulation import Plan
from tests.support.accessibility import violations
from tests.support.api_server import Served, context_of, make_keys, serve
from tests.support.page_values import table, tiles
from tests.support.sign_in import browser as signed_in
from tests.support.simulated_world import NOW, UNTIL, World, fold_lines, line_of, make_world
from tests.support.table_rows import insert_position

Enter = Callable[[Identity], None]
START = datetime.now(UTC).replace(second=0, microsecond=0)
"""Live counters are of the last week by the database's clock, so these tests live now."""


@pytest.fixture(scope="module")
def world(clickhouse: str) -> World:
    """A small world whose last hour has events."""
    world = make_world(clickhouse, f"live_{uuid4().hex}", Plan(until=UNTIL, seed=4, organizations=1, users=3, days=2))
    say(world, [messages(world, minute) for minute in (2, 2, 2, 5, 59)], 1 << 20)
    return world


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[Served]:
    with serve(context_of(world, clock=lambda: START)) as running:
        running.keys = {world.organizations[0]: new_key(world)[1]}
        yield running


def new_key(world: World) -> tuple[ApiKey, str]:
    """A key of the world's organization that is good now."""
    client = world.client()
    made = create_key(client, world.organizations[0], "live", START, START + timedelta(days=1))
    client.close()
    return made


def messages(world: World, minutes_ago: int, product: str = "chat") -> dict[str, Any]:
    """A message so many minutes ago."""
    sample = next(event for event in world.events if event["type"] == "chat.message")
    at = START - timedelta(minutes=minutes_ago) + timedelta(seconds=20)
    return sample | {"event_id": str(uuid4()), "occurred_at": at.isoformat(), "product": product}


def say(world: World, events: list[dict[str, Any]], start: int) -> None:
    """Fold these into the world's tables."""
    client = world.client()
    fold_lines(client, world, [line_of(event) for event in events], start, logged_at=START + timedelta(minutes=1))
    for source in world.sources:
        insert_position(client, source, start + len(events), START)
    client.close()


@pytest.fixture
def opened(world: World, served: Served, context: BrowserContext) -> Page:
    """The live page."""
    context.set_extra_http_headers({"x-api-key": served.keys[world.organizations[0]]})
    page = context.new_page()
    page.goto(f"{served.base_url}/organizations/{world.organizations[0]}/live")
    return page


def test_it_shows_each_minute_and_what_comes_without_a_reload(opened: Page, world: World) -> None:
    expect(opened.locator("#pulse")).to_have_text("Live")
    rows = {row[0]: row[1] for row in table(opened, "minutes")}
    assert len(rows) == 60
    wanted = {stamp(2): "3", stamp(5): "1", stamp(59): "1", stamp(7): "0"}
    assert {minute: rows[minute] for minute in wanted} == wanted
    assert tiles(opened)["Events in the last hour"] == "5"
    opened.evaluate("window.marked = true")
    opened.locator("#minutes summary").click()
    say(world, [messages(world, 7), messages(world, 7, "claude_in_chrome")], 1 << 21)
    expect(opened.locator(".tile", has_text="Events in the last hour").locator("data")).to_have_text("7")
    assert {row[0]: row[1] for row in table(opened, "minutes")}[stamp(7)] == "2"
    assert ["Claude in Chrome", "1"] in table(opened, "products")
    expect(opened.locator("#minutes table")).to_be_visible()
    assert opened.evaluate("window.marked")
    assert violations(opened) == []


def stamp(minutes_ago: int) -> str:
    return f"{START - timedelta(minutes=minutes_ago):%Y-%m-%dT%H:%M:00Z}"


def test_it_can_be_paused(opened: Page, world: World) -> None:
    expect(opened.locator("#pulse")).to_have_text("Live")
    opened.get_by_role("button", name="Pause").click()
    expect(opened.locator("#pulse")).to_have_text("Paused")
    opened.get_by_role("button", name="Resume").click()
    expect(opened.locator("#pulse")).to_have_text("Live")


def test_it_works_without_script(opened: Page, world: World, served: Served) -> None:
    browser = opened.context.browser
    assert browser
    headers = {"x-api-key": served.keys[world.organizations[0]]}
    plain = browser.new_context(java_script_enabled=False, extra_http_headers=headers)
    page = plain.new_page()
    page.goto(opened.url)
    expect(page.locator(".note")).to_contain_text("Without scripts, this page reloads every 15 seconds.")
    expect(page.locator("#minutes .plot .bar").first).to_be_visible()
    plain.close()


def test_it_ends_with_its_reader_s_right_to_look(world: World, served: Served) -> None:
    """A key that is revoked ends the stream within seconds, though the connection stands."""
    client = world.client()
    key, text = new_key(world)
    seen = []
    address = f"{served.base_url}/organizations/{world.organizations[0]}/live/stream"
    with httpx.stream("GET", address, headers={"x-api-key": text}, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            seen += [line] if line.startswith("event:") else []
            if line == "event: live":
                revoke_key(client, key.id, START)
    client.close()
    assert seen == ["event: live", "event: ended"]


def test_one_reader_has_few_streams(world: World, served: Served) -> None:
    """A key of its own: streams of pages that were closed just now may not have ended yet."""
    address = f"{served.base_url}/organizations/{world.organizations[0]}/live/stream"
    headers = {"x-api-key": new_key(world)[1]}
    with httpx.Client(headers=headers, timeout=30) as client:
        answers = [client.send(client.build_request("GET", address), stream=True) for _ in range(8)]
        statuses = [answer.status_code for answer in answers]
        for answer in answers:
            answer.close()
    assert statuses.count(429) >= 2
    assert statuses.count(200) >= 5


def test_a_server_that_stops_ends_its_streams_at_once(world: World) -> None:
    """By itself, so that the answer is whole: one that outlives the server's patience is cut off, and httpx says so."""
    with serve(context_of(world)) as running:
        key = make_keys(world)[world.organizations[0]]
        address = f"{running.base_url}/organizations/{world.organizations[0]}/live/stream"
        client = httpx.Client(headers={"x-api-key": key}, timeout=30)
        answer = client.send(client.build_request("GET", address), stream=True)
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
    assert list(lines)[-1] == ""
    client.close()


# -- operators --------------------------------------------------------------------------------------------------


def standing(partition: int, **others: Any) -> SourceStanding:
    usual = {"next_offset": 90, "log_start": 0, "log_end": 90, "lag": 0, "watermark": START, "is_stuck": False}
    name: dict[str, Any] = {"source": f"tally.chat/{partition}@0", "topic": "tally.chat", "partition": partition}
    return SourceStanding(**(name | usual | others))


FOUND = Pipeline(
    lag=12,
    data_refreshed_at=NOW - timedelta(seconds=75),
    sources=[standing(0), standing(1, lag=12, log_end=102), standing(2, is_stuck=True, watermark=None)],
    dead_letters={"not JSON": 3, "<b>schema</b>": 11},
    dead_letters_counted_at=START,
)


def test_operators_see_the_pipeline_and_no_organization(world: World, context: BrowserContext, clickhouse: str) -> None:
    with serve(context_of(world, pipeline=lambda: FOUND)) as running:
        with signed_in(world, running, Identity(operator="kim")) as client:
            for name, value in client.cookies.items():
                context.add_cookies([{"name": name, "value": value, "url": running.base_url}])
        page = context.new_page()
        page.goto(running.base_url)
        expect(page).to_have_url(f"{running.base_url}/operator")
        assert tiles(page) == {
            "Lag": "12", "Watermark age": "75", "Sources that need attention": "1", "Dead letters": "14",
        }  # fmt: skip
        assert table(page, "letters") == [["<b>schema</b>", "11"], ["not JSON", "3"]]
        assert [row[:3] for row in table(page, "sources")] == [
            ["tally.chat/2@0", "needs attention", "0"],
            ["tally.chat/1@0", "reading", "12"],
            ["tally.chat/0@0", "up to date", "0"],
        ]
        assert violations(page) == []
        page.goto(f"{running.base_url}/organizations/{world.organizations[0]}/activity")
        expect(page.get_by_role("heading", level=1)).to_have_text("You do not have access to this page")
