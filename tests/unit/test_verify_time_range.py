"""A range of windows: which ones it holds, and that a recount from its first record on is the whole recount's part."""

import random
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from intake.ndjson import ProducerRecord
from simulation import Plan, simulate
from verify.log_recount import warmed
from verify.records import Record
from verify.recount import Options, Recount, recount
from verify.scratch import Scratch
from verify.snapshot import Snapshot
from verify.tables import CELL_TABLES
from verify.time_range import TimeRange, span_of
from verify.validity import AHEAD

TOPIC = "tally.chat"
UNTIL = date(2026, 11, 20)
OPTIONS = Options(block_size=16, blocks=2)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_range_of_hours_holds_the_days_that_lie_in_it_whole() -> None:
    within = TimeRange(moment("2026-11-01T05"), moment("2026-11-03T00")).within("")
    assert within["hour"] == ("2026-11-01 05:00:00", "2026-11-03 00:00:00")
    assert within["day"] == ("2026-11-02", "2026-11-03")
    assert TimeRange(moment("2026-11-01"), moment("2026-11-01T07")).within("")["day"] == ("2026-11-01", "2026-11-01")
    assert TimeRange().within("2026-11-02 00:10:00")["minute"] == ("2026-11-02 00:10:00", "")
    assert TimeRange(moment("2026-11-04")).within("2026-11-02 00:10:00")["minute"] == ("2026-11-04 00:00:00", "")


def test_texts_name_days_and_hours_in_utc() -> None:
    assert span_of("2026-11-01", "2026-11-01T05") == TimeRange(moment("2026-11-01"), moment("2026-11-01T05"))
    assert span_of("2026-11-01T05:00+03:00", None) == TimeRange(moment("2026-11-01T02"))
    with pytest.raises(Exception, match="is not before"):
        span_of("2026-11-02", "2026-11-02")


def again(earlier: ProducerRecord, line: ProducerRecord, dice: random.Random) -> ProducerRecord:
    """The earlier line, or the later one under its id, where both have one."""
    old, new = (re.search(rb'"event_id":"[^"]{36}"', each.value or b"") for each in (earlier, line))
    if dice.random() < 0.5 or not (old and new):
        return earlier
    return line._replace(value=(line.value or b"").replace(new[0], old[0]))


def log(seed: int) -> list[Record]:
    """A log in the order of its log times, with late events, repeats, and ids that come again with another event."""
    plan = Plan(UNTIL, seed=seed, organizations=3, users=15, days=8, duplicates=0.3, late=0.1, poison=0.05)
    records: list[Record] = []
    clock = int(moment("2026-11-12").timestamp() * 1000)
    dice = random.Random(seed)
    lines = [line for line in simulate(plan) if line.topic == TOPIC and line.occurred_at]
    for place in range(20, len(lines), 3):
        lines[place] = again(lines[place - dice.randrange(1, 20)], lines[place], dice)
    for offset, line in enumerate(lines):
        at = datetime.fromisoformat(line.occurred_at).timestamp() * 1000 if line.occurred_at[:3] == "202" else 0
        clock = min(max(clock, int(at)), int(moment("2026-11-20").timestamp() * 1000))
        records.append(Record(TOPIC, 0, offset, clock, line.key, line.value))
    return records


def part(records: list[Record], span: TimeRange, *, is_warmed: bool = True) -> Recount:
    """The recount that reads only from the first record on that can count in `span`."""
    assert span.since is not None
    since = span.since.timestamp() * 1000 - AHEAD / 1000
    start = next((each.offset for each in records if each.timestamp_ms >= since), len(records))
    bounds = {(TOPIC, 0): (0, len(records))}
    options, snapshot = warmed(
        replace(OPTIONS, within=span.within("")), Snapshot({}, bounds, bounds, {}), {(TOPIC, 0): start}
    )
    return recount(records[snapshot.needed[TOPIC, 0] if is_warmed else start :], options)


def whole(records: list[Record], span: TimeRange) -> dict[str, Any]:
    return recount(records, replace(OPTIONS, within=span.within(""))).cells


def spans(seed: int) -> Iterable[TimeRange]:
    dice = random.Random(seed)
    for _ in range(8):
        since = moment("2026-11-12") + timedelta(hours=dice.randrange(24 * 8))
        yield TimeRange(since, dice.choice((None, since + timedelta(hours=dice.randrange(1, 60)))))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_counted_from_a_ranges_first_record_on_is_what_the_whole_log_counts_in_it(seed: int) -> None:
    records = log(seed)
    for span in spans(seed):
        assert part(records, span).cells == whole(records, span)


def test_without_the_horizon_before_it_a_range_would_count_repeats() -> None:
    found = [
        (part(records, span, is_warmed=False).cells, whole(records, span))
        for seed in range(3)
        for records in [log(seed)]
        for span in spans(seed)
    ]
    assert any(cells != right for cells, right in found)


@pytest.mark.parametrize("seed", range(2))
def test_what_goes_through_the_scratch_bit_by_bit_is_what_is_counted_at_once(seed: int) -> None:
    records, dice = log(seed), random.Random(seed)
    counted, at_once, scratch = Recount(OPTIONS), recount(records, OPTIONS), Scratch()
    for record in records:
        counted.add(record)
        if dice.random() < 0.02:
            scratch.take(counted)
    scratch.end_source(counted, f"{TOPIC}/0@0", show=3)
    for table, cells in at_once.cells.items():
        assert [(key, list(row)) for key, row in scratch.cells(table)] == sorted(cells.items())
        added = sum(row[1] for row in cells.values())
        assert sum(row[0] for _, row in scratch.sums(table)) == added
        assert len(CELL_TABLES[table].counters) + 1 == len(next(iter(cells.values()), [0] * 99)) or not cells
    assert [key[0] for key, _ in scratch.rows("letters")] == sorted(at_once.letters)
    assert len(scratch.repeats) == 3
    assert scratch.more_repeats > 0
