"""Records to text and back: byte for byte, whole files or none, and errors that say where."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from files.errors import FileError
from intake.ndjson import LONGEST_LINE, NdjsonError, ProducerRecord, read_lines, read_ndjson, write_ndjson
from simulation import POISONS, Plan, simulate

PLAN = Plan(until=date(2026, 11, 20), users=50, days=10, intensity=0.6, duplicates=0.05, late=0.05, poison=0.05)
ACTOR = {"type": "user", "id": "11111111-1111-4111-a111-111111111111"}
EVENT = {
    "type": "chat.started",
    "event_id": "22222222-2222-4222-a222-222222222222",
    "occurred_at": "2026-11-01T00:00:00Z",
    "organization_id": "33333333-3333-4333-a333-333333333333",
    "actor": ACTOR,
    "conversation_id": "44444444-4444-4444-a444-444444444444",
}


@pytest.fixture(scope="module")
def lines() -> list[ProducerRecord]:
    """A history with everything in it."""
    return list(simulate(PLAN))


def test_what_is_read_is_what_was_written(lines: list[ProducerRecord], tmp_path: Path) -> None:
    told: list[int] = []
    path = tmp_path / "events.ndjson"
    assert write_ndjson(lines, path, told.append) == len(lines) == sum(told)
    assert [line[:3] for line in read_ndjson(path)] == [line[:3] for line in lines]
    assert [each.name for each in tmp_path.iterdir()] == ["events.ndjson"]


def test_events_are_written_as_they_are_and_only_the_rest_is_wrapped(
    lines: list[ProducerRecord], tmp_path: Path
) -> None:
    path = tmp_path / "events.ndjson"
    write_ndjson(lines, path)
    texts = path.read_bytes().split(b"\n")[:-1]
    assert len(texts) == len(lines)
    pairs = list(zip(texts, lines, strict=True))
    wrapped = [(text, line) for text, line in pairs if text.startswith(b'{"$topic":')]
    assert len(wrapped) < 0.05 * len(texts)
    assert all(text == line.value for text, line in pairs if not text.startswith(b'{"$topic":'))
    assert any(line.topic == "tally.profiles" and line.value is None for _, line in wrapped)


@pytest.mark.parametrize("kind", sorted(POISONS))
def test_every_kind_of_poison_survives(kind: str, tmp_path: Path) -> None:
    event = {**EVENT, "type": "token.used", "funding": "usage_based", "request_id": "r", "model": "m"}
    path = tmp_path / "poison.ndjson"
    line = POISONS[kind](event)
    write_ndjson([line], path)
    assert [each[:3] for each in read_ndjson(path)] == [line[:3]]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b" "])
def test_a_value_that_ends_like_a_line_keeps_its_end(end: bytes, tmp_path: Path) -> None:
    line = ProducerRecord("tally.chat", ACTOR["id"].encode(), json.dumps(EVENT).encode() + end, "2026-11-01T00:00:00Z")
    write_ndjson([line, line], tmp_path / "events.ndjson")
    assert list(read_ndjson(tmp_path / "events.ndjson")) == [line, line]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text("as it was")

    def breaking() -> Iterator[ProducerRecord]:
        yield ProducerRecord("tally.chat", b"key", b"{}", "")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_ndjson(breaking(), path)
    assert path.read_text() == "as it was"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "no_folder").touch()
    with pytest.raises(FileError, match="no_folder/events"):
        write_ndjson([], tmp_path / "no_folder" / "events.ndjson")


def test_a_line_without_an_end_takes_no_more_memory_than_any_other() -> None:
    with Path("/dev/zero").open("rb") as endless, pytest.raises(NdjsonError, match=r"/dev/zero:1: .* MiB"):
        next(read_lines(endless, Path("/dev/zero")))


def test_what_follows_a_line_that_is_too_long_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"x" * (LONGEST_LINE + 5) + b"\n" + json.dumps(EVENT).encode() + b"\n" + b"y" * LONGEST_LINE)
    errors: list[NdjsonError] = []
    assert [line.topic for line in read_ndjson(path, strict=False, on_error=errors.append)] == ["tally.chat"]
    assert [str(error).split(":")[1] for error in errors] == ["1", "3"]


def test_a_hand_made_file_with_empty_lines_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\r\n" + json.dumps(EVENT).encode() + b"\r\n  \n" + json.dumps(EVENT).encode())
    read = list(read_ndjson(path))
    assert [line.topic for line in read] == ["tally.chat", "tally.chat"]
    assert [line.key.decode() for line in read] == [ACTOR["id"]] * 2
    assert read[0].value == read[1].value == json.dumps(EVENT).encode()
    assert read[0].occurred_at == EVENT["occurred_at"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not an event"),
        ("[1]", "not an event"),
        ('{"type": "chat.imagined"}', "unknown event type 'chat.imagined'"),
        ("{}", "unknown event type ''"),
        ('{"type": "chat.started"}', "has no actor.id"),
        ('{"type": "plan.changed"}', "has no organization_id"),
        ('{"type": "profile.updated", "account_id": ""}', "has no account_id"),
        ('{"$topic": "elsewhere"}', "unknown topic 'elsewhere'"),
        ('{"$topic": "tally.chat", "$value_base64": "?"}', "not base64"),
        ("[" * 100_000, "not an event"),
        ('{"x":' + "[" * 100_000, "not an event"),
    ],
)
def test_a_line_that_names_no_record_is_an_error_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(f"{json.dumps(EVENT)}\n{text}\n{json.dumps(EVENT)}\n")
    reader = read_ndjson(path)
    next(reader)
    with pytest.raises(NdjsonError, match=message) as raised:
        next(reader)
    assert str(raised.value).startswith(f"{path}:2: ")


def test_when_not_strict_bad_lines_are_left_out_and_handed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(f"oops\n{json.dumps(EVENT)}\n")
    errors: list[NdjsonError] = []
    assert len(list(read_ndjson(path, strict=False, on_error=errors.append))) == 1
    assert [str(error).startswith(f"{path}:1: ") for error in errors] == [True]
    with caplog.at_level(logging.WARNING):
        assert len(list(read_ndjson(path, strict=False))) == 1
    assert f"{path}:1: " in caplog.text


def test_reading_is_fast(lines: list[ProducerRecord], tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    write_ndjson(lines, path)
    began = time.process_time()
    count = sum(1 for _ in read_ndjson(path))
    assert count / (time.process_time() - began) > 50_000, "lines a second"
