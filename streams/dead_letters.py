"""Dead letters: records that cannot be counted, kept with their bytes, their place and the reason.

The topic is compacted and a letter's key is its record's place, so a letter that is written again after a crash is
the same letter, and a tombstone takes one away. A letter is taken away when it was replayed: a second replay then
finds only what is still unsettled, and the topic says what is wrong now rather than what ever was.
"""

import base64
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from tenacity import AsyncRetrying, before_sleep_log, retry_if_exception, wait_exponential

from streams.kafka_errors import is_transient
from streams.topics import MAX_DEAD_LETTER_BYTES
from tally_client.emitter import Emitter
from tally_client.events import DEAD_LETTERS

CONFLICT = "conflict"
MAX_KEPT_BYTES = MAX_DEAD_LETTER_BYTES // 2
"""Of a longer value (a compressed batch can hold one) a letter keeps the beginning: base64 makes 4 bytes of 3."""

log = logging.getLogger(__name__)


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record that cannot be counted: its place in the log, why, and its bytes in base64 (None was null).

    `value_bytes` is the value's length where only its beginning is kept, else None. `timestamp_ms` is the record's
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
        """A letter of a record's bytes; the other fields by name."""
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
        """The value of the letter's own record; `decode` reads it."""
        return msgspec.json.encode(self)


def decode(value: bytes) -> DeadLetter:
    """A letter from its record's value; raises msgspec.ValidationError or DecodeError."""
    return _decoder.decode(value)


class DeadLetterWriter:
    """Writes letters and returns when all replicas have them; while Kafka is away it tries for ever.

    The producer is not idempotent on purpose: a letter written twice is one letter, and an idempotent producer
    cannot go on after the broker has lost track of its sequence. `options` are aiokafka's connection keywords.
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
        """Returns when every letter is confirmed. Raises what trying again cannot mend, such as a refused login."""
        if not letters:
            return
        attempts = AsyncRetrying(
            wait=wait_exponential(multiplier=0.2, max=10),
            retry=retry_if_exception(is_transient),
            before_sleep=before_sleep_log(log, logging.WARNING),
            reraise=True,
        )
        await attempts(self._write_once, letters)

    async def close(self) -> None:
        """Disconnects. What `write` returned from is confirmed already."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()

    async def _write_once(self, letters: list[DeadLetter]) -> None:
        producer = await self._connected()
        futures = [await producer.send(DEAD_LETTERS, letter.encoded(), letter.location.encode()) for letter in letters]
        failed = None
        for future in futures:  # every future is looked at, or asyncio complains of the ones that were not
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
    """Letters of a source topic, with a reason, whose record came at or after a moment (aware); None is any."""

    topic: str | None = None
    reason: str | None = None
    since: datetime | None = None

    def __call__(self, letter: DeadLetter) -> bool:
        """Whether this letter is meant."""
        return (
            self.topic in (None, letter.topic)
            and self.reason in (None, letter.reason)
            and (self.since is None or datetime.fromtimestamp(letter.timestamp_ms / 1000, UTC) >= self.since)
        )


async def read_dead_letters(
    bootstrap: str, wanted: DeadLetterFilter | None = None, options: Mapping[str, Any] | None = None
) -> AsyncIterator[DeadLetter]:
    """The letters that stand when this is called, oldest first, each once.

    The topic is read twice, first for the last record of each key: letters that were replayed or written again are
    left out, and memory holds keys, not bytes.
    """
    wanted = wanted or DeadLetterFilter()
    async with dead_letter_consumer(bootstrap, options or {}) as consumer:
        last = {record.key: (record.partition, record.offset) async for record in records_to_the_end(consumer)}
        async for record in records_to_the_end(consumer):
            if record.value is None or last.get(record.key) != (record.partition, record.offset):
                continue
            letter = decode(record.value)
            if wanted(letter):
                yield letter


async def replay(emitter: Emitter, letters: Iterable[DeadLetter]) -> tuple[int, list[DeadLetter]]:
    """Emits the letters' bytes again, to their topic under their key, and then takes the letters away.

    Gives how many, and the letters left where they are: those cut in the middle, and conflicts, whose id is another
    event's, so that their bytes would not count, or beyond the duplicate horizon count beside the first ones.
    A crash between the two steps leaves a letter that is replayed once more: its event counts once all the same.
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


@asynccontextmanager
async def dead_letter_consumer(
    bootstrap: str, options: Mapping[str, Any], topic: str = DEAD_LETTERS
) -> AsyncIterator[Any]:
    """A consumer of all partitions of a topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_DEAD_LETTER_BYTES,
        **options,
    )
    try:
        await consumer.start()
        numbers = (await consumer._client.fetch_all_metadata()).partitions_for_topic(topic)
        consumer.assign([TopicPartition(topic, number) for number in sorted(numbers or ())])
        yield consumer
    finally:
        await consumer.stop()


async def records_to_the_end(consumer: Any) -> AsyncIterator[Any]:
    """All records of the assigned partitions up to their present ends."""
    partitions = consumer.assignment()
    if not partitions:
        return
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(list(partitions))
    while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
        for partition, records in (await consumer.getmany(timeout_ms=500)).items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record


def _encode(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _decode(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


_decoder = msgspec.json.Decoder(DeadLetter)
