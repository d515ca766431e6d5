"""Waits until the tables have everything that the log had at the start of the wait."""

import asyncio
import time
from collections.abc import Callable

from deploy.connections import open_store
from deploy.counts import counted
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from streams.log import KafkaLog
from streams.source_names import source_name
from tally_client.events import EVENTS_BY_TOPIC

POLL_SECONDS = 0.3

OnProgress = Callable[[int, int], None]
"""(records folded, records in the log)"""


def wait_until_folded(
    settings: Settings, timeout: float = 600.0, on_progress: OnProgress = lambda _done, _total: None
) -> int:
    """Wait until all records in the log are folded and stored, and return their number.

    Raises UserError after `timeout` seconds without any progress.
    """
    return asyncio.run(_wait(settings, timeout, on_progress))


async def _wait(settings: Settings, timeout: float, on_progress: OnProgress) -> int:
    store = open_store(settings)
    async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
        ends = await log.end_offsets(await log.partitions(EVENTS_BY_TOPIC))
    epochs = store.epochs()
    wanted = {source_name(*partition, epochs): found.end for partition, found in ends.items()}
    total, best, moved_at = sum(wanted.values()), -1, time.monotonic()
    while True:
        positions = await asyncio.to_thread(store.positions)
        reached = {source: positions[source].next_offset if source in positions else 0 for source in wanted}
        done = sum(min(reached[source], end) for source, end in wanted.items())
        on_progress(done, total)
        if done == total:
            return total
        if done > best:
            best, moved_at = done, time.monotonic()
        elif time.monotonic() - moved_at > timeout:
            records = counted(total - done, "record is", "records are")
            message = f"{records} not folded, and there was no progress for {timeout:.0f} s"
            raise UserError(message, "Run `tally doctor`.", ExitCode.UNREACHABLE)
        await asyncio.sleep(POLL_SECONDS)
