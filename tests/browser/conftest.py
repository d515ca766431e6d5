"""One world, one live server and one browser for all tests of this folder."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from access.sessions import Identity
from pricing.price_table import load_prices
from tests.reference.metrics import Recount
from tests.reference.model.prices import Prices
from tests.support.api_server import Served, context_of, make_keys, serve
from tests.support.chromium import started
from tests.support.odd_names import odd_events
from tests.support.people import people_events
from tests.support.sign_in import browser as signed_in
from tests.support.simulated_world import PLAN as API_PLAN
from tests.support.simulated_world import UNTIL, World, make_world

NOWHERE = "http://127.0.0.1:9/"
"""An address that tests try to reach from a page; that the browser says so is what they want."""

expect.set_options(timeout=60_000)
"""What a page comes to show is waited for; how long that takes is the machine's."""

Open = Callable[..., Page]
Recounts = dict[str, Recount]
"""By organization."""

NEWEST = UNTIL - timedelta(days=1)
LASTS = (NEWEST, date(2026, 11, 1), date(2026, 10, 14))
"""The last days that pages are opened for, one for each of the three busiest organizations."""


PLAN = replace(API_PLAN, seed=1)
"""Its organizations, busiest first: one that pays by use, one on seats with extra usage, and one on seats without."""


@pytest.fixture(scope="package")
def world(clickhouse: str) -> World:
    """The simulated world, with people of every role, odd names and somebody who is gone."""
    world = make_world(clickhouse, f"browser_{uuid4().hex}", PLAN, lambda events: people_events() + odd_events(events))
    plans = {event["organization_id"]: event["plan"] for event in world.events if event["type"] == "plan.changed"}
    found = [plans[organization] for organization in world.organizations[:3]]
    assert found == ["enterprise_usage_based", "enterprise_seat_based", "team"], "the simulation tells other histories"
    client = world.client()
    load_prices(client)
    client.close()
    return world


@pytest.fixture(scope="package")
def served(world: World) -> Iterator[Served]:
    """The live server."""
    with serve(context_of(world)) as running:
        running.keys = make_keys(world)
        yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="package")
def recounts(world: World) -> Recounts:
    """The recount of each organization, forgotten people included."""
    gone = [{"event_id": account, "type": "tombstone", "account_id": account}
            for account, email in world.emails.items() if not email]  # fmt: skip
    prices = Prices()
    return {each: Recount([*world.events, *gone], each, prices) for each in world.organizations}


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile. What a page says on its console, or throws, fails the test."""
    context = chromium.new_context()
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(str(error.error)))
    yield context
    context.close()
    assert [line for line in said if "status of" not in line and NOWHERE not in line] == []


@pytest.fixture
def sign_in(world: World, served: Served, context: BrowserContext) -> Callable[[Identity], None]:
    """Signs somebody in, in this browser."""

    def enter(holder: Identity) -> None:
        with signed_in(world, served, holder) as client:
            cookies = [{"name": name, "value": value, "url": served.base_url} for name, value in client.cookies.items()]
        context.add_cookies(cookies)  # type: ignore[arg-type]

    return enter


@pytest.fixture
def open_page(world: World, served: Served, context: BrowserContext, sign_in: Callable[[Identity], None]) -> Open:
    """Opens a page of an organization, the busiest unless another is named, as its primary owner."""

    def open_(path: str, organization: str = "") -> Page:
        organization = organization or world.organizations[0]
        if not context.cookies():
            sign_in(Identity(organization, owner_of(world, organization)))
        page = context.pages[0] if context.pages else context.new_page()
        page.goto(f"{served.base_url}/organizations/{organization}/{path}")
        return page

    return open_


def owner_of(world: World, organization: str) -> str:
    """The account of its primary owner."""
    found = [
        event["account_id"]
        for event in world.events
        if event["organization_id"] == organization
        and event["type"] in ("member.joined", "role.changed")
        and event.get("role") == "primary_owner"
    ]
    return str(found[-1])
