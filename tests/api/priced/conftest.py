"""A world all of whose models have a price, unlike that of the other tests; a new one for each module, which may add
events to it."""

from collections.abc import Iterator

import pytest

from tests.reference.engagement import Recount
from tests.support.api_server import Served, context_of, make_keys, serve
from tests.support.group_events import extra_events
from tests.support.simulated_world import World, priced_world


@pytest.fixture(scope="module")
def world(clickhouse: str) -> World:
    return priced_world(clickhouse, extra=extra_events)


@pytest.fixture(scope="module")
def recount(world: World) -> Recount:
    return Recount(world.events)


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[Served]:
    with serve(context_of(world)) as running:
        running.keys = make_keys(world)
        yield running


@pytest.fixture(scope="module")
def organization(world: World) -> str:
    return world.organizations[0]
