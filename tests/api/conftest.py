"""One simulated world and one live API for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from pricing.price_table import load_prices
from tests.reference.engagement import Recount
from tests.reference.model.prices import Prices
from tests.reference.usage_and_cost import Spending
from tests.support.api_server import Served, context_of, make_keys, serve
from tests.support.group_events import extra_events
from tests.support.people import people_events
from tests.support.price_files import write_prices
from tests.support.simulated_world import World, make_world


@pytest.fixture(scope="session")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The price list of the world."""
    return write_prices(tmp_path_factory.mktemp("prices"))


@pytest.fixture(scope="session")
def world(clickhouse: str, prices: Path) -> World:
    """The simulated world with its prices, and events and people that the simulation does not think of."""
    world = make_world(clickhouse, f"api_{uuid4().hex}", extra=lambda events: extra_events(events) + people_events())
    client = world.client()
    load_prices(client, prices)
    client.close()
    return world


@pytest.fixture(scope="session")
def recount(world: World) -> Recount:
    """The recount of its events."""
    return Recount(world.events)


@pytest.fixture(scope="session")
def spending(recount: Recount, prices: Path) -> Spending:
    """The recount of its usage and costs."""
    return Spending(recount, Prices(prices))


@pytest.fixture(scope="session")
def served(world: World) -> Iterator[Served]:
    """The live API, without a limit that a test would meet by chance."""
    with serve(context_of(world)) as running:
        running.keys = make_keys(world)
        yield running


@pytest.fixture(scope="session")
def organization(world: World) -> str:
    """The busiest organization."""
    return world.organizations[0]
