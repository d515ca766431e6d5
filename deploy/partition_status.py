"""The position of every source in its log, for `tally positions`, `tally epoch` and `tally top`."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregators.source import FOLD_VERSION
from deploy.audit import note_money
from deploy.connections import open_store
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from sinks.positions import NO_WATERMARK, Position, folded_until, is_beyond, lag, missing_offsets
from streams.log import Bounds, KafkaLog
from streams.record_batch import Partition
from streams.source_names import source_name
from tally_client.events import EVENTS_BY_TOPIC


@dataclass(frozen=True)
class PartitionStatus:
    """One source: its stored position (None: nothing of it is folded yet), and its log `[log_start, log_end)`, of which
    an open transaction hides everything from `readable` on (equal to `log_end` if there is none)."""

    topic: str
    partition: int
    source: str
    position: Position | None
    log_start: int
    log_end: int
    readable: int

    @property
    def next_offset(self) -> int:
        """The next offset to fold."""
        return folded_until(self.position)

    @property
    def lag(self) -> int:
        """The number of offsets in the log that are not in the tables yet."""
        return lag(self.next_offset, self.log_end, self.log_start)

    @property
    def missing(self) -> range:
        """The offsets that were removed from the log before they were folded."""
        return missing_offsets(self.next_offset, self.log_start)

    @property
    def is_beyond(self) -> bool:
        """True if the position is past the log's end: the topic was recreated or truncated."""
        return is_beyond(self.next_offset, self.log_end)

    @property
    def is_held(self) -> bool:
        """True if only an open transaction keeps the source from its log's end."""
        return self.readable < self.log_end and self.readable <= self.next_offset < self.log_end

    @property
    def is_stuck(self) -> bool:
        """True if the position is outside the log, so that the operator has to act."""
        return bool(self.missing) or self.is_beyond

    @property
    def watermark(self) -> datetime | None:
        """Everything that the log had received by then is in the tables; None while unknown."""
        return self.position.watermark if self.position and self.position.watermark > NO_WATERMARK else None


def watermark_of(found: Sequence[PartitionStatus]) -> datetime | None:
    """Return the watermark of the whole log (data_refreshed_at); None while unknown."""
    known = [standing.watermark for standing in found if standing.watermark is not None]
    return min(known) if known and len(known) == len(found) else None


def partition_statuses(settings: Settings, topics: Iterable[str] = tuple(EVENTS_BY_TOPIC)) -> list[PartitionStatus]:
    """Return all sources of these topics, by topic and partition; a topic that does not exist has none.

    Positions are read before the log's ends, so that no position appears to be ahead of its log. Raises aiokafka's and
    clickhouse-connect's errors if one of them is unavailable.
    """
    store = open_store(settings)
    try:
        epochs, positions = store.epochs(), store.positions()
        bounds = asyncio.run(_bounds(settings, list(topics)))
    finally:
        store.client.close()
    return compare(bounds, epochs, positions)


def compare(
    bounds: Mapping[Partition, Bounds], epochs: Mapping[str, int], positions: Mapping[str, Position]
) -> list[PartitionStatus]:
    """Return the status of each partition in `bounds`, in that order."""
    names = {place: source_name(*place, epochs) for place in bounds}
    return [PartitionStatus(*place, name, positions.get(name), *bounds[place]) for place, name in names.items()]


def partition_status(settings: Settings, topic: str, partition: int) -> PartitionStatus:
    """Return one source. Raises UserError if there is no such topic or partition."""
    require_topic(topic)
    found = [standing for standing in partition_statuses(settings, [topic]) if standing.partition == partition]
    if not found:
        message = f"{topic} has no partition {partition} in Kafka at {settings.kafka_bootstrap}"
        raise UserError(message, "`tally positions list` shows all partitions.", ExitCode.REFUSED)
    return found[0]


def require_topic(topic: str) -> None:
    """Raise UserError unless this is an event topic."""
    if topic not in EVENTS_BY_TOPIC:
        raise UserError(f"{topic} is not an event topic", f"The event topics are {', '.join(EVENTS_BY_TOPIC)}.")


def accept_loss(settings: Settings, standing: PartitionStatus) -> None:
    """Move the source to its log's start, and record the loss (table accepted_losses)."""
    store = open_store(settings)
    position = standing.position or Position(standing.source, 0, NO_WATERMARK, FOLD_VERSION, "")
    try:
        now = settings.clock()
        note_money(store.client, now, {"accepted": standing.source, "lost": len(standing.missing)})
        store.accept_loss(position, standing.log_start, now)
    finally:
        store.client.close()


async def _bounds(settings: Settings, topics: list[str]) -> dict[Partition, Bounds]:
    async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
        return await log.bounds(await log.partitions(topics))
