"""Transient Kafka errors, retries while they last, and broker error codes as exceptions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaConnectionError, for_code
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    stop_never,
    wait_exponential_jitter,
)

T = TypeVar("T")
logger = logging.getLogger("tally.kafka")


def is_transient(error: BaseException) -> bool:
    """Return whether a retry can help: the broker is unavailable, starting, or electing a leader."""
    return isinstance(error, TimeoutError | KafkaConnectionError) or bool(getattr(error, "retriable", False))


async def retry_while_kafka_is_unavailable(
    call: Callable[[], Awaitable[T]], problem: str, timeout: float | None = None
) -> T:
    """Return the result of `call`, retried on transient errors, 0.2 s to 3 s apart; any other error is raised.

    Each retry is logged as `problem`; without one, silently. Without a `timeout` (seconds) it retries indefinitely;
    after it, the last error is raised.
    """

    def before_sleep(state: RetryCallState) -> None:
        if problem and state.outcome is not None:
            logger.warning("%s, retrying: %s", problem, state.outcome.exception())

    async def attempt() -> T:
        return await call()  # tenacity awaits coroutine functions alone, not a lambda that returns a coroutine

    retrying = AsyncRetrying(
        retry=retry_if_exception(is_transient),
        wait=wait_exponential_jitter(multiplier=0.2, max=3, jitter=0.1),
        stop=stop_never if timeout is None else stop_after_delay(timeout),
        before_sleep=before_sleep,
        sleep=asyncio.sleep,
        reraise=True,
    )
    return await retrying(attempt)


def raise_for(code: int, message: str) -> None:
    """Raise the KafkaError of `code`; 0 is no error."""
    if code:
        raise for_code(code)(message)
