"""Dead letters: each record that cannot be counted has exactly its letter, and nothing else has one."""

import base64
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from deploy.verify.compare import Row, compare
from deploy.verify.recount import DeadLetter, Record
from deploy.verify.verdict import TableResult

TOPIC = "tally.dead-letters"
COLUMNS = ("topic", "partition", "offset", "epoch", "timestamp_ms", "record_key", "record_value", "conflict")

LetterRows = dict[str, tuple[Any, ...] | None]
"""A letter's place to its row, or to None for one that was taken away (by a replay)."""


def letter_rows(records: Iterable[Record]) -> LetterRows:
    """The letters that stand after `records` of the dead-letter topic: of each key the last record counts."""
    rows: LetterRows = {}
    for record in records:
        place = (record.key or b"").decode("utf-8", "replace")
        rows[place] = None if record.value is None else _row_of_value(record.value)
    return rows


def compare_letters(
    expected: dict[str, DeadLetter],
    found: LetterRows,
    *,
    show: int,
    is_moving: Callable[[str, int], bool],
    is_gone: Callable[[str], bool],
) -> TableResult:
    """Compare letters by place. `is_moving(source, offset)`: that record was not recounted; `is_gone(place)`: the
    record is no longer in its (compacted) topic, so its letter is all that is left of it.
    """
    standing = {
        place: row for place, row in found.items() if row is not None and not (place not in expected and is_gone(place))
    }
    taken_away = found.keys() - {place for place, row in found.items() if row is not None}
    wanted = {(place,): _row_of_record(place, letter) for place, letter in expected.items() if place not in taken_away}
    cut = {place: _as_far_as_kept(wanted.get((place,)), row) for place, row in standing.items()}
    return compare(
        TOPIC,
        ("place",),
        COLUMNS,
        wanted,
        (((place,), row) for place, row in cut.items()),
        show=show,
        is_moving=lambda key, _row: is_moving(*_source_and_offset(key[0])),
    )


def _row_of_record(place: str, letter: DeadLetter) -> tuple[Any, ...]:
    record = letter.record
    epoch = int(place.rpartition("/")[0].rpartition("@")[2])
    is_conflict = letter.reason == "conflict"
    return (
        record.topic,
        record.partition,
        record.offset,
        epoch,
        record.timestamp_ms,
        record.key,
        record.value,
        is_conflict,
    )


def _row_of_value(value: bytes) -> tuple[Any, ...]:
    try:
        said = orjson.loads(value)
        fields = (said["topic"], said["partition"], said["offset"], said["epoch"], said["timestamp_ms"])
        bytes_of = (_decode(said["key_base64"]), _decode(said["value_base64"]))
        return (*fields, *bytes_of, said["reason"] == "conflict")
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return (None, None, None, None, None, None, value, None)


def _as_far_as_kept(wanted: Row | None, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """`row` with the whole value, where it is the beginning of one that was too long for a letter (8 MiB)."""
    value = COLUMNS.index("record_value")
    if wanted is None or not isinstance(row[value], bytes) or len(row[value]) != 8 << 20:
        return row
    whole = wanted[value]
    return (*row[:value], whole, *row[value + 1 :]) if whole and whole.startswith(row[value]) else row


def _decode(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)


def _source_and_offset(place: str) -> tuple[str, int]:
    source, _, offset = place.rpartition("/")
    return source, int(offset) if offset.isdigit() else -1
