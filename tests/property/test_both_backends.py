"""Whatever bytes a record has: the compiled form gives the cells, rows, letters and repeats that the pure form gives.

Logs begin with valid events, so that the compiled reader has learnt their parts, and go on with what was made of
them: other values, fields in another order or twice, spaces, bytes changed, left out, put in, cut off.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators import token_decoder
from aggregators.deduplication import Horizon
from aggregators.source import Source, mark_flushed
from tally_client.events import TOKEN
from tally_client.events.envelope import MAX_COUNT
from tests.support.backends import FORMS
from tests.support.fold_records import LOG_MS, NIL, LogRecord, token, uuid

if len(FORMS) == 1:
    pytest.skip("the compiled form is not built", allow_module_level=True)

ATTRIBUTIONS = [
    None,
    {},
    {"session_id": uuid(30)},
    {"workspace_id": uuid(31), "skills": ["a", "b"], "is_remote": True},
    {"terminal": "x{y}", "slack_channel_id": 'C"1'},
]
VALUES: dict[str, list[Any]] = {
    "organization_id": [uuid(1), uuid(2), uuid(1).upper(), "short", 7, NIL],
    "actor": [{"type": "user", "id": uuid(3)}, {"id": uuid(3), "type": "user"}, {"type": "api_key", "id": uuid(4)}, {}],
    "product": ["chat", "claude_code", None, "nothing"],
    "surface": ["web", None, "moon"],
    "funding": ["usage_based", "extra_usage", "gift"],
    "attribution": ATTRIBUTIONS,
    "request_id": ["r", "r" * 128, "r" * 129, "", "é", "\\", None],
    "model": ["m", "claude", "", "模型", "m\u0000", "a\tb"],
    "service_tier": ["batch", "standard", None],
    "context_window": ["0-200k", None],
    "inference_geo": ["us", None],
    "speed": ["fast", "slow"],
    "uncached_input_tokens": [0, 1, MAX_COUNT, MAX_COUNT + 1, -1, 1.0, 1.5, 10**30, None, "1", True],
    "output_tokens": [0, 5, 999_999_999, -0.0, 1e3],
    "web_search_requests": [0, 3],
    "cache_read_input_tokens": [0, 90_000],
    "cache_creation_5m_input_tokens": [2],
    "cache_creation_1h_input_tokens": [3],
    "occurred_at": [
        "2026-03-01T12:00:00Z", "2026-03-01T11:59:59.123456+00:00", "2026-02-28T23:59:59Z", "2026-02-29T00:00:00Z",
        "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z", "2026-03-01T12:00:31Z", "2026-03-01T12:01:00Z",
        "2026-03-01T12:05:30Z", "2026-03-01T12:05:30.000001Z", "2026-03-01T12:00:00.9999999Z", "2026-02-22T12:00:00Z",
        "2026-02-22T11:59:59Z", "2026-03-01T14:00:00+02:00", "2026-03-01T12:00:00-00:00", "2026-03-01t12:00:00z",
        "2026-03-01 12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:60Z", "2026-03-01T12:00:00.Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "2026-03-01T12:00:00", 1772366400,
    ],
    "type": ["token.used", "execution.used", "token.unknown", None],
    "unknown": [1, [{"deep": [1]}]],
    "event_id": ["short", uuid(1), "é" * 36, "x" * 36, "x" * 37],
}  # fmt: skip
RARE = 0.05
NOT_OFTEN = ("unknown", "event_id")
BYTES = b'{}[]",:\\ \n\x00\x1f\x7f\x80\xff0123456789.-+eEtTzZnulabc'


def an_event(dice: Random, number: int, shapes: Sequence[Sequence[str]]) -> dict[str, Any]:
    """One event, most of them valid, with the fields of one of the shapes."""
    event = token(event_id=uuid(1000 + number))
    for name in dice.choice(shapes):
        event[name] = VALUES[name][0] if dice.random() > RARE else dice.choice(VALUES[name])
    if dice.random() < RARE:
        event["event_id"] = uuid(1000 + dice.randrange(number + 1))
    if dice.random() < RARE:
        event.pop(dice.choice(list(event)))
    names = list(event)
    if dice.random() < 0.3:
        dice.shuffle(names)
    return {name: event[name] for name in names}


def spoilt(dice: Random, value: bytes) -> bytes:
    """The same bytes, somewhere changed."""
    at, length = dice.randrange(len(value) + 1), dice.choice((0, 1, 1, 2, 9))
    put = bytes(dice.choice(BYTES) for _ in range(dice.choice((0, 1, 1, 3))))
    return dice.choice((value[:at], value[at:], value[:at] + put + value[at + length :], value + put))


def a_log(dice: Random, count: int) -> list[LogRecord]:
    """Records of which the latter half is made of the former."""
    values: list[bytes] = []
    shapes = [[name for name in VALUES if dice.random() < 0.3 and name not in NOT_OFTEN] for _ in range(4)]
    shapes += [list(VALUES)]
    for number in range(count):
        blanks = dice.choice(((",", ":"), (", ", ": "), (" ,\n", "\t:\r")))
        fresh = json.dumps(an_event(dice, number, shapes), separators=blanks, ensure_ascii=dice.random() < 0.5).encode()
        values.append(fresh if number < count // 2 or dice.random() < 0.5 else spoilt(dice, dice.choice(values)))
    return [
        LogRecord(offset, LOG_MS + dice.choice((0, 0, 30_000, -60_000)), None, value)
        for offset, value in enumerate(values)
    ]


def outcome(compiled: bool, log: Sequence[LogRecord], piece: int, place: int) -> Any:
    """All that comes of a log, and how many events stood in columns."""
    source = Source(TOKEN, "s", place, Horizon(64, 1), compiled=compiled)
    source.cursor, in_columns, missing = 0, 0, []
    for start in range(0, len(log), piece):
        prepared = source.prepare(start, min(start + piece, len(log)), log[start : start + piece])
        in_columns += sum(len(each.offsets) for columns in prepared.columns.values() for each in columns)
        missing.append(prepared.missing)
        source.apply(prepared)
        if start // piece % 3 == 0:
            source.snapshot()
    snapshot = source.snapshot()
    rows = {name: list(rows) for name, rows in snapshot.rows.items()}
    letters = [(letter.record.offset, letter.reason, letter.detail) for letter in snapshot.rejected]
    pages = {table.declaration.name: set(table.pages) for table in source.tables.values()}
    return (rows, letters, pages, missing, source.duplicates, source.next_offset, source.last_record), in_columns


def assert_same(log: Sequence[LogRecord], piece: int, place: int = 0) -> int:
    """The forms come to the same; gives how many events stood in columns."""
    pure, none = outcome(False, log, piece, place)
    in_columns: int
    compiled, in_columns = outcome(True, log, piece, place)
    assert compiled == pure
    assert none == 0
    return in_columns


@pytest.mark.parametrize("seed", range(60))
def test_any_log_comes_to_the_same(seed: int) -> None:
    dice = Random(seed)
    log = a_log(dice, 400)
    in_columns = assert_same(log, dice.choice((7, 50, 400)), dice.choice((0, 0, 130)))
    assert in_columns > 50, "what is declined is not tested here"


def test_a_part_that_means_something_else_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    learn = token_decoder.TokenReader._learn

    def learn_wrong(self: Any, value: bytes, folded: Any) -> None:
        learn(self, value.replace(b'"fast"', b'"slow"'), folded)

    monkeypatch.setattr(token_decoder.TokenReader, "_learn", learn_wrong)
    with pytest.raises(AssertionError):
        assert_same(a_log(Random(3), 400), 50)


EDITS = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 9), st.binary(max_size=4)), max_size=3)
LEARNT = [record.value or b"" for record in a_log(Random(1), 40)]


@given(st.lists(st.tuples(st.integers(0, len(LEARNT) - 1), EDITS), max_size=20), st.lists(st.binary(), max_size=5))
def test_any_bytes_come_to_the_same(edited: list[tuple[int, Any]], others: list[bytes]) -> None:
    values = [*LEARNT]
    for number, edits in edited:
        value = LEARNT[number]
        for at, length, put in edits:
            value = value[:at] + put + value[at + length :]
        values.append(value)
    values += others
    assert_same([LogRecord(offset, LOG_MS, None, value) for offset, value in enumerate(values)], 7)


def test_a_record_cut_off_anywhere_comes_to_the_same() -> None:
    whole = [value for value in LEARNT if value.endswith(b"}")][:10]
    for value in whole:
        pieces = [value, *(value[:end] for end in range(len(value))), *(value[start:] for start in range(len(value)))]
        assert_same([LogRecord(offset, LOG_MS, None, each) for offset, each in enumerate(pieces)], 100)


def test_a_log_of_a_far_century_comes_to_the_same() -> None:
    log = []
    for offset, year in enumerate((2026, 2026, 8165, 8166, 8167, 9000, 9999, 9999)):
        moment = datetime(year, 12, 31, 12, tzinfo=UTC)
        value = json.dumps(token(event_id=uuid(offset), occurred_at=moment.isoformat())).encode()
        log.append(LogRecord(offset, int(moment.timestamp() * 1000), None, value))
    assert_same(log, 1)


def people_at_work(people: int, times: int) -> list[LogRecord]:
    """Each person once, one after the other, so many times."""
    actors = [{"type": "user", "id": uuid(500 + number)} for number in range(people)] * times
    values = [json.dumps(token(event_id=uuid(at), actor=actor)).encode() for at, actor in enumerate(actors)]
    return [LogRecord(offset, LOG_MS, None, value) for offset, value in enumerate(values)]


def test_a_part_is_known_from_its_second_record_on_in_the_same_batch_too() -> None:
    log = people_at_work(3, times=4)
    tables = 2
    assert assert_same(log, len(log)) == tables * (len(log) - 3)


def test_as_many_parts_are_remembered_as_there_are_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a worker that counts many people would learn them again and again."""
    monkeypatch.setattr(token_decoder, "REMEMBERED", 10)
    log = people_at_work(50, times=4)
    assert assert_same(log, 50) == 2 * 3 * 50


@pytest.mark.parametrize("remembered", [0, 3])
def test_a_reader_that_forgets_comes_to_the_same(monkeypatch: pytest.MonkeyPatch, remembered: int) -> None:
    monkeypatch.setattr(token_decoder, "REMEMBERED", remembered)
    assert_same(a_log(Random(2), 400), 7)


def test_a_reader_forgets_cells_that_were_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_decoder, "REMEMBERED", 100)
    source = Source(TOKEN, "s", 0, Horizon(64, 1), compiled=True)

    def reader_of() -> Any:
        return source._reader._tokens  # type: ignore[attr-defined]  # of the compiled reader alone

    counts = []
    for offset in range(2_000):
        event = token(event_id=uuid(offset), model=f"m{offset % 2}", actor={"type": "user", "id": uuid(offset % 90)})
        event["occurred_at"] = f"2026-02-{1 + offset // 100:02d}T{offset % 24:02d}:00:00Z"
        value = json.dumps(event).encode()
        prepared = source.prepare(offset, offset + 1, [LogRecord(offset, LOG_MS, None, value)])
        for declaration, pages in prepared.missing.items():
            source.load(declaration, pages, [])
        source.apply(prepared)
        mark_flushed(source.snapshot())
        source.evict(3)
        counts.append(reader_of().parts + reader_of().spend_cells + reader_of().live_cells)
    assert max(counts) <= 2 * 100 + 2 * 20
    assert source.open_cells <= 10
