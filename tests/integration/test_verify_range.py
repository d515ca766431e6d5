"""`tally verify` of a range, and of one event too many or too few: which cell differs, and by which offset."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.incidents import remove_before, tally
from tests.support.verify_fixtures import BLOCK_SIZE, Loaded, differing, first_of, only_difference, records_of, result
from verify import TimeRange
from verify.log import open_log
from verify.records import Record
from verify.tables import CELL_TABLES
from verify.time_range import span_of

pytestmark = pytest.mark.slow

TOKENS = CELL_TABLES["spend_cells"].counters[1:6]


def day_of(at: str) -> TimeRange:
    """The day of a window's text."""
    day = datetime.fromisoformat(at[:10]).replace(tzinfo=UTC)
    return TimeRange(day, day + timedelta(days=1))


def count_again(loaded: Loaded, broker: str) -> tuple[Record, str]:
    """Write one cell once more, with its last record's amounts in it twice; gives that record and the cell's hour."""
    asked = "SELECT source, log_offset, toString(hour) FROM spend_cells FINAL WHERE output_tokens > 0 AND requests > 1"
    source, offset, hour = loaded.client.query(f"{asked} LIMIT 1").result_rows[0]
    record = asyncio.run(record_at(broker, source.partition("@")[0], offset))
    event = orjson.loads(record.value or b"")
    amounts = {"requests": 1, **{name: event.get(name, 0) for name in TOKENS}}
    changes = ", ".join(f"{name} + {amount} AS {name}" for name, amount in amounts.items())
    row = f"SELECT * FROM spend_cells FINAL WHERE source = '{source}' AND log_offset = {offset}"
    loaded.client.command(f"INSERT INTO spend_cells SELECT * REPLACE ({changes}) FROM ({row})")
    return record, hour


async def record_at(bootstrap: str, place: str, offset: int) -> Record:
    """The record at an offset of `topic/partition`."""
    async for name, _, read in records_of(bootstrap):
        for record in read:
            if name == place and record.offset == offset:
                return record
    raise AssertionError(f"{place} has no offset {offset}")


def test_an_event_that_was_counted_twice_is_named_by_its_offset(load: Callable[..., Loaded], broker: str) -> None:
    loaded = load()
    record, _ = count_again(loaded, broker)
    difference = only_difference(loaded.verify(), "spend_cells")
    assert difference.key["source"] == f"tally.token/{record.partition}@0"
    assert record.offset in difference.explaining
    assert (difference.found or {})["requests"] == (difference.expected or {})["requests"] + 1
    assert difference.events == (difference.expected or {})["requests"]


def test_an_event_that_was_not_counted_explains_the_difference(load: Callable[..., Loaded], broker: str) -> None:
    wanted = asyncio.run(first_of(broker, "tally.chat", b'"chat.message"'))
    verdict = load(lambda record: record[:3] == wanted[:3]).verify()
    found = result(verdict, "chat_cells").differences[0]
    assert wanted.offset in (found.explaining if found.found else found.offsets)


def test_a_range_finds_what_is_wrong_in_it_and_leaves_out_the_rest(load: Callable[..., Loaded], broker: str) -> None:
    loaded = load()
    _, hour = count_again(loaded, broker)
    assert differing(loaded.verify(span=day_of(hour))).keys() == {"spend_cells", "spend_cells, summed", "spend"}
    start = datetime.fromisoformat(hour).replace(tzinfo=UTC)
    within = loaded.verify(span=TimeRange(start, start + timedelta(hours=1)))
    assert differing(within) == {"spend_cells": 1, "spend_cells, summed": 1}
    for span in (TimeRange(until=start), TimeRange(since=start + timedelta(hours=1))):
        verdict = loaded.verify(span=span)
        assert verdict.exit_code == 0, verdict.as_json()
        assert 0 < result(verdict, "spend_cells").compared < result(loaded.verify(), "spend_cells").compared


def test_the_command_takes_a_range_and_refuses_what_is_no_whole_hour(load: Callable[..., Loaded]) -> None:
    settings = load().settings
    done = tally(settings, "verify", "--wait", "0", "--from", "2025-01-01", "--to", "2025-01-02T03", "--json")
    assert done.returncode == 0, done.stderr
    tables = {table["name"] for table in orjson.loads(done.stdout)["tables"]}
    assert {"spend_cells", "spend"} <= tables
    assert not {"profiles", "active_users", "tally.dead-letters"} & tables
    refused = tally(settings, "verify", "--from", "2025-01-01T00:30")
    assert (refused.returncode, "is not a whole UTC hour or day" in refused.stderr) == (2, True)


async def log_of_hours(bootstrap: str) -> tuple[str, int]:
    """A topic whose records bear log times an hour apart, and the first one's."""
    topic, first = f"hours-{uuid4().hex}", 1_795_000_000_000
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await admin.start()
    await producer.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    for number in range(5):
        await producer.send_and_wait(topic, b"x", partition=0, timestamp_ms=first + number * 3_600_000)
    await producer.stop()
    await admin.close()
    return topic, first


def test_reading_begins_at_the_first_record_of_a_moment_or_at_the_end(broker: str) -> None:
    async def found() -> list[int]:
        topic, first = await log_of_hours(broker)
        async with open_log(broker, {}) as log:
            moments = [first - 1, first, first + 1, first + 3 * 3_600_000, first + 9 * 3_600_000]
            return [(await log.first_since([(topic, 0)], moment))[topic, 0] for moment in moments]

    assert asyncio.run(found()) == [0, 0, 1, 3, 5]


@pytest.mark.parametrize("text", ["2026-13-01", "tomorrow", "2026-11-01T05:30", "2026-11-01T05:00:00.000001"])
def test_what_is_no_hour_is_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"is not a whole UTC hour or day"):
        span_of(text, None)


def test_a_log_without_its_beginning_is_compared_from_where_it_has_all(
    load: Callable[..., Loaded], broker: str
) -> None:
    """Last in this module: it takes records away."""
    loaded = load()
    [(place, end)] = loaded.client.query(LONGEST).result_rows
    topic, _, partition = place.partition("@")[0].partition("/")
    assert end > 6 * BLOCK_SIZE, "the log is too short for a horizon that does not reach its beginning"
    remove_before(loaded.settings, topic, int(partition), 10)
    whole = loaded.verify()
    assert any(line.startswith(f"{place}: its log begins at offset 10") for line in whole.unfinished)
    later = loaded.verify(span=day_of((datetime.now(UTC) + timedelta(days=2)).isoformat()))
    assert later.exit_code == 0, "nothing of that range needs what was removed"


LONGEST = """
SELECT source, max(next_offset) AS end FROM source_positions
WHERE source NOT LIKE '%directory%' AND source NOT LIKE '%profiles%' GROUP BY source ORDER BY end DESC LIMIT 1
"""
