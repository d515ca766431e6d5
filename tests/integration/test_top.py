"""`tally top` and `tally positions list` over a real Kafka and ClickHouse: what they show is what the tables hold."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from aggregators.source import FOLD_VERSION
from deploy.connections import open_store
from deploy.settings import Settings
from deploy.top import as_json, render, take_snapshot
from deploy.up import prepare
from sinks.positions import Position
from sinks.store import Store
from tally_client.events import EVENTS_BY_TOPIC
from tests.support.incidents import tally

pytestmark = pytest.mark.slow

ACME, OTHER = (str(uuid4()) for _ in range(2))
NAME = "Acme [bold] \x1b[2J Inc."
MINUTES = {0: 3, 2: 5, 20: 1000}
"""Minutes ago to events of ACME's model; the last is too long ago to be shown."""


@pytest.fixture(scope="module")
def settings(own_kafka: str, clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A database of the module's own, with live counters of two organizations."""
    found = Settings(
        kafka_bootstrap=own_kafka,
        clickhouse_url=clickhouse,
        clickhouse_database=f"top_{uuid4().hex}",
        data_dir=tmp_path_factory.mktemp("top"),
    )
    prepare(found)
    store = open_store(found)
    now = datetime.now(UTC)
    for ago, events in MINUTES.items():
        minute = (now - timedelta(minutes=ago)).strftime("%Y-%m-%d %H:%M:00")
        # source, organization, minute, product, model, log_offset, events, requests, five token classes
        store.write("minute_cells", [("tally.token/0@0", ACME, minute, "chat", "m-1", 9, events, 2, 10, 20, 30, 40, 7)])
        store.write("minute_cells", [("tally.chat/0@0", OTHER, minute, "", "", 9, 1, 0, 0, 0, 0, 0, 0)])
    moment, detail = "2026-01-01 00:00:00", json.dumps({"name": NAME})
    founded = (ACME, "organization.created", moment, "", detail, "e", moment, moment, "tally.directory/0@0", 1)
    store.write("directory", [founded])
    return found


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """The store, with no position in it."""
    found = open_store(settings)
    found.client.command("TRUNCATE TABLE source_positions")
    yield found
    found.client.close()


def test_rows_are_the_live_counters_of_the_last_minutes(settings: Settings, store: Store) -> None:
    frame = take_snapshot(settings, 5)
    assert [(row.organization_id, row.organization, row.product, row.model) for row in frame.rows] == [
        (ACME, NAME, "chat", "m-1"),
        (OTHER, "", "", ""),
    ]
    acme = frame.rows[0]
    assert (acme.events, acme.requests, acme.prompt_tokens, acme.output_tokens) == (8, 4, 200, 14)
    elapsed = (frame.at - frame.since).total_seconds() / 60
    assert 5 <= elapsed < 6
    assert as_json(frame)["rows"][0]["events_per_minute"] == round(8 / elapsed, 1)


def test_freshness_is_that_of_the_slowest_source_and_unknown_without_it(settings: Settings, store: Store) -> None:
    assert (take_snapshot(settings, 5).watermark, take_snapshot(settings, 5).lag) == (None, 0)
    early, late = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)
    sources = [standing.source for standing in take_snapshot(settings, 5).standings]
    assert len(sources) >= len(EVENTS_BY_TOPIC)
    store.write_positions([Position(source, 0, late, FOLD_VERSION, "") for source in sources[1:]])
    assert take_snapshot(settings, 5).watermark is None, "one source proved nothing yet"
    store.write_positions([Position(sources[0], 0, early, FOLD_VERSION, "")])
    assert take_snapshot(settings, 5).watermark == early


def test_a_source_outside_its_log_is_shown(settings: Settings, store: Store) -> None:
    store.write_positions([Position("tally.chat/1@0", 10**9, datetime.now(UTC), FOLD_VERSION, "")])
    frame = take_snapshot(settings, 5)
    assert frame.stuck == ["tally.chat/1@0"]
    assert "stopped: tally.chat/1@0" in picture(settings)


def picture(settings: Settings, rows: int = 10) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(render(take_snapshot(settings, 5), rows))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_terminal_shows_names_as_they_are_and_says_what_it_hides(settings: Settings, store: Store) -> None:
    assert "Acme [bold] \N{REPLACEMENT CHARACTER}[2J Inc." in picture(settings)
    assert "lag 0" in picture(settings)
    assert "tables are complete until an unknown time" in picture(settings)
    assert "and 1 more rows" in picture(settings, rows=1)


def test_scripts_get_json(settings: Settings, store: Store, tmp_path: Path) -> None:
    answer = tally(settings, "top", "--once", "--json", "--minutes", "30")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert {row["organization"]: row["events"] for row in found["rows"]} == {NAME: 1008, None: 3}
    assert (found["lag"], found["data_refreshed_at"], found["stuck"]) == (0, None, [])
    positions = json.loads(tally(settings, "positions", "list", "--json").stdout)
    assert {one["source"].split("/")[0] for one in positions} == set(EVENTS_BY_TOPIC)
    assert all((one["next_offset"], one["lag"], one["watermark"]) == (0, 0, None) for one in positions)
