"""Dead letters: records that cannot be counted, kept with their bytes, their location and the reason.

The topic is compacted and a letter's key is its record's location, so a letter that is written again after a crash is
the same letter, and a tombstone removes it. A letter is removed once it has been replayed: a second replay then finds
only what is still unresolved, and the topic shows what is wrong now rather than what has ever been wrong.
"""

import base64
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.kafka_errors import is_transient, retry_while_kafka_is_unavailable
from streams.log import KafkaLog
from streams.topics import MAX_DEAD_LETTER_BYTES
from tally_client.emitter import Emitter
from tally_client.events import DEAD_LETTERS

CONFLICT = "conflict"
MAX_KEPT_BYTES = MAX_DEAD_LETTER_BYTES // 2
"""A letter keeps this much of a longer value, which a compressed batch can contain: base64 turns 3 bytes into 4."""

log = logging.getLogger(__name__)


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record that cannot be counted: its location in the log, the reason, and its bytes in base64 (None for null).

    `value_bytes` is the length of the value if only its beginning is kept, else None. `timestamp_ms` is the record's
    log time.
    """

    topic: str
    partition: int
    offset: int
    epoch: int
    reason: str
    detail: str
    key_base64: str | None
    value_base64: str | None
    timestamp_ms: int
    value_bytes: int | None = None

    @classmethod
    def from_record(cls, key: bytes | None, value: bytes | None, **place_and_reason: Any) -> Self:
        """Return a letter with the bytes of a record; the other fields are passed by name."""
        cut = len(value) if value is not None and len(value) > MAX_KEPT_BYTES else None
        kept = value[:MAX_KEPT_BYTES] if value is not None else None
        return cls(key_base64=_encode(key), value_base64=_encode(kept), value_bytes=cut, **place_and_reason)

    @property
    def location(self) -> str:
        """`topic/partition@epoch/offset`, the letter's own key."""
        return f"{self.topic}/{self.partition}@{self.epoch}/{self.offset}"

    @property
    def key(self) -> bytes | None:
        """The record's key."""
        return _decode(self.key_base64)

    @property
    def value(self) -> bytes | None:
        """The record's value."""
        return _decode(self.value_base64)

    def encoded(self) -> bytes:
        """Return the value of the letter's own record; `decode` reads it."""
        return msgspec.json.encode(self)


def decode(value: bytes) -> DeadLetter:
    """Return the letter in the value of its record. Raises msgspec.ValidationError or DecodeError."""
    return _decoder.decode(value)


class DeadLetterWriter:
    """Writes letters until all replicas have them; retries without limit while Kafka is unavailable.

    The producer is not idempotent, on purpose: a letter written twice is one letter, and an idempotent producer cannot
    continue after the broker has lost track of its sequence. `options` are aiokafka's connection keywords.
    """

    def __init__(self, bootstrap: str, options: Mapping[str, Any] | None = None) -> None:
        self._options = {
            "bootstrap_servers": bootstrap,
            "acks": "all",
            "compression_type": "lz4",
            "linger_ms": 5,
            "max_request_size": MAX_DEAD_LETTER_BYTES,
            **(options or {}),
        }
        self._producer: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def write(self, letters: list[DeadLetter]) -> None:
        """Write the letters and wait until every one is confirmed. Raises errors that a retry cannot fix, such as a
        refused login."""
        if not letters:
            return
        await retry_while_kafka_is_unavailable(lambda: self._write_once(letters), "Kafka does not accept dead letters")

    async def close(self) -> None:
        """Disconnect. Letters that `write` has returned from are confirmed already."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()

    async def _write_once(self, letters: list[DeadLetter]) -> None:
        producer = await self._connected()
        futures = [await producer.send(DEAD_LETTERS, letter.encoded(), letter.location.encode()) for letter in letters]
        failed = None
        for future in futures:  # every result is retrieved, or asyncio warns about the ones that were not
            try:
                await future
            except KafkaError as error:
                failed = failed if failed and not is_transient(failed) else error
        if failed:
            raise failed

    async def _connected(self) -> Any:
        if self._producer is None:
            producer = AIOKafkaProducer(**self._options)
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer


@dataclass(frozen=True)
class DeadLetterFilter:
    """Selects letters by source topic, by reason and by records received at or after a time (aware); None: any."""

    topic: str | None = None
    reason: str | None = None
    since: datetime | None = None

    def __call__(self, letter: DeadLetter) -> bool:
        """Return True if the letter matches."""
        return (
            self.topic in (None, letter.topic)
            and self.reason in (None, letter.reason)
            and (self.since is None or datetime.fromtimestamp(letter.timestamp_ms / 1000, UTC) >= self.since)
        )


async def read_dead_letters(
    bootstrap: str, wanted: DeadLetterFilter | None = None, options: Mapping[str, Any] | None = None
) -> AsyncIterator[DeadLetter]:
    """Yield the letters present at the time of the call, oldest first, each once.

    The topic is read twice, first to find the last record of each key. Letters that were replayed or rewritten are
    skipped, and memory holds keys, not bytes.
    """
    wanted = wanted or DeadLetterFilter()
    async with KafkaLog(bootstrap, options) as log:
        bounds = await log.bounds(await log.partitions([DEAD_LETTERS]))
        last = {record.key: (record.partition, record.offset) async for record in log.read_all(bounds)}
        async for record in log.read_all(bounds):
            if record.value is None or last.get(record.key) != (record.partition, record.offset):
                continue
            letter = decode(record.value)
            if wanted(letter):
                yield letter


async def replay(emitter: Emitter, letters: Iterable[DeadLetter]) -> tuple[int, list[DeadLetter]]:
    """Emit the letters' bytes again, to their topic under their key, and then remove the letters.

    Returns the number replayed and the letters left in place: truncated ones, and conflicts. A conflict has the id of
    another event, so its bytes would not count, or past the duplicate horizon would count in addition to the first
    ones. A letter whose replay crashed between the two steps is replayed once more: its event still counts once.
    """
    chosen: list[DeadLetter] = []
    left: list[DeadLetter] = []
    for letter in letters:
        (chosen if letter.value_bytes is None and letter.reason != CONFLICT else left).append(letter)
    for letter in chosen:
        await emitter.emit_raw(letter.topic, letter.key, letter.value)
    await emitter.flush()
    for letter in chosen:
        await emitter.emit_raw(DEAD_LETTERS, letter.location.encode(), None)
    await emitter.flush()
    return len(chosen), left


def _encode(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _decode(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


_decoder = msgspec.json.Decoder(DeadLetter)
