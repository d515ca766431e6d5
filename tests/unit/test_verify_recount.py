"""The recount, by hand where a rule is told, and against the folds over a simulated life with poison."""

import random
import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.cell_tables import CELL_TABLES as DECLARED
from aggregators.cell_tables import ROW_TABLES
from aggregators.connectors import connector_key
from aggregators.deduplication import Horizon
from aggregators.source import Source
from simulation import Plan, simulate
from tests.support.fold_records import LogRecord
from verify import counting_rules
from verify.events import SCHEMAS
from verify.records import Record
from verify.recount import Options, Recount, normal, recount
from verify.scratch import Scratch
from verify.tables import ATTRIBUTION_COLUMNS, CELL_TABLES, NIL
from verify.validity import read_event

ROOT = Path(__file__).parents[2]
ORGANIZATION = "11111111-1111-4111-8111-111111111111"
ADA = "22222222-2222-4222-8222-222222222222"
CONVERSATION = "33333333-3333-4333-8333-333333333333"
NOON_MS = 1_772_366_400_000
"""2026-03-01T12:00:00Z, the log time of the records below."""


def event(kind: str = "chat.message", number: int = 1, **fields: Any) -> bytes:
    """A valid event; `number` makes its event_id."""
    plain = {
        "type": kind,
        "event_id": str(UUID(int=number)),
        "occurred_at": "2026-03-01T11:59:30Z",
        "organization_id": ORGANIZATION,
        "actor": {"type": "user", "id": ADA},
        "product": "chat",
        "conversation_id": CONVERSATION,
    }
    return orjson.dumps({**plain, **fields})


def records(*values: bytes | None, topic: str = "tally.chat", first: int = 0) -> list[Record]:
    return [Record(topic, 0, first + at, NOON_MS, ADA.encode(), value) for at, value in enumerate(values)]


def only_cell(counted: Recount, table: str) -> dict[str, Any]:
    ((key, (offset, *counters)),) = counted.cells[table].items()
    columns = CELL_TABLES[table]
    return {
        **dict(zip(columns.key_columns, key, strict=True)),
        **{name: count for name, count in zip(columns.counters, counters, strict=True) if count},
        "log_offset": offset,
    }


def test_a_message_counts_in_its_day_and_its_minute() -> None:
    counted = recount(records(event(thinking=True, web_searches=2), event(number=2)))
    assert only_cell(counted, "chat_cells") == {
        "source": "tally.chat/0@0",
        "organization_id": ORGANIZATION,
        "day": "2026-03-01",
        "actor_type": "user",
        "actor_id": ADA,
        "product": "chat",
        "surface": "",
        "project_id": NIL,
        "conversation_id": CONVERSATION,
        "messages": 2,
        "thinking_messages": 1,
        "web_searches": 2,
        "log_offset": 1,
    }
    assert only_cell(counted, "minute_cells")["minute"] == "2026-03-01 11:59:00"


def test_tokens_count_in_their_hour_under_their_attribution() -> None:
    value = event(
        "token.used",
        request_id="r",
        model="m",
        funding="usage_based",
        output_tokens=7,
        attribution={"is_remote": False},
    )
    counted = recount(records(value, topic="tally.token"))
    cell = only_cell(counted, "spend_cells")
    assert (cell["hour"], cell["requests"], cell["output_tokens"]) == ("2026-03-01 11:00:00", 1, 7)
    ((attribution_id, row),) = counted.attributions.items()
    assert cell["attribution_id"] == attribution_id
    assert dict(zip(ATTRIBUTION_COLUMNS, row, strict=True))["is_remote"] == 0


def test_what_befalls_an_artifact_later_counts_on_the_day_of_its_creation() -> None:
    value = event(
        "artifact.viewed", artifact_id=CONVERSATION, artifact_type="other", created_at="2026-02-03T23:59:59.9999999Z"
    )
    cell = only_cell(recount(records(value, topic="tally.artifact")), "artifact_cells")
    assert (cell["day"], cell["viewed"]) == ("2026-02-03", 1)


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2026-03-01T12:05:00Z", None),
        ("2026-03-01T12:05:00.000001Z", "in_the_future"),
        ("2025-01-01T00:00:00Z", None),
        ("2024-12-31T23:59:59.999999Z", "too_old"),
        ("2025-01-01T00:30:00+01:00", "too_old"),
        ("0001-01-01T00:00:00+00:01", "out_of_calendar"),
        ("2026-03-01T12:00:00", "schema"),
    ],
)
def test_when_an_event_may_have_happened(at: str, reason: str | None) -> None:
    counted = recount(records(event(occurred_at=at)))
    assert [letter.reason for letter in counted.letters.values()] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("offsets", "bytes_of", "verdicts"),
    [
        ([0, 1], "aa", "1d"),
        ([0, 9, 49], "aaa", "1dd"),
        ([0, 49], "aa", "1d"),
        ([0, 50], "aa", "11"),
        ([9, 50], "aa", "11"),
        ([10, 59], "aa", "1d"),
        ([0, 40, 89], "aaa", "1dd"),
        ([0, 1], "ab", "1c"),
        ([0, 1, 2], "aba", "1cc"),
        ([0, 1, 2], "abb", "1cc"),
        ([0, 45, 49], "abb", "1cc"),
        ([0, 45, 50, 95], "abbb", "1cdd"),
        ([0, 50], "ab", "11"),
    ],
)
def test_the_horizon_of_duplicates(offsets: list[int], bytes_of: str, verdicts: str) -> None:
    """Blocks of 10 offsets, 4 closed ones are remembered: 1 counts, d is a duplicate, c a conflict."""
    counted, seen = Recount(Options(block_size=10, blocks=4)), ""
    for offset, payload in zip(offsets, bytes_of, strict=True):
        before = counted.tallies["tally.chat"].counted if counted.tallies else 0, len(counted.letters)
        counted.add(Record("tally.chat", 0, offset, NOON_MS, None, event(surface="web" if payload == "a" else None)))
        tally = counted.tallies["tally.chat"]
        seen += "1" if tally.counted > before[0] else "c" if len(counted.letters) > before[1] else "d"
    assert seen == verdicts


def test_an_id_is_the_organizations_and_the_types_own() -> None:
    other = event(organization_id=str(UUID(int=77)))
    counted = recount(records(event(), other, event("chat.started", conversation_id=CONVERSATION), event()))
    assert (counted.tallies["tally.chat"].counted, counted.tallies["tally.chat"].duplicates) == (3, 1)


def test_a_repeat_beyond_the_horizon_is_named() -> None:
    counted = Recount(Options(block_size=10, blocks=4))
    for offset in (3, 50):
        counted.add(Record("tally.chat", 0, offset, NOON_MS, None, event()))
    scratch = Scratch()
    scratch.end_source(counted, "tally.chat/0@0", show=5)
    assert [(repeat.first, repeat.again) for repeat in scratch.repeats] == [(3, 50)]


def test_an_invalid_record_does_not_make_a_later_one_a_duplicate() -> None:
    counted = recount(records(event(occurred_at="2999-01-01T00:00:00Z"), event()))
    assert counted.tallies["tally.chat"].counted == 1
    assert list(counted.letters) == ["tally.chat/0@0/0"]


@pytest.mark.parametrize(("levels", "letters"), [(399, 0), (400, 1), (900, 1), (100_000, 1)])
@pytest.mark.parametrize("twice", [False, True])
def test_how_deep_a_record_may_nest(levels: int, letters: int, twice: bool) -> None:
    deep = b',"more":' + b"[" * levels + b"]" * levels + b',"more":1' * twice
    value = event(surface=None)[:-1] + deep + b',"text":"[[[[{{{{"}'
    assert len(recount(records(value)).letters) == letters
    source = Source("tally.chat", "tally.chat/0@0", 0, Horizon(10, 4))
    assert len(source.prepare(0, 1, [LogRecord(0, NOON_MS, None, value)]).letters) == letters


def test_a_tombstone_forgets_a_profile_and_is_a_dead_letter_elsewhere() -> None:
    profile = event("profile.updated", account_id=ADA, email="ada@example.org", name="Ada")
    counted = recount(records(profile, None, profile, None, topic="tally.profiles"))
    assert [(told.organization_id, told.account_id, told.forgotten, told.email) for told in counted.profiles] == [
        (ORGANIZATION, ADA, 0, "ada@example.org"),
        (NIL, ADA, 1, ""),
        (NIL, ADA, 1, ""),
    ]
    assert [letter.reason for letter in recount(records(None)).letters.values()] == ["empty"]


def test_traced_cells_name_their_offsets() -> None:
    plain = recount(records(event(), event(number=2), event(number=2), event(number=3, conversation_id=ADA)))
    keys = {("chat_cells", key): None for key in plain.cells["chat_cells"]}
    traced = recount(
        records(event(), event(number=2), event(number=2), event(number=3, conversation_id=ADA)), Options(trace=keys)
    )
    assert sorted(trace.offsets for trace in traced.traced.values()) == [[0, 1], [3]]


@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from([*" _-./:+", "mcp", "MCP", "server", "Atlassian", "é"])).map("".join)
)
def test_connectors_are_named_as_the_folds_name_them(name: str) -> None:
    if name:
        assert counting_rules.connector_key(name) == connector_key(name)


def test_the_tables_are_declared_twice_the_same() -> None:
    assert [(table.key_columns, table.counters) for table in CELL_TABLES.values()] == [
        (("source", "organization_id", declared.window, *declared.key), declared.counters) for declared in DECLARED
    ]
    assert ROW_TABLES["attributions"] == ATTRIBUTION_COLUMNS


def test_nothing_of_it_comes_from_the_folds_or_the_contract() -> None:
    sources = {path.name: path.read_text() for path in Path(counting_rules.__file__).parent.glob("*.py")}
    assert len(sources) > 15
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    others = "|".join(name for name in packages if name != "verify")
    imported = re.compile(rf"^\s*(?:from|import) (?:{others})\b", re.MULTILINE)
    assert [name for name, text in sources.items() if imported.search(text)] == []


# --- against the folds ---------------------------------------------------------------------------------------


def simulated(seed: int, partitions: int = 2) -> list[Record]:
    """A simulated log: records with duplicates, late events and poison of every kind, on several partitions."""
    plan = Plan(
        until=date(2026, 11, 20), seed=seed, organizations=5, users=30, days=9, duplicates=0.05, late=0.05, poison=0.1
    )
    now = 1_795_000_000_000
    ends: dict[tuple[str, int], int] = {}
    log = []
    for number, line in enumerate(simulate(plan)):
        place = line.topic, sum(line.key) % partitions
        offset = ends.get(place, 0)
        ends[place] = offset + 1 + (number % 97 == 0)
        log.append(Record(*place, offset, now + number, line.key, line.value))
    return log


def folded(log: Iterable[Record], options: Options, batch: int) -> tuple[dict[str, Any], dict[str, Any], int]:
    """(rows of every table by key, letters by place, duplicates), as the folds make them."""
    by_source: dict[tuple[str, int], list[Record]] = {}
    for record in log:
        by_source.setdefault((record.topic, record.partition), []).append(record)
    rows: dict[str, Any] = {name: {} for name in (*CELL_TABLES, *ROW_TABLES)}
    letters, duplicates = {}, 0
    for (topic, partition), of_source in by_source.items():
        name = f"{topic}/{partition}@0"
        source = Source(topic, name, 0, Horizon(options.block_size, options.blocks))
        for start in range(0, len(of_source), batch):
            apply(source, of_source[start : start + batch])
            snapshot = source.snapshot()
            letters.update({f"{name}/{letter.record.offset}": letter for letter in snapshot.rejected})
            for table, changed in snapshot.rows.items():
                rows[table].update(keyed(table, changed))
        duplicates += source.duplicates
    return rows, letters, duplicates


def apply(source: Source, of_batch: Sequence[Record]) -> None:
    taken = [LogRecord(each.offset, each.timestamp_ms, each.key, each.value) for each in of_batch]
    prepared = source.prepare(source.cursor, taken[-1].offset + 1, taken)
    for declaration, pages in prepared.missing.items():
        source.load(declaration, pages, ())
    source.apply(prepared)


def keyed(table: str, changed: Iterable[Sequence[Any]]) -> dict[Any, Any]:
    if table in CELL_TABLES:
        width = len(CELL_TABLES[table].key_columns)
        return {tuple(row[:width]): list(row[width:]) for row in changed}
    keys = {"directory": lambda row: row[-2:], "profiles": lambda row: row[-2:]}
    return {keys.get(table, lambda row: row[0])(row): row for row in changed}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("block_size", [16, 65_536])
def test_it_counts_what_the_folds_count(seed: int, block_size: int) -> None:
    options = Options(block_size=block_size)
    log = simulated(seed)
    counted = recount(log, options)
    rows, letters, duplicates = folded(log, options, batch=random.Random(seed).randint(50, 500))
    for table in CELL_TABLES:
        assert counted.cells[table] == rows[table], table
    assert counted.attributions == {key: tuple(map(plain, row)) for key, row in rows["attributions"].items()}
    assert {(told.source, told.log_offset): tuple(told) for told in counted.profiles} == {
        key: told_by(*row) for key, row in rows["profiles"].items()
    }
    assert {key: said(entry) for key, entry in counted.directory.items()} == {
        key: stored(row) for key, row in rows["directory"].items()
    }
    assert conflicts(counted.letters) == conflicts(letters)
    assert sum(tally.duplicates for tally in counted.tallies.values()) == duplicates
    assert counted.letters
    assert duplicates


def conflicts(letters: dict[str, Any]) -> dict[str, bool]:
    """Where letters are, and which are conflicts: apart from that the words for a reason may differ."""
    return {place: letter.reason == "conflict" for place, letter in letters.items()}


def plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else tuple(value) if isinstance(value, list) else value


def told_by(*row: Any) -> tuple[Any, ...]:
    """A row of profiles in the order in which verify has it."""
    organization, account, email, name, forgotten, event_id, occurred_at, logged_at, source, offset = row
    at = occurred_at if not forgotten else f"{occurred_at}000"
    return organization, account, forgotten, source, email, name, event_id, at, logged_at, offset


def said(entry: Any) -> Any:
    return entry.organization_id, entry.type, entry.subject_id, entry.event, entry.logged_at


def stored(row: Sequence[Any]) -> Any:
    kind, found = read_event("tally.directory", row[4].encode())
    return row[0], row[1], row[3], normal("tally.directory", kind, found), row[7]


def test_the_simulated_log_holds_every_topic() -> None:
    assert {record.topic for record in simulated(0)} == set(SCHEMAS)
