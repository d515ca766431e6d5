"""Records as lines of text (NDJSON), and back.

A line is an event, and its topic follows from its type, its key from the subject. What that would not give back
byte for byte (tombstones, broken JSON, bytes with a line end, a record on another topic) is wrapped:
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
"""Far more than a record of 1.06 MiB takes in a wrapper. A stream need not have any line end at all."""

logger = logging.getLogger(__name__)


class ProducerRecord(NamedTuple):
    """One record for the log, in the order in which it arrives there.

    `value` is None for a tombstone; `occurred_at` is RFC 3339 text where the record says when, else ''.
    """

    topic: str
    key: bytes
    value: bytes | None
    occurred_at: str


class NdjsonError(ValueError):
    """A line that names no record; its text is `file:line: what is wrong`."""


class Subject(Struct, frozen=True):
    """The part of an actor that a key is made of."""

    id: str


class Head(Struct, frozen=True):
    """As much of a line as says where it goes. The rest is skipped: the worker is the one that judges events."""

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
    """Write the records to `path`: a file appears whole or not at all, a stream gets them as they come. Answers how
    many there were.

    `progress` is told how many more were written, every CHUNK records and at the end. Raises FileError when it cannot
    be written, and leaves no file behind.
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
    """The records of a file or a stream (see `read_lines`)."""
    with open_to_read(path) as stream:
        yield from read_lines(stream, path, strict, on_error)


def read_lines(
    stream: BinaryIO, path: Path, strict: bool = True, on_error: Callable[[NdjsonError], None] | None = None
) -> Iterator[ProducerRecord]:
    """The records of an open stream, one at a time in constant memory; empty lines are passed over.

    A line that is no JSON object, or has no known type or no subject, raises NdjsonError, which names it in `path`;
    when not `strict` it is left out, and handed to `on_error` or else logged.
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
    """The lines of a stream with their ends; only the beginning of one that is longer than any event can be."""
    with naming(path):
        while text := stream.readline(LONGEST_LINE):
            yield text
            while len(text) == LONGEST_LINE and not text.endswith(b"\n"):
                text = stream.readline(LONGEST_LINE)


def warn(error: NdjsonError) -> None:
    """Say which line was left out."""
    logger.warning("%s; the line was left out", error)


def line_of(value: bytes) -> ProducerRecord:
    """The record that a line of text stands for. Raises NdjsonError, without the place."""
    if len(value) >= LONGEST_LINE:
        raise NdjsonError(f"it has more than {LONGEST_LINE >> 20} MiB, and no event can")
    head = head_of(value)
    if head.wrapped_topic is not None:
        return unwrapped(head)
    topic = TOPIC_BY_TYPE.get(head.type)
    if topic is None:
        raise NdjsonError(f"unknown event type {head.type[:60]!r}; `tally schema` lists the types")
    key = key_of(topic, head)
    if not key:
        raise NdjsonError(f"{head.type} names no {SUBJECTS.get(topic, 'actor.id')}, so it has no key")
    return ProducerRecord(topic, key.encode(), value, head.occurred_at if isinstance(head.occurred_at, str) else "")


SUBJECTS = {PROFILES: "account_id", DIRECTORY: "organization_id"}


def key_of(topic: str, head: Head) -> str:
    """The subject's id, as `tally_client.events.partition_key` chooses it; '' if the line names none."""
    if topic == PROFILES:
        return head.account_id
    if topic == DIRECTORY:
        return head.organization_id
    return head.actor.id if head.actor else ""


def head_of(value: bytes) -> Head:
    """The line's head. Raises NdjsonError when it is not JSON, or its head is not of the right form."""
    try:
        return HEAD.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NdjsonError(f"not an event: {error}") from error


def unwrapped(head: Head) -> ProducerRecord:
    """The record in a wrapper."""
    topic = str(head.wrapped_topic)
    if topic not in EVENTS_BY_TOPIC:
        raise NdjsonError(f"unknown topic {topic[:60]!r} in $topic")
    try:
        value = None if head.wrapped_value is None else base64.b64decode(head.wrapped_value, validate=True)
    except ValueError as error:
        raise NdjsonError(f"$value_base64 is not base64: {error}") from error
    return ProducerRecord(topic, head.wrapped_key.encode(), value, head.wrapped_moment)


def text_of(line: ProducerRecord) -> bytes:
    """The line of text for a record, with its line end: its own bytes wherever these say all."""
    if line.value is not None and is_plain(line):
        return line.value + b"\n"
    encoded = None if line.value is None else base64.b64encode(line.value).decode()
    wrapper = {"$topic": line.topic, "$key": line.key.decode(), "$value_base64": encoded}
    return orjson.dumps(wrapper | {"$occurred_at": line.occurred_at}, option=orjson.OPT_APPEND_NEWLINE)


def is_plain(line: ProducerRecord) -> bool:
    """Whether reading the record's own bytes as a line gives the same record back."""
    value = line.value or b""
    if b"\n" in value or value.endswith(b"\r"):
        return False
    try:
        again = line_of(value)
    except NdjsonError:
        return False
    return again[:3] == line[:3]
