"""`tally verify` over a real Kafka and ClickHouse: equal when all is right, and it names whatever is wrong.

The tables are filled by the folds themselves, without a worker, so that each test can make its own mistake.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from clickhouse_connect.driver.client import Client

from aggregators.batches import Letter
from aggregators.deduplication import Horizon
from aggregators.source import Source
from deploy.settings import Settings
from deploy.simulation import Line, Plan, simulate
from deploy.verify import Difference, TableResult, Verdict, run
from deploy.verify.log import open_log
from deploy.verify.recount import TOPICS, Record
from deploy.verify.tables import CELL_TABLES
from deploy.worker import dead_letter
from reports.prices import load_prices
from sinks.clickhouse import connect, create_database
from sinks.migrations import migrate
from sinks.store import NEVER, Position, Store
from streams.dead_letters import DeadLetterWriter
from streams.topics import ensure_topics, topic_specs
from tests.embedded import start_kafka
from tests.unit.test_verify_recount import LogRecord

PARTITIONS = 2
BLOCK_SIZE = 64

Skip = Callable[[Record], bool]


@dataclass
class Loaded:
    """A database filled from the log, and the settings that lead to both."""

    settings: Settings
    client: Client
    letters: list[tuple[str, Letter]] = field(default_factory=list)

    def verify(self, wait_seconds: float = 0.1) -> Verdict:
        return run(self.settings, wait_seconds=wait_seconds, show=3)


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


async def fill(bootstrap: str, lines: Sequence[Line]) -> None:
    await ensure_topics(bootstrap, topic_specs(PARTITIONS))
    await produce(bootstrap, lines)
    async with DeadLetterWriter(bootstrap) as writer:
        letters = [found for _, (_, found) in (await folded(bootstrap)).items()]
        await writer.write([dead_letter(source, letter) for found in letters for source, letter in found])


async def produce(bootstrap: str, lines: Sequence[Line]) -> None:
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
    made = {}
    async for place, end, read in records_of(bootstrap):
        name = f"{place}@0"
        source = Source(place.split("/")[0], name, 0, Horizon(BLOCK_SIZE, 4))
        taken = [LogRecord(each.offset, each.timestamp_ms, each.key, each.value) for each in read if not skip(each)]
        prepared = source.prepare(0, end, taken)
        for declaration, pages in prepared.missing.items():
            source.load(declaration, pages, ())
        source.apply(prepared)
        snapshot = source.snapshot()
        made[name] = ({**snapshot.rows, "end": [end]}, [(name, letter) for letter in snapshot.letters])
    return made


Folded = dict[str, tuple[dict[str, list[Any]], list[tuple[str, Letter]]]]


@pytest.fixture(scope="module")
def right(broker: str) -> Folded:
    """What the folds make of the whole log."""
    return asyncio.run(folded(broker))


@pytest.fixture
def load(broker: str, clickhouse: str, right: Folded) -> Callable[..., Loaded]:
    """Fills a fresh database with what the folds make of the log, as it is now without the records to `skip`."""

    def fill_database(skip: Skip | None = None) -> Loaded:
        name = f"verify_{uuid4().hex}"
        create_database(clickhouse, "default", "", name)
        client = connect(clickhouse, database=name)
        migrate(client)
        load_prices(client)
        store = Store(client)
        settings = Settings(
            kafka_bootstrap=broker, clickhouse_url=clickhouse, clickhouse_database=name, dedup_block_size=BLOCK_SIZE
        )
        loaded = Loaded(settings, client)
        for source, (rows, letters) in (asyncio.run(folded(broker, skip)) if skip else right).items():
            for table, changed in rows.items():
                if table != "end":
                    store.write(table, changed)
            store.write_positions([Position(source, rows["end"][0], NEVER, 1, "")])
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


def test_a_right_database_is_equal_everywhere(load: Callable[..., Loaded]) -> None:
    verdict = load().verify()
    assert differing(verdict) == {}
    assert verdict.unfinished == []
    assert verdict.exit_code == 0
    assert [topic.name for topic in verdict.topics] == sorted(TOPICS)
    assert all(topic.counted for topic in verdict.topics)
    assert sum(topic.duplicates for topic in verdict.topics) > 50
    names = {*CELL_TABLES, *(f"{name}, summed" for name in CELL_TABLES), "directory", "profiles", "attributions"}
    compared = {table.name: table.compared for table in verdict.tables}
    assert {name for name, rows in compared.items() if rows} == {*names, "tally.dead-letters", "spend", "active_users"}


def test_an_event_that_was_not_counted_is_named_by_its_offset(load: Callable[..., Loaded], broker: str) -> None:
    wanted = asyncio.run(first_of(broker, "tally.chat", b'"chat.message"'))
    verdict = load(lambda record: record[:3] == wanted[:3]).verify()
    assert verdict.exit_code == 1
    difference = only_difference(verdict, "chat_cells")
    assert wanted.offset in difference.offsets
    assert difference.expected is not None
    assert {"chat_cells", "chat_cells, summed"} <= differing(verdict).keys()


async def first_of(bootstrap: str, topic: str, needle: bytes) -> Record:
    async for _, _, read in records_of(bootstrap):
        for record in read:
            if record.topic == topic and needle in (record.value or b"")[:40]:
                return record
    raise AssertionError(f"the simulation made no {needle!r}")


@pytest.mark.parametrize("change", ["output_tokens + 1", "output_tokens * 2 + 1"])
def test_a_single_token_too_many_is_seen_in_the_cell_the_sum_and_the_money(
    load: Callable[..., Loaded], change: str
) -> None:
    loaded = load()
    insert_changed(loaded.client, "spend_cells", "output_tokens", change, "model LIKE 'claude%' AND output_tokens > 0")
    verdict = loaded.verify()
    assert differing(verdict).keys() == {"spend_cells", "spend_cells, summed", "spend"}
    cell = only_difference(verdict, "spend_cells")
    assert cell.expected is not None
    assert cell.found is not None
    assert cell.expected.keys() == cell.found.keys() == {"output_tokens"}
    assert len(cell.offsets) >= 1
    assert set(result(verdict, "spend").differences[0].found or {}) >= {"list_usd", "net_usd"}


def insert_changed(client: Client, table: str, column: str, change: str, where: str) -> None:
    """Write one settled row of `table` again, with another value in one column and the same stamp."""
    row = f"SELECT * FROM {table} FINAL WHERE {where} LIMIT 1"
    client.command(f"INSERT INTO {table} SELECT * REPLACE ({change} AS {column}) FROM ({row})")


@pytest.mark.parametrize("table", [name for name in CELL_TABLES if name != "minute_cells"])
def test_a_wrong_counter_is_seen_in_every_table(load: Callable[..., Loaded], table: str) -> None:
    loaded = load()
    counter = CELL_TABLES[table].counters[0]
    insert_changed(loaded.client, table, counter, f"{counter} + 1", "1")
    verdict = loaded.verify()
    assert result(verdict, table).different == 1
    assert result(verdict, f"{table}, summed").different == 1


def test_a_wrong_live_counter_is_seen(load: Callable[..., Loaded]) -> None:
    loaded = load()
    insert_changed(loaded.client, "minute_cells", "events", "events + 1", "minute > now() - INTERVAL 6 DAY")
    assert differing(loaded.verify()) == {"minute_cells": 1, "minute_cells, summed": 1}


def test_a_cell_of_nothing_is_unexpected(load: Callable[..., Loaded]) -> None:
    loaded = load()
    insert_changed(loaded.client, "file_cells", "actor_id", "generateUUIDv4()", "1")
    difference = only_difference(loaded.verify(), "file_cells")
    assert difference.expected is None
    assert difference.found is not None


def test_a_cell_of_a_source_that_the_log_does_not_have_is_unexpected(load: Callable[..., Loaded]) -> None:
    loaded = load()
    insert_changed(loaded.client, "file_cells", "source", "'tally.chat/9@0'", "1")
    assert only_difference(loaded.verify(), "unknown sources").key == {
        "table": "file_cells",
        "source": "tally.chat/9@0",
    }


@pytest.mark.parametrize(
    ("table", "column", "change", "where"),
    [
        ("directory", "detail", "replaceOne(detail, 'name', 'nome')", "type = 'group.saved'"),
        ("directory", "in_force_from", "in_force_from + INTERVAL 1 HOUR", "type = 'plan.changed'"),
        ("directory", "subject_id", "''", "type = 'member.joined'"),
        ("profiles", "email", "'eve@example.org'", "NOT forgotten"),
        ("profiles", "forgotten", "0", "forgotten"),
        ("attributions", "terminal", "'other'", "1"),
    ],
)
def test_a_wrong_row_is_seen(load: Callable[..., Loaded], table: str, column: str, change: str, where: str) -> None:
    loaded = load()
    insert_changed(loaded.client, table, column, change, where)
    assert result(loaded.verify(), table).different in (1, 2)


def test_a_wrong_view_is_seen(load: Callable[..., Loaded]) -> None:
    loaded = load()
    for view, wrong in (("spend", "net_usd * 2 AS net_usd"), ("active_users", "toDate(day + 1) AS day")):
        loaded.client.command(f"RENAME TABLE {view} TO right_{view}")
        loaded.client.command(f"CREATE VIEW {view} AS SELECT * REPLACE ({wrong}) FROM right_{view}")
    verdict = loaded.verify()
    assert differing(verdict).keys() == {"spend", "active_users"}
    assert set(result(verdict, "spend").differences[0].expected or {}) <= {"net_usd", "reported_net_usd"}


def test_a_source_that_is_behind_is_not_equal(load: Callable[..., Loaded]) -> None:
    loaded = load()
    loaded.client.command(
        "ALTER TABLE source_positions DELETE WHERE source = 'tally.chat/1@0' SETTINGS mutations_sync = 1"
    )
    verdict = loaded.verify()
    assert verdict.exit_code == 1
    assert any(line.startswith("tally.chat/1@0 is ") for line in verdict.unfinished)
    assert differing(verdict) == {}, "what is beyond the position must be left out, not called wrong"
    assert result(verdict, "chat_cells").moving


def test_a_position_beyond_the_end_of_the_log_is_told_and_its_rows_left_out(load: Callable[..., Loaded]) -> None:
    loaded = load()
    Store(loaded.client).write_positions([Position("tally.chat/1@0", 1_000_000, NEVER, 1, "")])
    verdict = loaded.verify()
    assert verdict.exit_code == 1
    assert any(line.startswith("tally.chat/1@0: it stands at offset 1000000") for line in verdict.unfinished)
    assert differing(verdict) == {}


def test_letters_too_few_too_many_and_wrong_are_named(load: Callable[..., Loaded], broker: str) -> None:
    """Last in this module: it leaves one more invalid record in the log, with its letter."""
    bad = Line("tally.chat", b"key", b"not JSON", "")
    asyncio.run(produce(broker, [bad]))
    loaded = load(lambda _record: False)
    missing = only_difference(loaded.verify(), "tally.dead-letters")
    assert missing.found is None
    assert (missing.expected or {})["record_value"] == b"not JSON"

    place = missing.key["place"]
    source, letter = next(each for each in loaded.letters if f"{each[0]}/{each[1].record.offset}" == place)
    right_letter = dead_letter(source, letter)
    wrong = letter._replace(record=LogRecord(letter.record.offset, letter.record.timestamp, b"key", b"other bytes"))
    asyncio.run(write_letters(broker, [dead_letter(source, wrong)]))
    assert only_difference(loaded.verify(), "tally.dead-letters").found == {"record_value": b"other bytes"}

    extra = letter._replace(record=LogRecord(0, letter.record.timestamp, b"key", b"a good record"))
    asyncio.run(write_letters(broker, [right_letter, right_letter, dead_letter(source, extra)]))
    unexpected = only_difference(loaded.verify(), "tally.dead-letters")
    assert unexpected.key == {"place": f"{source}/0"}
    assert unexpected.expected is None

    asyncio.run(produce(broker, [Line("tally.dead-letters", f"{source}/0".encode(), None, "")]))
    assert loaded.verify().exit_code == 0


async def write_letters(bootstrap: str, letters: Sequence[Any]) -> None:
    async with DeadLetterWriter(bootstrap) as writer:
        await writer.write(list(letters))
