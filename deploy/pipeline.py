"""The state of the pipeline in Kafka and ClickHouse, which the API shows to operators."""

import asyncio
import threading
import time
from collections import Counter
from datetime import datetime

from aiokafka.errors import KafkaError

from api.context import SourcesUnknown
from api.schemas.pipeline import Pipeline, SourceStanding
from deploy.errors import UserError
from deploy.partition_status import PartitionStatus, partition_statuses, watermark_of
from deploy.settings import Settings
from streams.dead_letters import read_dead_letters
from streams.log import held_back

HELD_SECONDS = 5.0
"""How long the list of open transactions is cached, because probes are frequent."""

LETTERS_SECONDS = 60.0
"""How long the number of dead letters is cached: counting reads their whole topic."""


class PipelineMonitor:
    """Reads the state of the pipeline when called; thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counts: Counter[str] = Counter()
        self._counted_at: datetime | None = None
        self._counted = float("-inf")
        self._counting = threading.Lock()

    def __call__(self) -> Pipeline:
        """Return the current state, with dead letters at most a minute old. Raises SourcesUnknown while Kafka is
        unavailable."""
        try:
            found = partition_statuses(self._settings)
            letters, counted_at = self._letters()
        except (KafkaError, OSError, UserError) as error:
            raise SourcesUnknown(f"Kafka does not report the end of its log ({type(error).__name__})") from error
        return Pipeline(
            lag=sum(standing.lag for standing in found),
            data_refreshed_at=watermark_of(found),
            sources=[_shown(standing) for standing in found],
            dead_letters=dict(letters.most_common()),
            dead_letters_counted_at=counted_at,
        )

    def _letters(self) -> tuple[Counter[str], datetime]:
        with self._counting:
            if self._counted_at is None or time.monotonic() - self._counted >= LETTERS_SECONDS:
                self._counts, self._counted_at = asyncio.run(self._count()), self._settings.clock()
                self._counted = time.monotonic()
            return self._counts, self._counted_at

    async def _count(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        async for letter in read_dead_letters(self._settings.kafka_bootstrap, options=self._settings.client_options()):
            counts[letter.reason] += 1
        return counts


class HeldBack:
    """Describes the sources that an open transaction holds back, at most HELD_SECONDS old; thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, str] = {}
        self._looked = float("-inf")
        self._looking = threading.Lock()

    def __call__(self) -> dict[str, str]:
        """Return a description by source. Raises aiokafka's and clickhouse-connect's errors if one of them is
        unavailable."""
        with self._looking:
            if time.monotonic() - self._looked >= HELD_SECONDS:
                found = [one for one in partition_statuses(self._settings) if one.is_held]
                self._known = {one.source: held_back(one.topic, one.partition, one.readable) for one in found}
                self._looked = time.monotonic()
            return self._known


def _shown(standing: PartitionStatus) -> SourceStanding:
    return SourceStanding(
        source=standing.source,
        topic=standing.topic,
        partition=standing.partition,
        next_offset=standing.next_offset,
        log_start=standing.log_start,
        log_end=standing.log_end,
        lag=standing.lag,
        watermark=standing.watermark,
        is_stuck=standing.is_stuck,
        is_held=standing.is_held,
    )
