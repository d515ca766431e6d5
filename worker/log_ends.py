"""Asking the log for its ends: within a bound, and not any more when the process ends."""

import asyncio
from collections.abc import Iterable, Mapping

from streams.log import Ends
from worker.partition_state import Log, Partition

ENDS_SECONDS = 5.0
"""How long an answer is waited for."""


class AskingEnds:
    """One question at a time."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._asking: asyncio.Future[dict[Partition, Ends]] | None = None
        self._hurries = False

    def hurry(self) -> None:
        """Break off the question under way, and ask none from now on."""
        self._hurries = True
        if self._asking is not None:
            self._asking.cancel()

    async def __call__(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        """Where these partitions end; nothing in a hurry. Raises what the log raises, and TimeoutError."""
        asked = list(partitions)
        if self._hurries or not asked:
            return {}
        self._asking = asyncio.ensure_future(self._log.end_offsets(asked))
        try:
            await asyncio.wait([self._asking], timeout=ENDS_SECONDS)
            if not self._asking.done():
                raise TimeoutError(f"no answer within {ENDS_SECONDS:g} s")
            return {} if self._asking.cancelled() else self._asking.result()
        finally:
            self._asking.cancel()
