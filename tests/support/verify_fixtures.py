"""What the tests of `tally verify` share: a log, a database filled from it by the folds, and mistakes to plant.

The tables are filled by the folds themselves, without a worker, so that each test can make its own mistake.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from clickhouse_connect.driver.client import Client

from aggregators.deduplication import Horizon
from aggregators.prepared_batch import RejectedRecord
from aggregators.source import Source
from deploy.settings import Settings
from deploy.verify import verify
from deploy.worker import dead_letter
from intake.ndjson import ProducerRecord
from pricing.price_table import load_prices
from simulation import Plan, simulate
from sinks.positions import NO_WATERMARK, Position
from sinks.store import Store
from streams.dead_letters import DeadLetterWriter
from streams.topics import ensure_topics, topic_specs
from tests.support.fold_records import LogRecord
from tests.support.stack import start_kafka
from tests.support.table_rows import database
from verify import Difference, TableResult, TimeRange, Verdict
from verify.log import open_log
from verify.records import Record
from verify.recount import TOPICS

PARTITIONS = 2
BLOCK_SIZE = 64

ALL = TimeRange()

Skip = Callable[[Record], bool]


@dataclass
class Loaded:
    """A database filled from the log, and the settings that lead to both."""

    settings: Settings
    client: Client
    letters: list[tuple[str, RejectedRecord]] = field(default_factory=list)

    def verify(self, wait_seconds: float = 0.1, span: TimeRange = ALL) -> Verdict:
        return verify(self.settings, span=span, wait_seconds=wait_seconds, show=3)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Kafka of this module's own, since its topics have Tally's names, with a simulated life in it."""
    running = start_kafka(tmp_path_factory.mktemp("kafka"))
    until = datetime.now(UTC).date()
    plan = Plan(until, seed=5, organizations=5, users=20, days=5, duplicates=0.04, late=0.05, poison=0.03)
    lines = list(simulate(plan))
    forgotten = next(line for line in lines if line.topic == "tally.profiles")
    asyncio.run(fill(running.child.url, [*lines, forgotten._replace(value=None)]))
    yield running.child.url
    running.stop()


async def fill(bootstrap: str, lines: Sequence[ProducerRecord]) -> None:
    await ensure_topics(bootstrap, topic_specs(PARTITIONS))
    await produce(bootstrap, lines)
    async with DeadLetterWriter(bootstrap) as writer:
        letters = [found for _, (_, found) in (await folded(bootstrap)).items()]
        await writer.write([dead_letter(source, letter) for found in letters for source, letter in found])


async def produce(bootstrap: str, lines: Sequence[ProducerRecord]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=4 << 20)
    await producer.start()
    try:
        sent = [await producer.send(line.topic, line.value, line.key) for line in lines]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def records_of(bootstrap: str) -> AsyncIterator[tuple[str, int, list[Record]]]:
    """(topic, end, records) of every partition."""
    async with open_log(bootstrap, {}) as log:
        for (topic, partition), (start, end) in (await log.bounds(TOPICS)).items():
            read = [record async for batch in log.read((topic, partition), start, end) for record in batch]
            yield f"{topic}/{partition}", end, read


async def folded(bootstrap: str, skip: Skip = lambda _record: False) -> "Folded":
    """The rows of every table, the end and the letters of every source, without the records to skip."""
    made: Folded = {}
    async for place, end, read in records_of(bootstrap):
        name = f"{place}@0"
        source = Source(place.split("/")[0], name, 0, Horizon(BLOCK_SIZE, 4))
        taken = [LogRecord(each.offset, each.timestamp_ms, each.key, each.value) for each in read if not skip(each)]
        prepared = source.prepare(0, end, taken)
        for declaration, pages in prepared.missing.items():
            source.load(declaration, pages, ())
        source.apply(prepared)
        snapshot = source.snapshot()
        made[name] = ({**snapshot.rows, "end": [end]}, [(name, letter) for letter in snapshot.rejected])
    return made


Folded = dict[str, tuple[dict[str, Sequence[Any]], list[tuple[str, RejectedRecord]]]]


@pytest.fixture(scope="module")
def right(broker: str) -> Folded:
    """What the folds make of the whole log."""
    return asyncio.run(folded(broker))


@pytest.fixture
def load(broker: str, clickhouse: str, right: Folded) -> Callable[..., Loaded]:
    """Fills a fresh database with what the folds make of the log, as it is now without the records to `skip`."""

    def fill_database(skip: Skip | None = None) -> Loaded:
        client = database(clickhouse)
        load_prices(client)
        store = Store(client)
        settings = Settings(
            kafka_bootstrap=broker,
            clickhouse_url=clickhouse,
            clickhouse_database=client.database,
            dedup_block_size=BLOCK_SIZE,
        )
        loaded = Loaded(settings, client)
        for source, (rows, letters) in (asyncio.run(folded(broker, skip)) if skip else right).items():
            for table, changed in rows.items():
                if table != "end":
                    store.write(table, changed)
            store.write_positions([Position(source, rows["end"][0], NO_WATERMARK, 1, "")])
            loaded.letters += letters
        return loaded

    return fill_database


def result(verdict: Verdict, name: str) -> TableResult:
    (found,) = (table for table in verdict.tables if table.name == name)
    return found


def differing(verdict: Verdict) -> dict[str, int]:
    return {table.name: table.different for table in verdict.tables if table.different}


def only_difference(verdict: Verdict, name: str) -> Difference:
    (found,) = result(verdict, name).differences
    return found


async def first_of(bootstrap: str, topic: str, needle: bytes) -> Record:
    async for _, _, read in records_of(bootstrap):
        for record in read:
            if record.topic == topic and needle in (record.value or b"")[:40]:
                return record
    raise AssertionError(f"the simulation made no {needle!r}")


def insert_changed(client: Client, table: str, column: str, change: str, where: str) -> None:
    """Write one settled row of `table` again, with another value in one column and the same stamp."""
    row = f"SELECT * FROM {table} FINAL WHERE {where} LIMIT 1"
    client.command(f"INSERT INTO {table} SELECT * REPLACE ({change} AS {column}) FROM ({row})")
