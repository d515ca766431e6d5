"""Where every source stands in its log: what `tally positions`, `tally epoch` and `tally top` look at."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregators.source import FOLD_VERSION
from deploy.audit import note_money
from deploy.connections import open_store
from deploy.errors import ExitCode, UserError
from deploy.settings import Settings
from sinks.positions import NO_WATERMARK, Position
from streams.log import Bounds, KafkaLog
from streams.record_batch import Partition
from streams.source_names import source_name
from tally_client.events import EVENTS_BY_TOPIC


@dataclass(frozen=True)
class PartitionStatus:
    """One source: its stored position (None: nothing of it is folded yet), and the log `[log_start, log_end)`, of
    which an open transaction hides what begins at `readable` (`log_end` without one)."""

    topic: str
    partition: int
    source: str
    position: Position | None
    log_start: int
    log_end: int
    readable: int

    @property
    def next_offset(self) -> int:
        """The offset that is folded next."""
        return self.position.next_offset if self.position else 0

    @property
    def lag(self) -> int:
        """Offsets of the log that are not in the tables yet."""
        return max(0, self.log_end - max(self.next_offset, self.log_start))

    @property
    def missing(self) -> range:
        """Offsets that the log lost before they were folded."""
        return range(self.next_offset, self.log_start)

    @property
    def is_beyond(self) -> bool:
        """Whether the source stands past the log's end: the topic is another one, or was cut."""
        return self.next_offset > self.log_end

    @property
    def is_held(self) -> bool:
        """Whether nothing but an open transaction keeps the source from its log's end."""
        return self.readable < self.log_end and self.readable <= self.next_offset < self.log_end

    @property
    def is_stuck(self) -> bool:
        """Whether it stands outside its log and waits for a person."""
        return bool(self.missing) or self.is_beyond

    @property
    def watermark(self) -> datetime | None:
        """All that the log had received by then is in the tables; None while that is unknown."""
        return self.position.watermark if self.position and self.position.watermark > NO_WATERMARK else None


def watermark_of(found: Sequence[PartitionStatus]) -> datetime | None:
    """All that the whole log had received by then is in the tables (data_refreshed_at); None while unknown."""
    known = [standing.watermark for standing in found if standing.watermark is not None]
    return min(known) if known and len(known) == len(found) else None


def partition_statuses(settings: Settings, topics: Iterable[str] = tuple(EVENTS_BY_TOPIC)) -> list[PartitionStatus]:
    """All sources of these topics, by topic and partition; a topic that does not exist has none.

    Positions are read before the log's ends, so that nothing seems to be ahead of its log. Raises what aiokafka and
    clickhouse-connect raise when one of them is away.
    """
    store = open_store(settings)
    try:
        epochs, positions = store.epochs(), store.positions()
        bounds = asyncio.run(_bounds(settings, list(topics)))
    finally:
        store.client.close()
    return [
        PartitionStatus(*place, source_name(*place, epochs), positions.get(source_name(*place, epochs)), *bounds[place])
        for place in bounds
    ]


def partition_status(settings: Settings, topic: str, partition: int) -> PartitionStatus:
    """One source. Raises UserError when there is no such topic or partition."""
    require_topic(topic)
    found = [standing for standing in partition_statuses(settings, [topic]) if standing.partition == partition]
    if not found:
        message = f"{topic} has no partition {partition} in Kafka at {settings.kafka_bootstrap}"
        raise UserError(message, "`tally positions list` shows what there is.", ExitCode.REFUSED)
    return found[0]


def require_topic(topic: str) -> None:
    """Raises UserError unless this is a topic of events."""
    if topic not in EVENTS_BY_TOPIC:
        raise UserError(f"{topic} is no topic of events", f"They are {', '.join(EVENTS_BY_TOPIC)}.")


def accept_loss(settings: Settings, standing: PartitionStatus) -> None:
    """Let the source go on at its log's start, and write down what is lost (table accepted_losses)."""
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
