"""One agent for each topic, which folds the batches of its topic one after another."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import faust

from streams.faust import RecordBatch

BatchHandler = Callable[[RecordBatch], Awaitable[int | None]]
"""Folds one batch; returns the offset to seek back to, or None."""


def add_agent(app: faust.App, topic: str, process: BatchHandler, failed: Callable[[BaseException], None]) -> None:
    """Add an agent that folds the batches of `topic`, one after another.

    An exception that leaves the agent would restart it with its batch lost and the process apparently healthy, so
    none does: `failed` ends the process.
    """

    async def fold(stream: Any) -> None:
        async for batch in stream:
            try:
                again = await process(batch)
                batch.records.clear()  # Faust holds on to events for a while, and these are megabytes
                if again is not None:
                    await app.consumer.seek_back((batch.topic, batch.partition), again, batch.assignment)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                failed(error)

    channel = app.topic(topic, value_serializer="raw", key_serializer="raw")
    app.agent(channel, name=f"fold {topic}")(fold)
