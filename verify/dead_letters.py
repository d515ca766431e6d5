"""Dead letters: each record that cannot be counted must have exactly one letter, and no other record any."""

import base64
from collections.abc import Callable, Iterable, Iterator

import orjson

from verify.compare import Key, Pair, Row, compare, paired
from verify.records import DeadLetter, Record
from verify.verdict import TableResult

TOPIC = "tally.dead-letters"
COLUMNS = ("topic", "partition", "offset", "epoch", "timestamp_ms", "record_key", "record_value", "conflict")


def letter_rows(records: Iterable[Record]) -> Iterator[tuple[Key, Row | None]]:
    """Yield each record of the dead-letter topic as a row by the place in its key; None for a removed letter."""
    for record in records:
        place = (record.key or b"").decode("utf-8", "replace")
        yield (place,), None if record.value is None else _row_of_value(record.value)


def row_of_record(place: str, letter: DeadLetter) -> Row:
    """Return the letter that a record must have, in the order of COLUMNS."""
    record = letter.record
    epoch = int(place.rpartition("/")[0].rpartition("@")[2])
    is_conflict = letter.reason == "conflict"
    where = (record.topic, record.partition, record.offset, epoch)
    return (*where, record.timestamp_ms, record.key, record.value, is_conflict)


def compare_letters(
    expected: Iterable[tuple[Key, Row]],
    found: Iterable[tuple[Key, Row | None]],
    *,
    show: int,
    is_moving: Callable[[str, int], bool],
    is_gone: Callable[[str], bool],
) -> TableResult:
    """Compare letters by place. `is_moving(source, offset)`: the record was not recounted. `is_gone(place)`: the record
    is no longer in its (compacted) topic, and only its letter is left.
    """
    told = ((key, row or ()) for key, row in found)
    return compare(
        TOPIC,
        ("place",),
        COLUMNS,
        _standing(paired(expected, told), is_gone),
        show=show,
        is_moving=lambda key, _row: is_moving(*_source_and_offset(key[0])),
    )


def _standing(pairs: Iterable[Pair], is_gone: Callable[[str], bool]) -> Iterator[Pair]:
    """Yield the pairs, without removed letters and without letters whose record is gone."""
    for key, wanted, rows in pairs:
        row = rows[0] if rows else None
        if row is None:
            yield key, wanted, []
        elif row and not (wanted is None and is_gone(key[0])):
            yield key, wanted, [_as_far_as_kept(wanted, row)]


def _row_of_value(value: bytes) -> Row:
    try:
        said = orjson.loads(value)
        fields = (said["topic"], said["partition"], said["offset"], said["epoch"], said["timestamp_ms"])
        bytes_of = (_decode(said["key_base64"]), _decode(said["value_base64"]))
        return (*fields, *bytes_of, said["reason"] == "conflict")
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return (None, None, None, None, None, None, value, None)


def _as_far_as_kept(wanted: Row | None, row: Row) -> Row:
    """Return `row` with the whole value if it has the beginning of a value that is too long for a letter (8 MiB)."""
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
