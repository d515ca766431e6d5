"""Random organizations, terms and usage for tests of the reading side; the same seed gives the same world."""

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.reference.spend_report import LABELS
from tests.support.table_rows import CLASSES, HOUR, NIL, Cell, Change, World

MODELS = (
    *("claude-opus-4-8", "claude-opus-4-5-20251101", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2"),
    *("claude-opus-4-6-latest", "claude-unheard-of-1", "=1+1"),
)


def random_world(seed: int, first: datetime, hours: int, cells: int = 400) -> World:
    """Three organizations with changing terms, six people and machines, and every price dimension."""
    dice = random.Random(seed)
    organizations = [str(UUID(int=dice.getrandbits(128))) for _ in range(3)]
    people = [str(UUID(int=dice.getrandbits(128))) for _ in range(6)]
    world = World()
    world.emails = {person: f"p{number}@example.com" for number, person in enumerate(people[:4])}
    world.emails[people[4]] = "=cmd@example.com"
    for organization in organizations:
        world.changes.extend(random_changes(dice, organization, first, hours))
    for number in range(cells):
        world.cells.extend(random_cell(dice, number, dice.choice(organizations), people, first, hours))
    return world


def random_changes(dice: random.Random, organization: str, first: datetime, hours: int) -> Iterator[Change]:
    plans = ("team", "enterprise_usage_based", "enterprise_seat_based")
    for number in range(10):
        at = first + dice.randrange(-24, hours) * HOUR
        kind = dice.choice(("plan.changed", "extra_usage.changed", "discount.changed"))
        detail: dict[str, Any] = {"plan": dice.choice(plans)}
        if kind == "extra_usage.changed":
            detail = {"enabled": dice.random() < 0.6}
        if kind == "discount.changed":
            detail = {"discount": dice.choice(("0", "0.15", "0.333333", "1", "0.000001"))}
        yield Change(organization, kind, at, detail, number)
        if dice.random() < 0.3:  # a second change of the same kind, in force from the same hour
            yield Change(
                organization, kind, at, detail | {"plan": "team", "enabled": False, "discount": "0.5"}, 50 + number
            )


def random_cell(
    dice: random.Random, number: int, organization: str, people: list[str], first: datetime, hours: int
) -> Iterator[Cell]:
    cell = Cell(
        organization,
        first + dice.randrange(hours) * HOUR,
        dice.choice(people),
        source=f"tally.token/{dice.randrange(3)}@0",
        actor_type=dice.choice(("user", "user", "user", "api_key")),
        product=dice.choice(tuple(LABELS)),
        model=dice.choice(MODELS),
        service_tier=dice.choice(("standard", "standard", "batch", "priority", "priority_on_demand", "flex")),
        context_window=dice.choice(("", "0-200k", "200k-1M")),
        inference_geo=dice.choice(("", "global", "us")),
        speed=dice.choice(("", "", "standard", "fast")),
        funding=dice.choice(("usage_based", "seat_allotment", "extra_usage")),
        attribution_id=dice.choice((NIL, people[0])),
        log_offset=1000 + number,
        requests=dice.randrange(1, 50),
        web_search_requests=dice.choice((0, 0, 3)),
        **{name: dice.choice((0, 1, dice.randrange(10**12))) for name in CLASSES},
    )
    if dice.random() < 0.2:
        cell = Cell(
            **{**cell.__dict__, "model": "", "service_tier": "", "context_window": "", "inference_geo": "", "speed": ""}
            | {"requests": 0, "web_search_requests": 0, "execution_milliseconds": dice.randrange(10**10)}
            | dict.fromkeys(CLASSES, 0)
        )
    yield cell
    if dice.random() < 0.3:  # an older version of the same cell, as a stale writer leaves it
        yield Cell(**{**cell.__dict__, "log_offset": cell.log_offset - 500, "requests": 10**6})
