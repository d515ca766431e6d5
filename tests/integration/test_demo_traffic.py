"""The demo's live traffic: recent usage happens again, now, under new ids, and nothing else does."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from deploy.demo_traffic import RECURRING, play
from deploy.settings import Settings
from simulation import Plan, simulate
from streams.topics import ensure_topics, topic_specs
from tally_client.emitter import Emitter
from tally_client.events import EVENTS_BY_TOPIC
from tests.support.kafka_topics import records_of

PLAN = Plan(until=date(2026, 11, 2), organizations=1, users=10, days=3, poison=0.1)


async def _log(bootstrap: str) -> list[Any]:
    return [record for topic in EVENTS_BY_TOPIC for record in await records_of(bootstrap, topic)]


async def _until_more(bootstrap: str, seen: int, playing: "asyncio.Task[None]") -> list[Any]:
    while len(found := await _log(bootstrap)) < seen + 10:
        assert not playing.done(), playing.exception()
        await asyncio.sleep(0.1)
    return found


async def test_usage_of_the_log_happens_again_now(own_kafka: str) -> None:
    await ensure_topics(own_kafka, topic_specs(2))
    settings = Settings(kafka_bootstrap=own_kafka)
    await play(settings)  # an empty log has nothing that could happen again
    async with Emitter(own_kafka) as emitter:
        for line in simulate(PLAN):
            await emitter.emit_raw(line.topic, line.key, line.value)
    history = {(record.topic, record.partition, record.offset) for record in await _log(own_kafka)}
    began = datetime.now(UTC)
    playing = asyncio.create_task(play(settings))
    found = await _until_more(own_kafka, len(history), playing)
    playing.cancel()
    await asyncio.wait([playing])
    added = [record for record in found if (record.topic, record.partition, record.offset) not in history]
    events = [orjson.loads(record.value) for record in added]
    assert {event["type"] for event in events} <= RECURRING
    assert len({event["event_id"] for event in events}) == len(events) >= 10
    actors = {record.key for record in found if (record.topic, record.partition, record.offset) in history}
    assert {record.key for record in added} <= actors, "someone who is not in the history is active"
    for event in events:
        at = datetime.fromisoformat(event["occurred_at"])
        assert began <= at <= datetime.now(UTC) + timedelta(seconds=1)
