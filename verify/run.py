"""`tally verify`: read positions, then the log up to them, then the tables; report every difference with its key."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from verify.checks import Checks
from verify.compare import Key
from verify.dead_letters import TOPIC as LETTERS
from verify.log import Log, Partition, open_log
from verify.log_recount import LogRecount, OnProgress, warmed
from verify.recount import DIRECTORY, PROFILES, TOPICS, Options, Recount
from verify.scratch import Scratch
from verify.snapshot import Snapshot
from verify.table_reader import TableReader
from verify.tables import CELL_TABLES
from verify.time_range import TimeRange
from verify.tracing import Gap, Trace
from verify.verdict import Difference, TableResult, TopicResult, Verdict

LIVE_MINUTES = timedelta(days=7)
POLL_SECONDS = 0.5


def run(
    client: Client,
    bootstrap: str,
    kafka_options: Mapping[str, Any],
    *,
    now: datetime,
    block_size: int,
    blocks: int,
    span: TimeRange,
    wait_seconds: float,
    show: int,
    on_progress: OnProgress,
) -> Verdict:
    """Recount the log and compare every table, the dead letters and the views that reports read with it.

    `span` limits it to the windows of a range. Waits up to `wait_seconds` until the tables reach the log's present end;
    0 compares immediately, up to the tables' positions. Keeps at most `show` differences per table. Memory is bounded,
    whatever the log's length. `client` reads the tables; `kafka_options` are aiokafka's connection keywords; the
    duplicate horizon is `blocks` blocks of `block_size` offsets. Raises ReadFailed, and the errors of aiokafka and
    clickhouse-connect if Kafka or ClickHouse cannot be reached.
    """
    options = Options(block_size, blocks, within=span.within(_live_from(now)))

    async def verdict() -> Verdict:
        with closing(Scratch()) as scratch:
            async with open_log(bootstrap, kafka_options) as log:
                verification = _Verification(options, span, TableReader(client), scratch, log, show, on_progress)
                return await verification.verdict(wait_seconds)

    began = time.monotonic()
    found = asyncio.run(verdict())
    found.seconds = round(time.monotonic() - began, 3)
    return found


def _live_from(now: datetime) -> str:
    return (now - LIVE_MINUTES).astimezone(UTC).strftime("%Y-%m-%d %H:%M:00")


@dataclass(frozen=True)
class _Verification:
    options: Options
    span: TimeRange
    stored: TableReader
    scratch: Scratch
    log: Log
    show: int
    on_progress: OnProgress

    @property
    def reading(self) -> LogRecount:
        return LogRecount(self.log, self.on_progress)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to recount. Profiles have no windows, so a range leaves them out."""
        return TOPICS if self.span.is_all else tuple(topic for topic in TOPICS if topic != PROFILES)

    async def verdict(self, wait_seconds: float) -> Verdict:
        settled = await self._settled(wait_seconds)
        windowed = [each for each in settled.bounds if each[0] != DIRECTORY]
        starts = await self.reading.starts(windowed, self.span)
        options, snapshot = warmed(replace(self.options, epochs=settled.epochs), settled, starts)
        reached, lost = snapshot.reached(), frozenset(snapshot.lost())
        recount = await self.reading.recount(snapshot, options, reached, self.scratch, self.show)
        if self.span.is_all:
            await self.reading.letters(self.scratch)
        is_still = await self._is_still(snapshot)
        hidden = await self.log.hidden(await self.log.bounds((*self.topics, LETTERS)))
        checks = Checks(self.stored, self.scratch, options, self.span, reached, lost, is_still, self.show)
        unfinished = [*_hidden(hidden), *_unfinished(snapshot, wait_seconds, hidden)]
        verdict = Verdict(_topics(recount), unfinished=unfinished, notes=_notes(self.scratch))
        verdict.tables = self._watched("comparing tables", checks.tables())
        await self._compare_totals(verdict, checks, snapshot)
        await self._name_offsets(verdict, snapshot, options)
        return verdict

    async def _settled(self, wait_seconds: float) -> Snapshot:
        """Return the first snapshot in which the tables reach the log's end at the start, or the last one in time."""
        epochs, awaited = self.stored.epochs(), await self.log.bounds(self.topics)
        deadline = time.monotonic() + wait_seconds
        while True:
            positions = self.stored.positions()
            snapshot = Snapshot(positions, await self.log.bounds(self.topics), awaited, epochs)
            lag = sum(snapshot.behind().values())
            if not lag or time.monotonic() >= deadline:
                return snapshot
            self.on_progress(f"waiting for {lag:,} records to be counted", 0, 0)
            await asyncio.sleep(POLL_SECONDS)

    async def _is_still(self, snapshot: Snapshot) -> bool:
        """Return True if all of the log is counted and nothing was written to it since, so that nothing moves."""
        return snapshot.is_whole() and await self.log.bounds(self.topics) == snapshot.bounds

    def _watched(self, what: str, results: Iterable[TableResult]) -> list[TableResult]:
        done: list[TableResult] = []
        for result in results:
            done.append(result)
            self.on_progress(f"{what}: {result.name}", len(done), 0)
        return done

    async def _compare_totals(self, verdict: Verdict, checks: Checks, snapshot: Snapshot) -> None:
        earlier = checks.earlier_epochs()
        if earlier:
            verdict.notes.append(
                f"{sum(earlier.values())} rows are of earlier epochs ({', '.join(sorted(earlier))}), whose log is "
                "gone: neither they nor the views that include them were compared"
            )
            return
        totals = self._watched("comparing totals", checks.totals()) if checks.is_still else []
        if totals and await self._is_still(snapshot):
            verdict.tables += totals
        else:
            verdict.unfinished.append(
                "sums over sources and views were not compared, because part of the log is not counted or events are "
                "arriving: run verify again when everything is counted and nothing arrives"
            )

    async def _name_offsets(self, verdict: Verdict, snapshot: Snapshot, options: Options) -> None:
        """Read the partitions of differing cells again, to name the records behind the expected rows."""
        wanted = _gaps(verdict)
        if not wanted:
            return
        sources = {key[0] for _, key in wanted}
        recount = await self.reading.recount(snapshot, replace(options, trace=wanted), sources, keep=None)
        for table in verdict.tables:
            table.differences = [_with_offsets(table.name, each, recount.traced) for each in table.differences]


def _gaps(verdict: Verdict) -> dict[tuple[str, Key], Gap]:
    """Return the expected cells that differ, each with the surplus found in each counter."""
    return {
        (table.name, tuple(difference.key.values())): _gap(difference, CELL_TABLES[table.name].counters)
        for table in verdict.tables
        if table.name in CELL_TABLES
        for difference in table.differences
        if difference.expected is not None
    }


def _gap(difference: Difference, counters: Iterable[str]) -> Gap:
    found, expected = difference.found, difference.expected or {}
    return None if found is None else tuple(found.get(name, 0) - expected.get(name, 0) for name in counters)


def _with_offsets(table: str, difference: Difference, traced: Mapping[tuple[str, Key], Trace]) -> Difference:
    trace = traced.get((table, tuple(difference.key.values())))
    if trace is None:
        return difference
    return replace(difference, offsets=tuple(trace.offsets), events=trace.events, explaining=tuple(trace.explaining))


def _topics(recount: Recount) -> list[TopicResult]:
    return [
        TopicResult(topic, tally.records, tally.counted, tally.duplicates, tally.letters)
        for topic, tally in sorted(recount.tallies.items())
    ]


def _hidden(hidden: Mapping[Partition, int]) -> list[str]:
    """Describe the parts of the log that cannot be read yet."""
    return [
        f"{topic}/{number}: an open transaction hides offset {offset} and everything after it, until its producer ends "
        "it or it times out"
        for (topic, number), offset in sorted(hidden.items())
    ]


def _unfinished(snapshot: Snapshot, wait_seconds: float, hidden: Mapping[Partition, int]) -> list[str]:
    """Describe the parts of the log that could not be compared, and why."""
    lines = [f"{source}: {why}" for source, why in snapshot.lost().items()]
    behind = snapshot.behind() if wait_seconds > 0 else {}
    lines += [
        f"{source} is {lag} records behind the end of its log after {wait_seconds:g} s: is a worker running? "
        "`tally doctor` shows details"
        for source, lag in behind.items()
        if snapshot.sources[source] not in hidden
    ]
    return lines


def _notes(scratch: Scratch) -> list[str]:
    lines = [
        f"{repeat.source}: {repeat.identity[1]} {repeat.identity[2]} occurs at offsets {repeat.first} and "
        f"{repeat.again}, further apart than the duplicate horizon, and counts twice"
        for repeat in scratch.repeats
    ]
    more = scratch.more_repeats
    return lines + ([f"{more} more events count twice in this way"] if more > 0 else [])
