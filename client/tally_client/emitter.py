"""`Emitter`: what a product service imports to emit events, without losing one silently.

    async with Emitter("kafka.example.com:9092") as emitter:  # or Emitter.of_stack() beside `tally up`
        await emitter.emit(
            ChatMessage(
                event_id=str(uuid4()),
                occurred_at=datetime.now(UTC),
                organization_id=organization_id,
                actor=Actor(type="user", id=account_id),
                product="chat",
                conversation_id=conversation_id,
            )
        )

`emit` returns when the event is valid and in a bounded buffer; leaving the block returns when Kafka has confirmed
every event, and raises UndeliverableEvent for what it has not. Sending an event again is always safe, since its
`event_id` counts once.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from tally_client.events import EVENT_BY_TYPE, PROFILES, TOPIC_BY_TYPE, Event, partition_key
from tally_client.events.envelope import MAX_RECORD_BYTES
from tally_client.partition_batcher import DeliveryFailure, PartitionBatcher, Record, disconnect, topic_partitions
from tally_client.stack_login import connection_of_stack
from tally_client.validity import NO_ID, InvalidRecord, is_uuid, read

_RECORD_OVERHEAD = 128
_REMEMBERED_KEYS = 200_000


class EmitError(Exception):
    """An event did not get into the log. Below it: InvalidEvent and UndeliverableEvent."""


class InvalidEvent(EmitError):
    """The event breaks the contract and was not sent: as it is, it would only be a dead letter."""


class UndeliverableEvent(EmitError):
    """Kafka has not confirmed these events, and it may yet hold some of them; sending them again is safe.

    `type`, `event_id`, `topic` and `why` are the first one's; `records` are all of them, as they were to be sent.
    """

    def __init__(self, failures: list[DeliveryFailure]) -> None:
        first = failures[0]
        self.records = tuple(record for failure in failures for record in failure.records)
        self.topic = first.topic
        self.why = first.why
        self.type, self.event_id = _name(self.records[0].value)
        more = f" (and {len(self.records) - 1} more)" if len(self.records) > 1 else ""
        super().__init__(f"{self.type} {self.event_id} was not delivered to {self.topic}{more}: {self.why}")


def encode(event: Event, now: datetime) -> bytes:
    """The record value of `event`, checked as the worker will check it: the bytes are decoded again, since a
    Struct built in Python is not type-checked. Raises InvalidEvent.

    orjson is the one JSON writer of Tally (rows for ClickHouse are made by it as well); it takes 0.5 us more than
    msgspec's own encoder here, against the 3 us that sending costs.
    """
    kind = str(event.__struct_config__.tag)
    try:
        if EVENT_BY_TYPE.get(kind) is not type(event):
            raise InvalidEvent(f"{kind} is not an event of Tally")
        value = orjson.dumps(msgspec.to_builtins(event))
        read(TOPIC_BY_TYPE[kind], value, now)
    except (InvalidRecord, msgspec.MsgspecError, TypeError, UnicodeError) as error:
        why = error.detail if isinstance(error, InvalidRecord) else error
        raise InvalidEvent(f"{kind} {event.event_id!s:.64} is not valid: {why}") from error
    return value


class Emitter:
    """Sends events to Kafka: idempotent, confirmed by all replicas, in order for each key.

    Callers wait when the buffer is full (two batches of `batch_bytes` a partition). `linger` is how many seconds a
    batch waits for company. A batch that is not confirmed within `delivery_timeout` seconds (None: waits for ever)
    is reported by the next `emit`, `flush` or `close`. `client` are aiokafka's connection keywords.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        linger: float = 0.02,
        batch_bytes: int = 256 * 1024,
        delivery_timeout: float | None = 60.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        **client: Any,
    ) -> None:
        self._producer: Any = None
        self._producer_options = {
            "bootstrap_servers": bootstrap,
            "acks": "all",
            "enable_idempotence": True,
            "compression_type": "lz4",
            "max_batch_size": batch_bytes,
            "max_request_size": 8 * batch_bytes + MAX_RECORD_BYTES,
            **client,
        }
        self._linger = linger
        self._delivery_timeout = delivery_timeout
        self._clock = clock
        self._lanes: dict[str, list[PartitionBatcher]] = {}
        self._lane_of_key: dict[tuple[str, bytes], PartitionBatcher] = {}
        self._failures: list[DeliveryFailure] = []
        self._partitioner = DefaultPartitioner()

    @classmethod
    def of_stack(cls, folder: str | Path = ".tally", **options: Any) -> Self:
        """An emitter for the Kafka of the stack that `tally up` runs over `folder`. Raises NoStack."""
        return cls(**connection_of_stack(folder), **options)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except EmitError as undelivered:
            if error is None:
                raise
            error.add_note(str(undelivered))

    @property
    def confirmed(self) -> int:
        """How many records Kafka has confirmed."""
        return sum(lane.confirmed for lanes in self._lanes.values() for lane in lanes)

    async def start(self) -> None:
        """Connects; raises aiokafka's KafkaConnectionError if no broker answers."""
        producer = AIOKafkaProducer(**self._producer_options)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer, self._lanes, self._lane_of_key = producer, {}, {}

    async def emit(self, event: Event) -> None:
        """Validates `event` and puts it on its way; waits while the buffer is full.

        Raises InvalidEvent for this event, or UndeliverableEvent for earlier ones.
        """
        value = encode(event, self._clock())
        await self.emit_raw(TOPIC_BY_TYPE[str(event.__struct_config__.tag)], partition_key(event), value)

    async def forget(self, account_id: str) -> None:
        """Puts the tombstone of a person's profile on its way: name and e-mail are removed everywhere.

        Raises InvalidEvent for what is nobody's id, or UndeliverableEvent for earlier events.
        """
        if not is_uuid(account_id):
            raise InvalidEvent(f"nobody is forgotten: {account_id!r:.64} {NO_ID}")
        await self.emit_raw(PROFILES, account_id.encode(), None)

    async def _forget_elsewhere(self, key: bytes, lane: PartitionBatcher) -> None:
        """The tombstone in every other partition: a key that moved when partitions were added has a past there, which
        only a tombstone in the same partition removes from the log. They are confirmed before the key's own is sent,
        so that what follows it follows them all."""
        others = [other for other in self._lanes[PROFILES] if other is not lane]
        for other in others:
            await other.append(Record(key, None))
        await asyncio.gather(*(other.flush() for other in others))

    async def emit_raw(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Puts bytes on their way as they are, unchecked but for their size: for files, simulations, replays."""
        if self._producer is None:
            raise EmitError("the emitter is not started, or closed: use it as `async with Emitter(...) as emitter`")
        size = len(key or b"") + len(value or b"") + _RECORD_OVERHEAD
        if size > MAX_RECORD_BYTES:
            kind, event_id = _name(value)
            raise InvalidEvent(f"{kind} {event_id} has {size:,} bytes; a record may have {MAX_RECORD_BYTES:,}")
        self._raise_failures()
        record = Record(key, value)
        is_tombstone = topic == PROFILES and key is not None and value is None
        try:
            if is_tombstone:
                await self._open_lanes(topic)
            lane = self._lane_of_key.get((topic, key)) if key is not None else None
            lane = lane or await self._lane(topic, key)
        except (KafkaError, TimeoutError) as error:
            raise UndeliverableEvent([DeliveryFailure(topic, (record,), str(error))]) from error
        if is_tombstone and key is not None:
            await self._forget_elsewhere(key, lane)
        await lane.append(record)

    async def flush(self) -> None:
        """Returns when Kafka has confirmed all that was emitted; raises UndeliverableEvent if it has not."""
        await asyncio.gather(*(lane.flush() for lanes in self._lanes.values() for lane in lanes))
        self._raise_failures()

    async def close(self) -> None:
        """Flushes and disconnects; raises UndeliverableEvent for what was not confirmed. Harmless to repeat."""
        if self._producer is None:
            return
        try:
            await self.flush()
        finally:
            producer, self._producer = self._producer, None
            for lane in (lane for lanes in self._lanes.values() for lane in lanes):
                await lane.stop()
            await disconnect(producer)

    async def _lane(self, topic: str, key: bytes | None) -> PartitionBatcher:
        lanes = self._lanes.get(topic) or await self._open_lanes(topic)
        everywhere = range(len(lanes))
        lane = lanes[int(self._partitioner(key, everywhere, everywhere))]
        if key is not None:
            if len(self._lane_of_key) >= _REMEMBERED_KEYS:
                self._lane_of_key.clear()
            self._lane_of_key[topic, key] = lane
        return lane

    async def _open_lanes(self, topic: str) -> list[PartitionBatcher]:
        """The lanes of all partitions that there are now; with one that was added, keys move."""
        partitions = await topic_partitions(self._producer, topic)
        lanes = self._lanes.setdefault(topic, [])  # another task may have been faster during the await
        for partition in partitions[len(lanes) :]:
            lanes.append(
                PartitionBatcher(
                    self._producer, topic, partition, self._linger, self._delivery_timeout, self._failures.append
                )
            )
            self._lane_of_key.clear()
        return lanes

    def _raise_failures(self) -> None:
        if self._failures:
            failures = self._failures.copy()
            self._failures.clear()
            raise UndeliverableEvent(failures)


class _Named(msgspec.Struct):
    """What of a record names it in an error."""

    type: str = "a record"
    event_id: str = "without event_id"


def _name(value: bytes | None) -> tuple[str, str]:
    try:
        named = msgspec.json.decode(value or b"{}", type=_Named)
    except (msgspec.MsgspecError, UnicodeError):
        return "a record", "that is no event"
    return named.type, named.event_id
