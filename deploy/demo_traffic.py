"""The demo's live traffic: usage that the log ends with happens again now, so that Live and `tally top` move."""

import asyncio
import random
from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec

from deploy.settings import Settings
from streams.log import KafkaLog
from tally_client.emitter import Emitter
from tally_client.events import DIRECTORY, EVENTS_BY_TOPIC, PROFILES, Event
from tally_client.validity import InvalidRecord, read

EVENTS_PER_SECOND = 5.0
RECENT_RECORDS = 500
"""How many records at the end of each partition are read as examples."""

RECURRING = frozenset(
    {
        *("chat.message", "token.used", "execution.used", "connector.called", "skill.used", "plugin.used"),
        *("project.used", "artifact.viewed", "session.activity"),
    }
)
"""Types of events that happen to the same thing again; nothing is created or shared twice."""


async def play(settings: Settings) -> None:
    """Emit recurring usage of the log as new events, at random moments, until cancelled; nothing if there is none.

    Raises UndeliverableEvent or aiokafka's KafkaError when Kafka is no longer there.
    """
    async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
        examples = [event async for event in _recent(log, settings)]
    dice = random.Random()
    async with Emitter(settings.kafka_bootstrap, **settings.client_options()) as emitter:
        while examples:
            await asyncio.sleep(dice.expovariate(EVENTS_PER_SECOND))
            event = dice.choice(examples)
            now = settings.clock()
            await emitter.emit(msgspec.structs.replace(event, event_id=str(uuid4()), occurred_at=now))


async def _recent(log: KafkaLog, settings: Settings) -> AsyncIterator[Event]:
    topics = [topic for topic in EVENTS_BY_TOPIC if topic not in (DIRECTORY, PROFILES)]
    for partition, (start, _, end) in (await log.bounds(await log.partitions(topics))).items():
        async for record in log.read(partition, max(start, end - RECENT_RECORDS), end):
            try:
                event = read(partition[0], record.value, settings.clock())
            except (InvalidRecord, msgspec.MsgspecError, TypeError, UnicodeError):
                continue
            if event.__struct_config__.tag in RECURRING:
                yield event
