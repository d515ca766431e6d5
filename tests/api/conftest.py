"""One simulated world and one live API for all tests of this folder."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.api.groups import extra_events
from tests.api.people import people_events
from tests.api.recount import Recount
from tests.api.server import Served, context_of, make_keys, serve
from tests.api.world import World, make_world


@pytest.fixture(scope="session")
def world(clickhouse: str) -> World:
    """The simulated world, and events and people that the simulation does not think of."""
    return make_world(clickhouse, f"api_{uuid4().hex}", extra=lambda events: extra_events(events) + people_events())


@pytest.fixture(scope="session")
def recount(world: World) -> Recount:
    """The recount of its events."""
    return Recount(world.events)


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
