"""A lane is one partition's way out of the Emitter: a batch fills while the one before it is on its way.

Handing aiokafka whole batches costs 3 us an event, its `send` 13 us (a future and a coroutine for each). Two batches
a lane are also the bound of what is held in memory, and one at a time on the way keeps order.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

METADATA_SECONDS = 5.0


class Record(NamedTuple):
    """Bytes as they go to Kafka."""

    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class DeliveryFailure:
    """Records of one batch that Kafka did not confirm, and why."""

    topic: str
    records: tuple[Record, ...]
    why: str


class PartitionBatcher:
    """Records in, in order; batches of them out, one at a time. Failures go to `report`, and the lane goes on."""

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
        """Adds a record to the open batch; waits while that is full and the one before it is on its way."""
        while not self._add(record):
            self._flush_now.set()
            await self._change()

    async def flush(self) -> None:
        """Returns when nothing is left in the lane, confirmed or reported."""
        while self._sender is not None:
            self._flush_now.set()
            await self._change()

    async def stop(self) -> None:
        """Ends the lane's sending; what was not sent is dropped."""
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
        """Sends batch after batch until the lane is empty."""
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
            self._report(DeliveryFailure(self._topic, records, f"Kafka did not confirm it within {self._timeout} s"))
        except Exception as error:  # whatever it was, these records would be lost without a word
            self._report(DeliveryFailure(self._topic, records, str(error) or type(error).__name__))
        else:
            self.confirmed += len(records)

    async def _change(self) -> None:
        await self._changed.wait()

    def _announce(self) -> None:
        """Wakes everybody who waits for room or for the end."""
        self._changed.set()
        self._changed = asyncio.Event()


async def topic_partitions(producer: Any, topic: str) -> list[int]:
    """The partitions of an existing topic. All topics are asked for: asking for one by name can create it, with
    the broker's settings and not Tally's. One that was made a moment ago is waited for, and so is the producer, which
    refuses a partition that was added since it asked last."""
    deadline = time.monotonic() + METADATA_SECONDS
    while time.monotonic() < deadline:
        known = (await producer.client.fetch_all_metadata()).partitions_for_topic(topic)
        if known and known <= (producer.client.cluster.partitions_for_topic(topic) or known):
            return sorted(known)
        await (producer.client.force_metadata_update() if known else asyncio.sleep(0.2))
    raise TimeoutError("the topic does not exist")


async def disconnect(producer: Any) -> None:
    """Stops a producer whose lanes are empty. What Kafka never took is given up, and requests under way are cut off:
    aiokafka's own stop() waits for both, the one for ever, since an idempotent producer gives nothing up."""
    sending = producer._sender.sender_task
    while not sending.done():
        sending.cancel()  # the first stops the loop, each other one a request under way
        await asyncio.wait([sending], timeout=0.05)
    await producer.client.close()
    producer._closed = True  # or it would complain, when collected, that it was never stopped
