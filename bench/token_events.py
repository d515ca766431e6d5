"""The bench's topic: realistic token events of about 400 bytes, from many people over some hours of history."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from intake.ndjson import ProducerRecord
from tally_client.events import TOKEN

PRODUCTS = ("chat", "claude_code")
MODELS = ("claude-sonnet-5", "claude-opus-5-5", "claude-haiku-4-5-20251001")
CELLS_EACH = len(PRODUCTS) * len(MODELS)
"""Cells that a person has in an hour, with every product and model."""

DENSE = timedelta(microseconds=10)
"""Between two events of a load of so many cells, which must not end before its hour does."""


@dataclass(frozen=True)
class Load:
    """How many events, of how many organizations and people, over how many hours: hours make open cells.

    `cells` asks for exactly so many different ones, at 100,000 events a second from the full hour on: the first events
    open one each, the others fall on them as unevenly as people work. `people` follow from it then, and take turns in
    their organizations.
    """

    events: int = 400_000
    organizations: int = 20
    people: int = 2_000
    hours: int = 24
    seed: int = 1
    cells: int = 0


Work = tuple[int, str, str]
"""(number of the person, product, model)"""


def lines(load: Load) -> Iterator[ProducerRecord]:
    """The events as lines of the topic."""
    return (ProducerRecord(TOKEN, key, value, "") for key, value in events(load))


def events(load: Load) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of each event, in order of time; the same bytes for the same load and day."""
    dice = random.Random(load.seed)
    organizations = [_uuid(dice) for _ in range(load.organizations)]
    count = -(-load.cells // CELLS_EACH) if load.cells else load.people
    people = [(_organization(load, dice, organizations, number), _uuid(dice)) for number in range(count)]
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=load.hours)
    step = DENSE if load.cells else timedelta(hours=load.hours) / load.events
    for number in range(load.events):
        person, product, model = _in_cells(load, dice, number) if load.cells else _as_it_comes(load, dice)
        organization, account = people[person]
        yield (
            account.encode(),
            orjson.dumps(_event(dice, start + number * step, organization, account, product, model)),
        )


def _organization(load: Load, dice: random.Random, organizations: list[str], number: int) -> str:
    return organizations[number % len(organizations)] if load.cells else dice.choice(organizations)


def _as_it_comes(load: Load, dice: random.Random) -> Work:
    return _few_work_much(dice, load.people), dice.choice(PRODUCTS), dice.choice(MODELS)


def _in_cells(load: Load, dice: random.Random, number: int) -> Work:
    cell = number if number < load.cells else _few_work_much(dice, load.cells)
    person, work = divmod(cell, CELLS_EACH)
    return person, PRODUCTS[work // len(MODELS)], MODELS[work % len(MODELS)]


def _few_work_much(dice: random.Random, count: int) -> int:
    """One of so many, the first ones far more often."""
    return min(int(dice.expovariate(4 / count)), count - 1)


def _uuid(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def _event(
    dice: random.Random, at: datetime, organization: str, person: str, product: str, model: str
) -> dict[str, object]:
    return {
        "type": "token.used",
        "event_id": _uuid(dice),
        "occurred_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "organization_id": organization,
        "actor": {"type": "user", "id": person},
        "product": product,
        "funding": "usage_based",
        "request_id": f"req_{dice.getrandbits(64):016x}",
        "model": model,
        "uncached_input_tokens": dice.randrange(3_000),
        "cache_read_input_tokens": dice.randrange(90_000),
        "cache_creation_5m_input_tokens": dice.randrange(2_000),
        "output_tokens": dice.randrange(2_000),
    }
