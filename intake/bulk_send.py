"""Bulk sending: send many records to Kafka, optionally at a limited rate, and check them on the way."""

import asyncio
import os
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, TypeVar

import msgspec

from files.byte_streams import is_regular
from intake.ndjson import ProducerRecord
from intake.uncounted import uncounted
from tally_client.emitter import Emitter
from tally_client.events import PROFILES, Event
from tally_client.validity import NO_ID, InvalidRecord, is_uuid, read

T = TypeVar("T")
PROGRESS_EVERY = 1000
WAITING = 10_000
"""The maximum number of lines that are read ahead of sending."""
EXAMPLES = 5
REMEMBERED = 1_000_000
"""The latest events among which repeats are detected: some 150 MB."""


@dataclass
class Sent:
    """The records that were sent and confirmed."""

    sent: int = 0
    seconds: float = 0.0
    by_topic: Counter[str] = field(default_factory=Counter)


def send_all(
    bootstrap: str,
    kafka_options: Mapping[str, Any],
    lines: Iterable[ProducerRecord],
    rate: float | None = None,
    on_sent: Callable[[int], None] = lambda _: None,
) -> Sent:
    """Send all lines unchanged, at most `rate` per second, and return once Kafka has confirmed all of them.

    `kafka_options` are aiokafka's connection keywords.

    Raises the errors of the Emitter and of reading `lines`; lines before the error are then sent and confirmed.
    """
    return asyncio.run(_send_all(bootstrap, kafka_options, lines, rate, on_sent))


async def _send_all(
    bootstrap: str,
    kafka_options: Mapping[str, Any],
    lines: Iterable[ProducerRecord],
    rate: float | None,
    on_sent: Callable[[int], None],
) -> Sent:
    sent, began = Sent(), time.monotonic()
    async with Emitter(bootstrap, **kafka_options) as emitter:
        async for batch in read_aside(lines):
            for line in batch:
                await emitter.emit_raw(line.topic, line.key, line.value)
                sent.sent += 1
                sent.by_topic[line.topic] += 1
                if rate:
                    await asyncio.sleep(max(0.0, began + sent.sent / rate - time.monotonic()))
                if sent.sent % PROGRESS_EVERY == 0 or rate:
                    on_sent(sent.sent)
    on_sent(sent.sent)
    sent.seconds = time.monotonic() - began
    return sent


async def read_aside(lines: Iterable[T]) -> AsyncIterator[list[T]]:
    """Yield the lines as they arrive, read in a separate thread: while a pipe waits, its earlier lines are sent.

    At most WAITING lines wait to be sent. Errors of reading are raised after the lines before them.
    """
    loop, there = asyncio.get_running_loop(), asyncio.Event()
    room, came = threading.Semaphore(WAITING), deque[T]()
    ended: list[Exception | None] = []

    def read() -> None:
        failure = None
        try:
            for line in lines:
                room.acquire()
                came.append(line)
                tell()
        except Exception as error:
            failure = error
        ended.append(failure)
        tell()

    def tell() -> None:
        if not there.is_set():
            with suppress(RuntimeError):  # the loop is closed, so no one waits any more
                loop.call_soon_threadsafe(there.set)

    # A daemon, since a thread that waits for a pipe cannot be stopped and must not keep the process from ending.
    threading.Thread(target=read, name="lines", daemon=True).start()
    while True:
        await there.wait()
        there.clear()
        is_last = bool(ended)
        batch = [came.popleft() for _ in range(len(came))]
        if batch:
            room.release(len(batch))
            yield batch
        if is_last:
            break
    if ended[0] is not None:
        raise ended[0]


def lines_ahead(stream: BinaryIO) -> int | None:
    """Count the lines of a regular file from its position on, for a progress bar; None for a stream."""
    if not is_regular(stream):
        return None
    at, lines = os.lseek(stream.fileno(), 0, os.SEEK_CUR), 0
    while chunk := os.pread(stream.fileno(), 1 << 20, at):
        at, lines = at + len(chunk), lines + chunk.count(b"\n")
    return lines


class Suspects:
    """Counts the records that a worker rejects if they arrive at `now`, and those that will not add to the numbers that
    one may expect; keeps a few examples of each as lines.
    """

    def __init__(self, now: datetime) -> None:
        self.invalid = 0
        self.repeats = 0
        self.unlisted = 0
        self.examples: list[str] = []
        self._now = now
        self._told: set[str] = set()
        self._seen: dict[tuple[str, ...], tuple[int, int | None]] = {}

    def watch(self, lines: Iterable[ProducerRecord]) -> Iterator[ProducerRecord]:
        """Yield the same lines, checked in passing."""
        for number, line in enumerate(lines, 1):
            self._look_at(number, line)
            yield line

    def _look_at(self, number: int, line: ProducerRecord) -> None:
        try:
            event = _event_of(line, self._now)
        except (InvalidRecord, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.invalid += 1
            self._note(self.invalid, f"event {number} is invalid: {error}")
            return
        if event is None:
            return
        if line.topic != PROFILES:
            self._look_for_repeat(number, event, hash(line.value))
        if told := uncounted(event):
            self.unlisted += 1
            if told not in self._told:
                self._told.add(told)
                self._note(len(self._told), f"event {number}: {told}")

    def _look_for_repeat(self, number: int, event: Event, payload: int) -> None:
        identity = event.organization_id, str(event.__struct_config__.tag), event.event_id
        first, known = self._seen.setdefault(identity, (number, payload))
        if first == number:
            if len(self._seen) > REMEMBERED:
                del self._seen[next(iter(self._seen))]
        elif known == payload:
            self.repeats += 1
        else:
            self._seen[identity] = first, None  # one of several payloads: every later one is a conflict too
            self.invalid += 1
            self._note(
                self.invalid, f"event {number} is invalid: conflict: event {first} has its event_id and other bytes"
            )

    def _note(self, count: int, line: str) -> None:
        if count <= EXAMPLES:
            self.examples.append(line)


def _event_of(line: ProducerRecord, now: datetime) -> Event | None:
    """Return the event that a worker would accept, None for a tombstone. Raises the error for which it rejects one."""
    if line.value is not None:
        return read(line.topic, line.value, now)
    if line.topic != PROFILES:
        raise InvalidRecord("empty", "the record has no value")
    if not is_uuid(line.key.decode("ascii", "replace")):
        raise InvalidRecord("bad_id", f"the key of a tombstone {NO_ID}")
    return None
