"""How far the tables are behind the log."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from deploy.counts import counted
from deploy.doctor.findings import Finding
from deploy.partition_status import PartitionStatus
from streams.log import Bounds
from streams.record_batch import Partition

FRESH = timedelta(minutes=1)
STALE = timedelta(minutes=10)


def progress_findings(now: datetime, found: Sequence[PartitionStatus]) -> Iterator[Finding]:
    """Report whether each source is inside its log, the lag of each topic, and the age of the watermark."""
    yield from (finding for one in found for finding in position_findings(one))
    if not any(one.is_stuck for one in found):
        yield Finding("ok", f"all inside their logs: {counted(len(found), 'source')}", "source_positions")
    for topic in sorted({one.topic for one in found}):
        yield _lag_finding(topic, sum(one.lag for one in found if one.topic == topic))
    yield watermark_finding(now, [one.watermark for one in found])


def position_findings(one: PartitionStatus) -> Iterator[Finding]:
    """Return a problem if the source cannot be read from its position."""
    where, at = f"{one.topic}/{one.partition}", f"its position is offset {one.next_offset}, but its log"
    if one.missing:
        what = f"{at} begins at {one.log_start}: offsets {one.missing[0]} to {one.missing[-1]} are gone"
        remedy = f"Accept the loss with `tally positions accept {one.topic} {one.partition}`."
        yield Finding("problem", what, where, remedy)
    if one.is_beyond:
        what = f"{at} ends at {one.log_end}: the topic was recreated or truncated"
        yield Finding("problem", what, where, f"Start a new epoch with `tally epoch {one.topic}`.")


def _lag_finding(topic: str, behind: int) -> Finding:
    if not behind:
        return Finding("ok", "everything is in the tables", topic)
    remedy = "Wait if the number falls; if it does not, check the worker's log, or run more workers."
    return Finding("warning", f"{counted(behind, 'offset is', 'offsets are')} not in the tables yet", topic, remedy)


def hidden_findings(bounds: Mapping[Partition, Bounds]) -> list[Finding]:
    """Report open transactions: normal for a moment, a problem if they stay."""
    return [
        _hidden_finding(partition, found.readable)
        for partition, found in sorted(bounds.items())
        if found.readable < found.end
    ]


def _hidden_finding(partition: Partition, offset: int) -> Finding:
    remedy = (
        "Check again: if it is still there, its producer hangs or is gone. Kafka aborts it when it times out; "
        "end one that stays with `kafka-transactions.sh find-hanging` and `abort`."
    )
    what = f"it is held back by an open transaction, which hides offset {offset} and all after it"
    return Finding("warning", what, f"{partition[0]}/{partition[1]}", remedy)


def watermark_finding(now: datetime, watermarks: list[datetime | None]) -> Finding:
    """Report how long ago the tables are known to have had all of the log; a source that never reached its end has no
    watermark."""
    proved = [mark for mark in watermarks if mark is not None]
    remedy = "Workers set it when they reach the log's end: check the lag and the worker's log."
    if not proved or len(proved) < len(watermarks):
        missing = counted(len(watermarks) - len(proved), "source has", "sources have")
        return Finding("warning", f"data_refreshed_at is unknown: {missing} no watermark", "watermark", remedy)
    age = now - min(proved)
    what = f"data_refreshed_at is {min(proved):%Y-%m-%d %H:%M:%S} UTC, {max(0, round(age.total_seconds())):,} s ago"
    if age <= FRESH:
        return Finding("ok", what, "watermark")
    return Finding("warning" if age <= STALE else "problem", what, "watermark", remedy)
