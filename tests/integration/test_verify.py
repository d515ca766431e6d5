"""`tally verify` over a real Kafka and ClickHouse: equal when all is right, and it names whatever is wrong."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from deploy.worker import dead_letter
from intake.ndjson import ProducerRecord
from sinks.positions import NO_WATERMARK, Position
from sinks.store import Store
from streams.dead_letters import DeadLetterWriter
from tests.support.fold_records import LogRecord
from tests.support.verify_fixtures import Loaded, differing, first_of, insert_changed, only_difference, produce, result
from verify.recount import TOPICS
from verify.tables import CELL_TABLES


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
    assert {name for name, rows in compared.items() if rows} == {
        *names,
        "tally.dead-letters",
        "spend",
        "active_users",
        "people",
        "directory views",
    }


def test_an_event_that_was_not_counted_is_named_by_its_offset(load: Callable[..., Loaded], broker: str) -> None:
    wanted = asyncio.run(first_of(broker, "tally.chat", b'"chat.message"'))
    verdict = load(lambda record: record[:3] == wanted[:3]).verify()
    assert verdict.exit_code == 1
    difference = only_difference(verdict, "chat_cells")
    assert wanted.offset in difference.offsets
    assert difference.expected is not None
    assert {"chat_cells", "chat_cells, summed"} <= differing(verdict).keys()


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


def test_a_wrong_counter_is_seen_in_every_table(load: Callable[..., Loaded]) -> None:
    loaded = load()
    tables = [name for name in CELL_TABLES if name != "minute_cells"]
    for table in tables:
        counter = CELL_TABLES[table].counters[0]
        insert_changed(loaded.client, table, counter, f"{counter} + 1", "1")
    found = differing(loaded.verify())
    for table in tables:
        assert (found.get(table), found.get(f"{table}, summed")) == (1, 1), table


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
    wrongs = {"spend": "net_usd * 2 AS net_usd", "active_users": "toDate(day + 1) AS day", "people": "'' AS name"}
    wrongs |= {"group_names": "'' AS name"}
    for view, wrong in wrongs.items():
        loaded.client.command(f"RENAME TABLE {view} TO right_{view}")
        loaded.client.command(f"CREATE VIEW {view} AS SELECT * REPLACE ({wrong}) FROM right_{view}")
    verdict = loaded.verify()
    assert differing(verdict).keys() == {"spend", "active_users", "people", "directory views"}
    views = {difference.key["view"] for difference in result(verdict, "directory views").differences}
    assert views == {"group_names"}
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
    Store(loaded.client).write_positions([Position("tally.chat/1@0", 1_000_000, NO_WATERMARK, 1, "")])
    verdict = loaded.verify()
    assert verdict.exit_code == 1
    assert any(line.startswith("tally.chat/1@0: its position is 1000000") for line in verdict.unfinished)
    assert differing(verdict) == {}


def test_letters_too_few_too_many_and_wrong_are_named(load: Callable[..., Loaded], broker: str) -> None:
    """Last in this module: it leaves one more invalid record in the log, with its letter."""
    bad = ProducerRecord("tally.chat", b"key", b"not JSON", "")
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

    asyncio.run(produce(broker, [ProducerRecord("tally.dead-letters", f"{source}/0".encode(), None, "")]))
    assert loaded.verify().exit_code == 0


async def write_letters(bootstrap: str, letters: Sequence[Any]) -> None:
    async with DeadLetterWriter(bootstrap) as writer:
        await writer.write(list(letters))
