"""How far the tables are behind the log."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from deploy.counts import counted
from deploy.doctor.findings import Finding
from streams.log import Bounds
from streams.record_batch import Partition

FRESH = timedelta(minutes=1)
STALE = timedelta(minutes=10)

Positions = Mapping[str, tuple[int, datetime]]


def progress_findings(
    now: datetime, bounds: Mapping[Partition, Bounds], positions: Positions, epochs: Mapping[str, int]
) -> Iterator[Finding]:
    """Report whether each source is inside its log, the lag of each topic, and the age of the watermark."""
    places = {each: positions.get(f"{each[0]}/{each[1]}@{epochs.get(each[0], 0)}") for each in bounds}
    lost = [finding for each, found in bounds.items() for finding in position_findings(each, places[each], found)]
    yield from lost
    if not lost:
        yield Finding("ok", f"all inside their logs: {counted(len(bounds), 'source')}", "source_positions")
    for topic in sorted({topic for topic, _ in bounds}):
        yield _lag_finding(
            topic, sum(_behind(places[each], found) for each, found in bounds.items() if each[0] == topic)
        )
    yield watermark_finding(now, [place[1] if place else None for place in places.values()])


def position_findings(partition: Partition, place: tuple[int, datetime] | None, bounds: Bounds) -> Iterator[Finding]:
    """Return a problem if the source cannot be read from its position."""
    (topic, number), (start, end, _), offset = partition, bounds, place[0] if place else 0
    where = f"{topic}/{number}"
    if offset < start:
        what = (
            f"its position is offset {offset}, but its log begins at {start}: offsets {offset} to {start - 1} are gone"
        )
        yield Finding("problem", what, where, f"Accept the loss with `tally positions accept {topic} {number}`.")
    if offset > end:
        what = f"its position is offset {offset}, but its log ends at {end}: the topic was recreated or truncated"
        yield Finding("problem", what, where, f"Start a new epoch with `tally epoch {topic}`.")


def _behind(place: tuple[int, datetime] | None, bounds: Bounds) -> int:
    return max(0, bounds.end - (place[0] if place else bounds.start))


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
    proved = [mark for mark in watermarks if mark is not None and mark.year > 1970]
    remedy = "Workers set it when they reach the log's end: check the lag and the worker's log."
    if not proved or len(proved) < len(watermarks):
        missing = counted(len(watermarks) - len(proved), "source has", "sources have")
        return Finding("warning", f"data_refreshed_at is unknown: {missing} no watermark", "watermark", remedy)
    age = now - min(proved)
    what = f"data_refreshed_at is {min(proved):%Y-%m-%d %H:%M:%S} UTC, {max(0, round(age.total_seconds())):,} s ago"
    if age <= FRESH:
        return Finding("ok", what, "watermark")
    return Finding("warning" if age <= STALE else "problem", what, "watermark", remedy)
