"""The bench's topic: realistic token events of about 400 bytes, from many people over some hours of history."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

MODELS = ("claude-sonnet-5", "claude-opus-5-5", "claude-haiku-4-5-20251001")


@dataclass(frozen=True)
class Load:
    """How many events, of how many organizations and people, over how many hours: hours make open cells."""

    events: int = 400_000
    organizations: int = 20
    people: int = 2_000
    hours: int = 24
    seed: int = 1


def events(load: Load) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of each event, in order of time; the same bytes for the same load and day."""
    dice = random.Random(load.seed)
    organizations = [_uuid(dice) for _ in range(load.organizations)]
    people = [(dice.choice(organizations), _uuid(dice)) for _ in range(load.people)]
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=load.hours)
    step = timedelta(hours=load.hours) / load.events
    for number in range(load.events):
        organization, person = people[min(int(dice.expovariate(4 / load.people)), load.people - 1)]
        yield person.encode(), orjson.dumps(_event(dice, start + number * step, organization, person))


def _uuid(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def _event(dice: random.Random, at: datetime, organization: str, person: str) -> dict[str, object]:
    return {
        "type": "token.used",
        "event_id": _uuid(dice),
        "occurred_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "organization_id": organization,
        "actor": {"type": "user", "id": person},
        "product": dice.choice(("chat", "claude_code")),
        "funding": "usage_based",
        "request_id": f"req_{dice.getrandbits(64):016x}",
        "model": dice.choice(MODELS),
        "uncached_input_tokens": dice.randrange(3_000),
        "cache_read_input_tokens": dice.randrange(90_000),
        "cache_creation_5m_input_tokens": dice.randrange(2_000),
        "output_tokens": dice.randrange(2_000),
    }
