"""Per-partition batching for the Emitter: one batch fills while the previous one is in flight.

Passing whole batches to aiokafka costs 3 us an event, its `send` 13 us (a future and a coroutine per event). Two
batches per lane also bound the memory, and one batch in flight at a time preserves the order.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError

METADATA_SECONDS = 5.0
RETRY_SECONDS = 0.2


class Record(NamedTuple):
    """The bytes of a record as sent to Kafka."""

    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class DeliveryFailure:
    """The records of a batch that Kafka did not confirm, and the reason."""

    topic: str
    records: tuple[Record, ...]
    why: str


class PartitionBatcher:
    """A lane: sends the records of one partition in order, one batch at a time. Failures go to `report`; the lane
    continues."""

    def __init__(
        self,
        producer: Any,
        topic: str,
        partition: int,
        linger_seconds: float,
        timeout: float | None,
        report: Callable[[DeliveryFailure], None],
    ) -> None:
        self.confirmed = 0
        self._producer = producer
        self._topic = topic
        self._partition = partition
        self._linger_seconds = linger_seconds
        self._timeout = timeout
        self._report = report
        self._builder = producer.create_batch()
        self._records: list[Record] = []
        self._flush_now = asyncio.Event()
        self._changed = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None

    async def append(self, record: Record) -> None:
        """Add a record to the open batch; wait while that batch is full and the previous one is in flight."""
        while not self._add(record):
            self._flush_now.set()
            await self._change()

    async def flush(self) -> None:
        """Wait until the lane is empty: every record is confirmed or reported as failed."""
        while self._sender is not None:
            self._flush_now.set()
            await self._change()

    async def stop(self) -> None:
        """Stop sending; unsent records are dropped."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait([self._sender])

    def _add(self, record: Record) -> bool:
        if self._builder.append(timestamp=None, key=record.key, value=record.value) is None:
            return False
        self._records.append(record)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all(), name=f"emit {self._topic}/{self._partition}")
        return True

    async def _send_all(self) -> None:
        """Send batches until the lane is empty."""
        try:
            while self._records:
                await self._linger()
                builder, records = self._builder, self._records
                self._builder, self._records = self._producer.create_batch(), []
                self._announce()
                await self._send(builder, tuple(records))
        finally:
            self._sender = None
            self._announce()

    async def _linger(self) -> None:
        try:
            async with asyncio.timeout(self._linger_seconds):
                await self._flush_now.wait()
        except TimeoutError:
            pass
        self._flush_now.clear()

    async def _send(self, builder: Any, records: tuple[Record, ...]) -> None:
        builder.close()
        try:
            async with asyncio.timeout(self._timeout):
                await (await self._producer.send_batch(builder, self._topic, partition=self._partition))
        except TimeoutError:
            self._report(
                DeliveryFailure(self._topic, records, f"Kafka did not confirm the batch within {self._timeout} s")
            )
        except Exception as error:  # any error has to be reported, or these records would be lost silently
            self._report(DeliveryFailure(self._topic, records, str(error) or type(error).__name__))
        else:
            self.confirmed += len(records)

    async def _change(self) -> None:
        await self._changed.wait()

    def _announce(self) -> None:
        """Wake every task that waits for free space or for the end."""
        self._changed.set()
        self._changed = asyncio.Event()


async def cluster_metadata(client: Any, timeout: float | None) -> Any:
    """Return the metadata of all topics from aiokafka's `client`. Raises TimeoutError after `timeout` seconds (None: no
    limit) without an answer.

    aiokafka queries each broker once and gives up. A broker that starts, or that stood still and has not joined its
    cluster again, does not answer for a few seconds, or answers that there are no brokers.
    """
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    return await client.fetch_all_metadata()
                except KafkaError:
                    await asyncio.sleep(RETRY_SECONDS)
    except TimeoutError as error:
        raise TimeoutError(f"no broker answered within {timeout} s") from error


async def topic_partitions(producer: Any, topic: str, timeout: float | None) -> list[int]:
    """Return the partitions of an existing topic. Raises TimeoutError if it does not exist, or if no broker answers
    within `timeout` seconds (None: no limit).

    Fetches the metadata of all topics, because requesting one by name can create it with the broker's settings instead
    of Tally's. Waits for a topic that was created a moment ago, and for the producer, which rejects a partition added
    since its last metadata update.
    """
    patience = METADATA_SECONDS
    while patience > 0:
        known = (await cluster_metadata(producer.client, timeout)).partitions_for_topic(topic)
        answered = time.monotonic()
        if known and known <= (producer.client.cluster.partitions_for_topic(topic) or known):
            return sorted(known)
        await (producer.client.force_metadata_update() if known else asyncio.sleep(RETRY_SECONDS))
        patience -= time.monotonic() - answered
    raise TimeoutError("the topic does not exist")


async def disconnect(producer: Any) -> None:
    """Stop a producer whose lanes are empty, dropping unsent batches and cancelling requests in flight.

    aiokafka's own stop() waits for both, and forever for unsent batches, because an idempotent producer never gives up.
    """
    sending = producer._sender.sender_task
    while not sending.done():
        sending.cancel()  # the first cancels the loop, each later one a request in flight
        await asyncio.wait([sending], timeout=0.05)
    await producer.client.close()
    producer._closed = True  # otherwise it warns on garbage collection that it was never stopped
