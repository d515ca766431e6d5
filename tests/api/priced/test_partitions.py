"""Every export and every report of the API, in every grouping that splits the whole: equal to a recount of the events.

A grouping that splits the whole puts each event into one group, so its groups add up to the total, and the totals of
all sources are one and the same.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from pricing.price_table import load_prices
from simulation import Plan
from tests.reference.event_usage import Row, recount, sums
from tests.reference.model.events import Event, moment_of
from tests.reference.model.prices import Prices
from tests.support.api_server import Served, context_of, make_keys, serve
from tests.support.boundary_events import ODD_CENTER, edge_events
from tests.support.export_rows import PERIOD, SOURCES
from tests.support.price_files import DEARER, DEARER_FROM, write_prices
from tests.support.simulated_world import UNTIL, World, make_world

pytestmark = pytest.mark.slow

PLAN = Plan(until=UNTIL, seed=13, organizations=4, users=24, days=25, duplicates=0.02, late=0.02)
"""One that pays by use, two on seats with and without extra usage, and one that changes its plan in the period."""

PRICED = tuple(name for name, source in SOURCES.items() if "net_usd" in source.amounts)
FOCUS_FILES = tuple(name for name, source in SOURCES.items() if "cost_center" in source.dimensions)
Groupings = dict[tuple[str, ...], dict[tuple[str, ...], list[int]]]
"""A grouping to its groups."""


class Given(dict[tuple[str, str], Groupings]):
    """(source, organization) to what it says, read when it is first asked for.

    Of pairs the API is asked for the busiest organization alone.
    """

    def __init__(self, world: World, served: Served) -> None:
        super().__init__()
        self.world, self.served = world, served

    def __missing__(self, key: tuple[str, str]) -> Groupings:
        name, organization = key
        source, rows = SOURCES[name], list[Row]()
        found: Groupings = {}
        for by in source.groupings(1 if source.asks and organization != self.world.organizations[0] else 2):
            if source.asks or not by:
                rows = list(source.read(self.world, self.served, organization, by))
            found[by] = sums(rows, by, source.amounts)
        self[key] = found
        return found


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All models have a price, that of the simulation's own, too."""
    path = write_prices(tmp_path_factory.mktemp("prices"), unpriced=None)
    lines = path.read_text().splitlines(keepends=True)
    like = next(line for line in lines if f",{DEARER}," in line)
    path.write_text("".join([*lines, like.replace(DEARER, "claude-internal-preview")]))
    return path


@pytest.fixture(scope="module")
def world(clickhouse: str, prices: Path) -> World:
    world = make_world(clickhouse, f"partitions_{uuid4().hex}", PLAN, edge_events)
    client = world.client()
    load_prices(client, prices)
    client.close()
    return world


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[Served]:
    with serve(context_of(world)) as running:
        running.keys = make_keys(world)
        yield running


@pytest.fixture(scope="module")
def given(world: World, served: Served) -> Given:
    return Given(world, served)


@pytest.fixture(scope="module")
def counted(world: World, prices: Path) -> dict[str, list[Row]]:
    """The recount of each organization."""
    return {one: rows_of(world.events, prices, one) for one in world.organizations}


def rows_of(events: Sequence[Event], prices: Path, organization: str) -> list[Row]:
    return list(recount(events, Prices(prices), organization, PERIOD.begins, PERIOD.ends))


@pytest.mark.parametrize("name", SOURCES)
def test_every_partition_equals_the_recount(given: Given, counted: dict[str, list[Row]], name: str) -> None:
    source = SOURCES[name]
    for organization, rows in counted.items():
        for by, groups in given[name, organization].items():
            assert groups == sums(rows, by, source.amounts), (organization, by)


def test_all_sources_have_one_total(given: Given, world: World) -> None:
    for organization in world.organizations:
        for amount in ("net_usd", "list_usd", "output_tokens"):
            totals = {
                tuple(total[source.amounts.index(amount)] for total in given[name, organization][()].values())
                for name, source in SOURCES.items()
                if amount in source.amounts
            }
            assert len(totals) == 1, (organization, amount)


def test_the_world_has_what_decides(world: World, counted: dict[str, list[Row]]) -> None:
    """Every plan, machines and people, cost centres that come and go, channels, and more than one discount."""
    first, *others = counted.values()
    assert [bool(rows) for rows in others].count(False) == 1, "seats without extra usage report nothing"
    values = {name: {row.values[name] for row in first} for name in first[0].values}
    assert {"", ODD_CENTER, "Later", "Renamed"} < values["cost_center"]
    assert all("" in values[name] and len(values[name]) > 3 for name in ("person", "product", "model", "channel"))
    assert len(values["day"]) == PERIOD.days
    rates = {row.amounts["net_usd"] / row.amounts["list_usd"] for row in first if row.amounts["list_usd"]}
    assert len(rates) > 1


def a_duplicate_twice(events: list[Event]) -> list[Event]:
    """An event that arrived twice has an id of its own each time."""
    seen: set[str] = set()
    for place, event in enumerate(events):
        if event["event_id"] in seen and is_paid(event):
            return [*events[:place], event | {"event_id": str(uuid4())}, *events[place + 1 :]]
        seen.add(event["event_id"])
    raise AssertionError("no duplicate")


def a_late_one_left_out(events: list[Event]) -> list[Event]:
    """An event that arrived more than a day after later ones is not there."""
    newest = moment_of(events[0])
    for event in events:
        newest = max(newest, at := moment_of(event))
        if at < newest - timedelta(days=1) and is_paid(event):
            return [other for other in events if other["event_id"] != event["event_id"]]
    raise AssertionError("no late event")


def no_discount(events: list[Event]) -> list[Event]:
    return [event for event in events if event["type"] != "discount.changed"]


def no_plan_change(events: list[Event]) -> list[Event]:
    """Everybody is on seats for ever."""
    return [event | ({"plan": "team"} if event["type"] == "plan.changed" else {}) for event in events]


def is_paid(event: Event) -> bool:
    used = event["type"] == "token.used" and event["actor"]["type"] == "user" and event.get("output_tokens")
    return bool(used) and PERIOD.begins <= moment_of(event) < PERIOD.ends


def groups_later(events: list[Event]) -> list[Event]:
    """Whoever joins a group on the hour or before joins it after the hour has begun."""
    return [
        event | ({"occurred_at": event["occurred_at"].replace(":00:00Z", ":00:01Z")} if is_join(event) else {})
        for event in events
    ]


def is_join(event: Event) -> bool:
    return bool(event["type"] == "group.joined")


CONTROLS: dict[str, tuple[Callable[[list[Event]], list[Event]], tuple[str, ...]]] = {
    "a duplicate counted twice": (a_duplicate_twice, tuple(SOURCES)),
    "a late event left out": (a_late_one_left_out, tuple(SOURCES)),
    "discounts ignored": (no_discount, PRICED),
    "plans ignored": (no_plan_change, tuple(SOURCES)),
    "a group joined a second late": (groups_later, FOCUS_FILES),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_a_wrong_recount_is_caught(given: Given, world: World, prices: Path, organization: str, control: str) -> None:
    change, catching = CONTROLS[control]
    mine = [event for event in world.events if event["organization_id"] == organization]
    assert caught(given, rows_of(mine, prices, organization), organization) == set()
    assert caught(given, rows_of(change(mine), prices, organization), organization) == set(catching)


def test_a_price_an_hour_late_is_caught(
    given: Given, world: World, prices: Path, organization: str, tmp_path: Path
) -> None:
    later = tmp_path / "prices.csv"
    later.write_text(prices.read_text().replace(DEARER_FROM, "2026-11-10T08:00Z"))
    assert caught(given, rows_of(world.events, later, organization), organization) == set(PRICED)


def caught(given: Given, rows: list[Row], organization: str) -> set[str]:
    """The sources of which any grouping differs from the rows; all of them do, or only those by cost centre."""
    found = set()
    for name, source in SOURCES.items():
        groupings = given[name, organization]
        wrong = {by for by in groupings if groupings[by] != sums(rows, by, source.amounts)}
        assert wrong in (set(), set(groupings), {by for by in groupings if "cost_center" in by})
        found |= {name} if wrong else set()
    return found
