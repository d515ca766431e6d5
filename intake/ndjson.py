"""Conversion of records to lines of text (NDJSON), and back.

A line is an event; its topic follows from its type and its key from its subject. Any other record (a tombstone, broken
JSON, bytes with a line end, a record on another topic) could not be restored byte for byte from that, so it is wrapped:
`{"$topic": ..., "$key": ..., "$value_base64": ... or null, "$occurred_at": ...}`.
"""

import base64
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
import orjson
from msgspec import Struct, field

from files.atomic_files import flowing
from files.byte_streams import naming, open_to_read
from tally_client.events import DIRECTORY, EVENTS_BY_TOPIC, PROFILES, TOPIC_BY_TYPE

CHUNK = 10_000
LONGEST_LINE = 8 << 20
"""Far more than a record of 1.06 MiB takes in a wrapper. The limit is for streams without any line end."""

logger = logging.getLogger(__name__)


class ProducerRecord(NamedTuple):
    """One record for the log, in the order of arrival.

    `value` is None for a tombstone; `occurred_at` is RFC 3339 text if the record has it, else ''.
    """

    topic: str
    key: bytes
    value: bytes | None
    occurred_at: str


class NdjsonError(ValueError):
    """A line without a valid record; its text is `file:line: what is wrong`."""


class Subject(Struct, frozen=True):
    """The part of an actor that becomes the key."""

    id: str


class Head(Struct, frozen=True):
    """The fields of a line that decide where it goes. The rest is skipped: the worker validates events."""

    type: str = ""
    organization_id: str = ""
    account_id: str = ""
    actor: Subject | None = None
    occurred_at: Any = ""
    wrapped_topic: str | None = field(default=None, name="$topic")
    wrapped_key: str = field(default="", name="$key")
    wrapped_value: str | None = field(default=None, name="$value_base64")
    wrapped_moment: str = field(default="", name="$occurred_at")


HEAD = msgspec.json.Decoder(Head)


def write_ndjson(lines: Iterable[ProducerRecord], path: Path, progress: Callable[[int], None] | None = None) -> int:
    """Write the records to `path` and return their number. A file appears complete or not at all; a stream gets records
    immediately.

    `progress` is called with the number of records since its last call, every CHUNK records and at the end. Raises
    FileError if writing fails, and leaves no file behind.
    """
    count = 0
    with flowing(path) as sink:
        for line in lines:
            sink.write(text_of(line))
            count += 1
            if progress and count % CHUNK == 0:
                progress(CHUNK)
    if progress and count % CHUNK:
        progress(count % CHUNK)
    return count


def read_ndjson(
    path: Path, strict: bool = True, on_error: Callable[[NdjsonError], None] | None = None
) -> Iterator[ProducerRecord]:
    """Yield the records of a file or a stream (see `read_lines`)."""
    with open_to_read(path) as stream:
        yield from read_lines(stream, path, strict, on_error)


def read_lines(
    stream: BinaryIO, path: Path, strict: bool = True, on_error: Callable[[NdjsonError], None] | None = None
) -> Iterator[ProducerRecord]:
    """Yield the records of an open stream, in constant memory; empty lines are skipped.

    Raises NdjsonError, with `path` and line, for a line that is not a JSON object or has no known type or no subject.
    If not `strict`, such a line is skipped and its error passed to `on_error`, or logged.
    """
    for number, text in enumerate(texts(stream, path), 1):
        value = text.rstrip(b"\r\n")
        if not value or value.isspace():
            continue
        try:
            line = line_of(value)
        except NdjsonError as error:
            located = NdjsonError(f"{path}:{number}: {error}")
            if strict:
                raise located from None
            (on_error or warn)(located)
        else:
            yield line


def texts(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    """Yield the lines of a stream with their ends. A line longer than any event is cut off."""
    with naming(path):
        while text := stream.readline(LONGEST_LINE):
            yield text
            while len(text) == LONGEST_LINE and not text.endswith(b"\n"):
                text = stream.readline(LONGEST_LINE)


def warn(error: NdjsonError) -> None:
    """Log which line was skipped."""
    logger.warning("%s; the line was skipped", error)


def line_of(value: bytes) -> ProducerRecord:
    """Return the record in a line of text. Raises NdjsonError, without file and line."""
    if len(value) >= LONGEST_LINE:
        raise NdjsonError(f"it is longer than {LONGEST_LINE >> 20} MiB, which no event is")
    head = head_of(value)
    if head.wrapped_topic is not None:
        return unwrapped(head)
    topic = TOPIC_BY_TYPE.get(head.type)
    if topic is None:
        raise NdjsonError(f"unknown event type {head.type[:60]!r}; `tally schema` lists the types")
    key = key_of(topic, head)
    if not key:
        raise NdjsonError(f"{head.type} has no {SUBJECTS.get(topic, 'actor.id')}, so it has no key")
    return ProducerRecord(topic, key.encode(), value, head.occurred_at if isinstance(head.occurred_at, str) else "")


SUBJECTS = {PROFILES: "account_id", DIRECTORY: "organization_id"}


def key_of(topic: str, head: Head) -> str:
    """Return the subject's id, as chosen by `tally_client.events.partition_key`; '' if the line has none."""
    if topic == PROFILES:
        return head.account_id
    if topic == DIRECTORY:
        return head.organization_id
    return head.actor.id if head.actor else ""


def head_of(value: bytes) -> Head:
    """Return the line's head. Raises NdjsonError if the line is not JSON or a field has the wrong type."""
    try:
        return HEAD.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NdjsonError(f"not an event: {error}") from error


def unwrapped(head: Head) -> ProducerRecord:
    """Return the record in a wrapper. Raises NdjsonError."""
    topic = str(head.wrapped_topic)
    if topic not in EVENTS_BY_TOPIC:
        raise NdjsonError(f"unknown topic {topic[:60]!r} in $topic")
    try:
        value = None if head.wrapped_value is None else base64.b64decode(head.wrapped_value, validate=True)
    except ValueError as error:
        raise NdjsonError(f"$value_base64 is not base64: {error}") from error
    return ProducerRecord(topic, head.wrapped_key.encode(), value, head.wrapped_moment)


def text_of(line: ProducerRecord) -> bytes:
    """Return the line for a record, with its line end: the record's own bytes if they are enough."""
    if line.value is not None and is_plain(line):
        return line.value + b"\n"
    encoded = None if line.value is None else base64.b64encode(line.value).decode()
    wrapper = {"$topic": line.topic, "$key": line.key.decode(), "$value_base64": encoded}
    return orjson.dumps(wrapper | {"$occurred_at": line.occurred_at}, option=orjson.OPT_APPEND_NEWLINE)


def is_plain(line: ProducerRecord) -> bool:
    """Return True if parsing the record's own bytes as a line gives the same record."""
    value = line.value or b""
    if b"\n" in value or value.endswith(b"\r"):
        return False
    try:
        again = line_of(value)
    except NdjsonError:
        return False
    return again[:3] == line[:3]
