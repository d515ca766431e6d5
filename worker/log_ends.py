"""End offsets of the logs: read within a time limit, and no longer once the process ends."""

import asyncio
from collections.abc import Iterable, Mapping

from streams.log import Ends
from streams.record_batch import Partition
from worker.partition_state import Log

TIMEOUT_SECONDS = 5.0


class LogEnds:
    """Reads end offsets, one request at a time."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._request: asyncio.Future[dict[Partition, Ends]] | None = None
        self._hurries = False

    def hurry(self) -> None:
        """Cancel the request in flight, and make none from now on."""
        self._hurries = True
        if self._request is not None:
            self._request.cancel()

    async def read(self, partitions: Iterable[Partition]) -> Mapping[Partition, Ends]:
        """Return where these partitions end; nothing after `hurry`. Raises what the log raises, and TimeoutError."""
        wanted = list(partitions)
        if self._hurries or not wanted:
            return {}
        self._request = asyncio.ensure_future(self._log.end_offsets(wanted))
        try:
            await asyncio.wait([self._request], timeout=TIMEOUT_SECONDS)
            if not self._request.done():
                raise TimeoutError(f"no answer within {TIMEOUT_SECONDS:g} s")
            return {} if self._request.cancelled() else self._request.result()
        finally:
            self._request.cancel()
