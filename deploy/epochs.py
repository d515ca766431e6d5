"""Starts a new epoch of a topic: its log is folded from its start, under new source names.

`continue` keeps counting what older epochs left in the tables: for a topic that was deleted and recreated, whose new
log contains other events. `replace` leaves older epochs out of every view: for a log that is to be folded again.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from aggregators.prepared_batch import fingerprint
from deploy.audit import note_money
from deploy.connections import open_store
from deploy.counts import counted
from deploy.errors import ExitCode, UserError
from deploy.partition_status import PartitionStatus, partition_statuses, require_topic
from deploy.settings import Settings
from streams.log import KafkaLog

Mode = Literal["continue", "replace"]


@dataclass(frozen=True)
class NewEpoch:
    """An epoch that may be started, with a description of its effects."""

    topic: str
    number: int
    mode: Mode
    consequences: tuple[str, ...]


def plan_epoch(settings: Settings, topic: str, mode: Mode) -> NewEpoch:
    """Return the next epoch of `topic`, not started yet.

    Raises UserError if the topic does not exist, and for `continue` on a log that was folded already: its events would
    count twice.
    """
    require_topic(topic)
    found = partition_statuses(settings, [topic])
    if not found:
        message = f"Kafka at {settings.kafka_bootstrap} has no topic {topic}"
        raise UserError(message, "Create it with `tally topics create`.", ExitCode.REFUSED)
    known = [standing for standing in found if mode == "continue" and asyncio.run(_is_folded(settings, standing))]
    if known:
        message = (
            f"The log of {known[0].topic}/{known[0].partition} is the one that was folded: all of it would count twice"
        )
        raise UserError(message, "--mode replace folds it again and counts it once.", ExitCode.REFUSED)
    store = open_store(settings)
    try:
        number = store.epochs().get(topic, 0) + 1
    finally:
        store.client.close()
    return NewEpoch(topic, number, mode, tuple(_consequences(topic, number, mode, found)))


def start_epoch(settings: Settings, epoch: NewEpoch) -> None:
    """Write the epoch; running workers see it at their next flush and reassign their sources."""
    store = open_store(settings)
    try:
        now = settings.clock()
        note_money(store.client, now, {"epoch": epoch.number, "topic": epoch.topic, "mode": epoch.mode})
        store.write_epoch(epoch.topic, epoch.number, epoch.mode, now)
    finally:
        store.client.close()


async def _is_folded(settings: Settings, standing: PartitionStatus) -> bool:
    """Return True if the log is the one that the source was folded from, complete or truncated.

    Its first record is then from before the watermark, by which everything was folded; without a watermark, the record
    that was folded last is still the same.
    """
    if standing.position is None or standing.log_start == standing.log_end:
        return False
    async with KafkaLog(settings.kafka_bootstrap, settings.client_options()) as log:
        first = await _record_from(log, standing, standing.log_start)
        if first is not None and first.timestamp <= standing.position.watermark.timestamp() * 1000:
            return True
        known = standing.position.last_record
        last = await _record_from(log, standing, int(known.partition(":")[0])) if known else None
    return last is not None and fingerprint(last) == known


async def _record_from(log: KafkaLog, standing: PartitionStatus, offset: int) -> Any:
    """Return the first record of the log at or after `offset`."""
    if not standing.log_start <= offset < standing.readable:
        return None
    records = log.read((standing.topic, standing.partition), offset, standing.readable)
    async with aclosing(records):
        return await anext(records, None)


def _consequences(topic: str, number: int, mode: Mode, found: list[PartitionStatus]) -> list[str]:
    records = sum(standing.log_end - standing.log_start for standing in found)
    log = f"{counted(records, 'record')} in {counted(len(found), 'partition')}"
    kept = {
        "continue": f"Everything counted of {topic} so far stays, and the new log's events are added to it.",
        "replace": f"Everything counted of {topic} so far is left out of every view and report from now on.",
    }
    lines = [
        f"{topic} begins epoch {number}: its {log} will be folded from the start.",
        kept[mode],
        "Until they are folded, results that depend on this topic have no data_refreshed_at, and reports wait.",
    ]
    lines += [
        f"Partition {standing.partition} begins at offset {standing.log_start}: earlier records are gone, and its "
        f"worker will wait for `tally positions accept {topic} {standing.partition}`."
        for standing in found
        if standing.log_start > 0
    ]
    return lines
