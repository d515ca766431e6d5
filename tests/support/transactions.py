"""Kafka's transactions, as producers that are exact make them: ended, or left open."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from deploy.settings import Settings

Ending = Literal["abort", "commit"]


@contextmanager
def open_transaction(
    settings: Settings, topic: str, partition: int, values: Iterable[bytes]
) -> Iterator[Callable[[Ending], None]]:
    """A transaction that has written `values` and is still open; what it gives ends it."""
    with asyncio.Runner() as runner:
        producer = runner.run(_begun(settings, topic, partition, values))

        def end(how: Ending) -> None:
            runner.run(producer.abort_transaction() if how == "abort" else producer.commit_transaction())

        try:
            yield end
        finally:
            runner.run(producer.stop())


def transact(settings: Settings, topic: str, partition: int, how: Ending, values: Iterable[bytes]) -> None:
    """One transaction from its beginning to its end."""
    with open_transaction(settings, topic, partition, values) as end:
        end(how)


async def _begun(settings: Settings, topic: str, partition: int, values: Iterable[bytes]) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        acks="all",
        transactional_id=f"test-{uuid4()}",
        transaction_timeout_ms=240_000,
        **settings.client_options(),
    )
    await producer.start()
    await producer.begin_transaction()
    for value in values:
        await producer.send_and_wait(topic, value, key=b"k", partition=partition)
    return producer
