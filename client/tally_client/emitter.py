"""`Emitter`: emit events from a product service without losing one silently.

    async with Emitter("kafka.example.com:9092") as emitter:  # or Emitter.of_stack() next to `tally up`
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

`emit` returns once the event is valid and in a bounded buffer. Leaving the block returns once Kafka has confirmed every
event, and raises UndeliverableEvent for those it has not. It is always safe to send an event again, because its
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
from tally_client.loopback_login import leave_out_loopback_logins
from tally_client.partition_batcher import DeliveryFailure, PartitionBatcher, Record, disconnect, topic_partitions
from tally_client.stack_login import connection_of_stack
from tally_client.validity import NO_ID, InvalidRecord, is_uuid, read

_RECORD_OVERHEAD = 128
_REMEMBERED_KEYS = 200_000


class EmitError(Exception):
    """An event did not reach the log. Base class of InvalidEvent and UndeliverableEvent."""


class InvalidEvent(EmitError):
    """The event breaks the contract and was not sent; it would only have become a dead letter."""


class UndeliverableEvent(EmitError):
    """Kafka has not confirmed these events. It may have stored some of them; sending them again is safe.

    `type`, `event_id`, `topic` and `why` describe the first one; `records` has all of them, as they would have been
    sent.
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
    """Return the record value of `event`, validated as the worker will validate it. Raises InvalidEvent.

    The bytes are decoded again, because a Struct built in Python is not type-checked.

    orjson is the only JSON writer in Tally (it also writes the rows for ClickHouse). Here it takes 0.5 us more than
    msgspec's own encoder, against the 3 us that sending costs.
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

    Callers wait while the buffer is full (two batches of `batch_bytes` per partition). `linger` is how many seconds a
    batch waits for more events. A batch that is not confirmed within `delivery_timeout` seconds (None: no limit) is
    reported by the next `emit`, `flush` or `close`; the first event of a topic waits as long for a broker to report
    its partitions. `client` are aiokafka's connection keywords.
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
        """Return an emitter for the Kafka of the stack that `tally up` runs over `folder`. Raises NoStack."""
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
        """The number of records that Kafka has confirmed."""
        return sum(lane.confirmed for lanes in self._lanes.values() for lane in lanes)

    async def start(self) -> None:
        """Connect to Kafka. Raises aiokafka's KafkaConnectionError if no broker answers."""
        leave_out_loopback_logins()
        producer = AIOKafkaProducer(**self._producer_options)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer, self._lanes, self._lane_of_key = producer, {}, {}

    async def emit(self, event: Event) -> None:
        """Validate `event` and queue it for sending; wait while the buffer is full.

        Raises InvalidEvent for this event, or UndeliverableEvent for earlier ones.
        """
        value = encode(event, self._clock())
        await self.emit_raw(TOPIC_BY_TYPE[str(event.__struct_config__.tag)], partition_key(event), value)

    async def forget(self, account_id: str) -> None:
        """Queue the tombstone of a person's profile, which removes name and e-mail everywhere.

        Raises InvalidEvent if `account_id` is not a valid id, or UndeliverableEvent for earlier events.
        """
        if not is_uuid(account_id):
            raise InvalidEvent(f"no profile was forgotten: account_id {account_id!r:.64} {NO_ID}")
        await self.emit_raw(PROFILES, account_id.encode(), None)

    async def _forget_elsewhere(self, key: bytes, lane: PartitionBatcher) -> None:
        """Write the tombstone to every other partition.

        A key that moved when partitions were added has older records in another partition, which only a tombstone in
        that partition removes from the log. These tombstones are confirmed before the one in the key's own partition is
        sent, so that later records of the key come after all of them.
        """
        others = [other for other in self._lanes[PROFILES] if other is not lane]
        for other in others:
            await other.append(Record(key, None))
        await asyncio.gather(*(other.flush() for other in others))

    async def emit_raw(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Queue bytes as they are, checking only their size: for files, simulations and replays."""
        if self._producer is None:
            raise EmitError(
                "the emitter is not started or is already closed: use it as `async with Emitter(...) as emitter`"
            )
        size = len(key or b"") + len(value or b"") + _RECORD_OVERHEAD
        if size > MAX_RECORD_BYTES:
            kind, event_id = _name(value)
            raise InvalidEvent(f"{kind} {event_id} has {size:,} bytes; the maximum of a record is {MAX_RECORD_BYTES:,}")
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
        """Wait until Kafka has confirmed everything emitted so far. Raises UndeliverableEvent if it has not."""
        await asyncio.gather(*(lane.flush() for lanes in self._lanes.values() for lane in lanes))
        self._raise_failures()

    async def close(self) -> None:
        """Flush and disconnect. Raises UndeliverableEvent for unconfirmed events. Safe to call twice."""
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
        """Return the topic's lanes, opening one for each partition that has been added, which moves keys."""
        partitions = await topic_partitions(self._producer, topic, self._delivery_timeout)
        lanes = self._lanes.setdefault(topic, [])  # another task may have opened them during the await
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
    """The fields that name a record in an error."""

    type: str = "a record"
    event_id: str = "without event_id"


def _name(value: bytes | None) -> tuple[str, str]:
    try:
        named = msgspec.json.decode(value or b"{}", type=_Named)
    except (msgspec.MsgspecError, UnicodeError):
        return "a record", "that is not an event"
    return named.type, named.event_id
