"""A simulated world in a real ClickHouse: events folded as a worker folds them, and the events for the recount."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from aggregators.deduplication import Horizon
from aggregators.source import Source
from intake.ndjson import ProducerRecord
from pricing.price_table import load_prices
from simulation import Plan, simulate
from sinks.client import connect, create_database
from sinks.migrations import migrate
from sinks.store import Store
from tally_client.events import EVENTS_BY_TOPIC
from tally_client.validity import read
from tests.support.fold_records import LogRecord
from tests.support.table_rows import insert_position

UNTIL = date(2026, 11, 20)
"""The first day that has no events; the day before is the newest complete one."""

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAN = Plan(until=UNTIL, seed=5, organizations=3, users=45, days=40, duplicates=0.02, late=0.02)


@dataclass
class World:
    """What was sent, and the sources that the log has."""

    url: str
    database: str
    events: list[dict[str, Any]]
    emails: dict[str, str]
    sources: set[str] = field(default_factory=set)

    @property
    def organizations(self) -> list[str]:
        """The organizations, busiest first."""
        busy: dict[str, int] = defaultdict(int)
        for event in self.events:
            busy[event["organization_id"]] += 1
        return sorted(busy, key=lambda organization: -busy[organization])

    @property
    def pays_by_use(self) -> str:
        """The busiest organization on no seats: all its usage is reported."""
        plans = {event["organization_id"]: event["plan"] for event in self.events if event["type"] == "plan.changed"}
        return next(each for each in self.organizations if plans.get(each) == "enterprise_usage_based")

    def client(self) -> Client:
        """A new client of the world's database."""
        return connect(self.url, database=self.database)


Events = list[dict[str, Any]]


def make_world(url: str, database: str, plan: Plan = PLAN, extra: Callable[[Events], Events] = lambda _: []) -> World:
    """Fold the plan's history, and the events that `extra` makes of it, into a new database.

    Raises what `read` does for a made-up event that a worker would refuse: the recounts count it.
    """
    create_database(url, "default", "", database)
    world = World(url, database, [], {})
    client = world.client()
    migrate(client)
    lines = list(simulate(plan))
    made_up = list(map(line_of, extra([json.loads(line.value) for line in lines if line.value is not None])))
    for line in made_up:
        read(line.topic, line.value or b"", NOW)
    lines += made_up
    fold_lines(client, world, lines)
    client.close()
    return world


def priced_world(url: str, plan: Plan = PLAN, extra: Callable[[Events], Events] = lambda _: []) -> World:
    """A world of its own with the shipped price list."""
    world = make_world(url, f"priced_{uuid4().hex}", plan, extra)
    client = world.client()
    load_prices(client)
    client.close()
    return world


def line_of(event: dict[str, Any]) -> ProducerRecord:
    """A record of an event that a test made up."""
    topic = next(topic for topic, kinds in EVENTS_BY_TOPIC.items() if event["type"] in tags(kinds))
    return ProducerRecord(topic, b"", json.dumps(event).encode(), event["occurred_at"])


def tags(kinds: tuple[Any, ...]) -> set[str]:
    return {str(kind.__struct_config__.tag) for kind in kinds}


def fold_lines(
    client: Client,
    world: World,
    lines: list[ProducerRecord],
    start: int = 0,
    now: datetime = NOW,
    logged_at: datetime | None = None,
) -> None:
    """Fold the lines into one source a topic, from offset `start` on, and say that the log is read to its end at `now`.

    The broker had them at `logged_at`, or late enough for any event of the world.
    """
    by_topic: dict[str, list[ProducerRecord]] = {topic: [] for topic in EVENTS_BY_TOPIC}
    for line in lines:
        by_topic[line.topic].append(line)
        if line.value is None:
            world.emails[line.key.decode()] = ""
            continue
        world.events.append(event := json.loads(line.value))
        if event["type"] == "profile.updated":
            world.emails[event["account_id"]] = event["email"]
    store, milliseconds = Store(client), int((logged_at or now + timedelta(hours=1)).timestamp() * 1000)
    for topic, sent in by_topic.items():
        name = f"{topic}/0@0"
        world.sources.add(name)
        source = Source(topic, name, start, Horizon(65_536, 4), log_start=start)
        records = [LogRecord(start + offset, milliseconds, line.key, line.value) for offset, line in enumerate(sent)]
        prepared = source.prepare(start, start + len(records), records)
        for declaration, pages in prepared.missing.items():
            source.load(declaration, pages, store.read_pages(declaration, name, pages))
        source.apply(prepared)
        for table, rows in source.snapshot().rows.items():
            store.write(table, rows)
        insert_position(client, name, start + len(records), now)
