"""Calls to ClickHouse from the event loop: each runs in a thread and is retried while ClickHouse is unavailable."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from sinks.client import retry_async_while_unavailable

T = TypeVar("T")
P = ParamSpec("P")
logger = logging.getLogger("tally.sources")


class StoreCalls:
    """Runs blocking calls `in_thread`. `retrying` is the reason while one is being retried, otherwise empty."""

    def __init__(self, in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread) -> None:
        self.retrying = ""
        self._in_thread = in_thread

    async def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of `call`, retried indefinitely on transient errors; any other error is raised."""

        async def attempt() -> T:
            result: T = await self._in_thread(call, *args, **kwargs)
            return result

        result = await retry_async_while_unavailable(attempt, self._note_retry)
        self.retrying = ""
        return result

    def _note_retry(self, error: BaseException, attempt: int) -> None:
        self.retrying = f"ClickHouse refuses requests, retrying: {error}"
        if attempt in (1, 5) or attempt % 20 == 0:
            logger.warning("%s", self.retrying)
