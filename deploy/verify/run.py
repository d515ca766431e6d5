"""`tally verify`: positions first, then the log up to them, then the tables; every difference with its key."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, timedelta

from deploy.connections import clickhouse_of
from deploy.settings import Settings
from deploy.verify.checks import Checks
from deploy.verify.compare import Key
from deploy.verify.letters import TOPIC as LETTERS
from deploy.verify.letters import LetterRows, letter_rows
from deploy.verify.log import Log, open_log
from deploy.verify.recount import TOPICS, Options, Record, Recount
from deploy.verify.snapshot import Snapshot
from deploy.verify.stored import Stored
from deploy.verify.tables import CELL_TABLES
from deploy.verify.verdict import TableResult, TopicResult, Verdict

LIVE_MINUTES = timedelta(days=7)
POLL_SECONDS = 0.5

OnProgress = Callable[[str, int, int], None]
"""(what goes on, how much of it is done, of how much)"""


def run(
    settings: Settings,
    *,
    wait_seconds: float = 60.0,
    show: int = 20,
    on_progress: OnProgress = lambda _what, _done, _total: None,
) -> Verdict:
    """Recount the log and compare every table, the dead letters and the views that reports rest on with it.

    Waits up to `wait_seconds` until the tables reach the log's present end; 0 compares at once, as far as they say
    they reach. Keeps at most `show` differences of each table. Raises UserError, and what aiokafka and
    clickhouse-connect raise when Kafka or ClickHouse is away.
    """
    return asyncio.run(_run(settings, wait_seconds, show, on_progress))


async def _run(settings: Settings, wait_seconds: float, show: int, on_progress: OnProgress) -> Verdict:
    began = time.monotonic()
    client = clickhouse_of(settings, timeout=600.0)
    try:
        async with open_log(settings.kafka_bootstrap, settings.client_options()) as log:
            verification = _Verification(settings, Stored(client), log, on_progress)
            verdict = await verification.verdict(wait_seconds, show)
    finally:
        client.close()
    verdict.seconds = round(time.monotonic() - began, 3)
    return verdict


@dataclass(frozen=True)
class _Verification:
    settings: Settings
    stored: Stored
    log: Log
    on_progress: OnProgress

    async def verdict(self, wait_seconds: float, show: int) -> Verdict:
        snapshot = await self._settled(wait_seconds)
        options = self._options(snapshot)
        recount = await self._recount(snapshot, options, snapshot.reached())
        letters = await self._letters()
        is_still = await self._is_still(snapshot)
        checks = Checks(self.stored, recount, snapshot.reached(), frozenset(snapshot.lost()), is_still, show)
        verdict = Verdict(_topics(recount), unfinished=_unfinished(snapshot, wait_seconds), notes=_notes(recount, show))
        verdict.tables = self._watched("comparing tables", checks.tables(letters))
        await self._compare_totals(verdict, checks, snapshot)
        await self._name_offsets(verdict, snapshot, options)
        return verdict

    def _options(self, snapshot: Snapshot) -> Options:
        since = (self.settings.clock() - LIVE_MINUTES).astimezone(UTC).strftime("%Y-%m-%d %H:%M:00")
        blocks = self.settings.dedup_block_size, self.settings.dedup_blocks
        return Options(*blocks, epochs=snapshot.epochs, minutes_from=since)

    async def _settled(self, wait_seconds: float) -> Snapshot:
        """The first look at which the tables reach the end that the log had at the start, or the last one in time."""
        epochs, awaited = self.stored.epochs(), await self.log.bounds(TOPICS)
        deadline = time.monotonic() + wait_seconds
        while True:
            positions = self.stored.positions()
            snapshot = Snapshot(positions, await self.log.bounds(TOPICS), awaited, epochs)
            lag = sum(snapshot.behind().values())
            if not lag or time.monotonic() >= deadline:
                return snapshot
            self.on_progress(f"waiting for {lag:,} records to be counted", 0, 0)
            await asyncio.sleep(POLL_SECONDS)

    async def _is_still(self, snapshot: Snapshot) -> bool:
        """Whether all of the log is counted and nothing was written to it since: then nothing moves."""
        return snapshot.is_whole() and await self.log.bounds(TOPICS) == snapshot.bounds

    async def _recount(self, snapshot: Snapshot, options: Options, sources: Iterable[str]) -> Recount:
        recount, reached = Recount(options), snapshot.reached()
        named = [(snapshot.sources[source], reached[source]) for source in sorted(sources)]
        spans = [(partition, snapshot.bounds[partition][0], end) for partition, end in named]
        done, total = 0, sum(max(0, end - start) for _, start, end in spans)
        with _without_collector():
            for partition, start, end in spans:
                async for records in self.log.read(partition, start, end):
                    for record in records:
                        recount.add(record)
                    done += len(records)
                    self.on_progress(f"recounting {partition[0]}", done, total)
                recount.forget_ids()
        return recount

    async def _letters(self) -> LetterRows:
        records: list[Record] = []
        for partition, (start, end) in (await self.log.bounds([LETTERS])).items():
            async for batch in self.log.read(partition, start, end):
                records += batch
                self.on_progress("reading dead letters", len(records), end - start)
        return letter_rows(records)

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
                "gone: they and the views that add them up were not compared"
            )
            return
        totals = self._watched("comparing totals", checks.totals()) if checks.is_still else []
        if totals and await self._is_still(snapshot):
            verdict.tables += totals
        else:
            verdict.unfinished.append(
                "sums over sources and views were not compared, since part of the log is not counted or events arrive: "
                "run it again when all is counted and still"
            )

    async def _name_offsets(self, verdict: Verdict, snapshot: Snapshot, options: Options) -> None:
        """Read the partitions of differing cells once more, to name the records that make the expected rows."""
        wanted = _expected_cells(verdict)
        if not wanted:
            return
        sources = {key[0] for _, key in wanted}
        recount = await self._recount(snapshot, replace(options, trace=frozenset(wanted)), sources)
        for table in verdict.tables:
            table.differences = [
                replace(each, offsets=tuple(recount.traced.get((table.name, tuple(each.key.values())), ())))
                for each in table.differences
            ]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python's cyclic collector looks through millions of cells again and again, and a recount makes no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _expected_cells(verdict: Verdict) -> set[tuple[str, Key]]:
    return {
        (table.name, tuple(difference.key.values()))
        for table in verdict.tables
        if table.name in CELL_TABLES
        for difference in table.differences
        if difference.expected is not None
    }


def _topics(recount: Recount) -> list[TopicResult]:
    return [
        TopicResult(topic, tally.records, tally.counted, tally.duplicates, tally.letters)
        for topic, tally in sorted(recount.tallies.items())
    ]


def _unfinished(snapshot: Snapshot, wait_seconds: float) -> list[str]:
    """What of the log could not be compared, and why."""
    lines = [f"{source}: {why}" for source, why in snapshot.lost().items()]
    behind = snapshot.behind() if wait_seconds > 0 else {}
    lines += [
        f"{source} is {lag} records behind the end of its log after {wait_seconds:g} s: is a worker running? "
        "`tally doctor` looks closer"
        for source, lag in behind.items()
    ]
    return lines


def _notes(recount: Recount, show: int) -> list[str]:
    lines = [
        f"{repeat.source}: event_id {repeat.event_id} stands at offsets {repeat.first} and {repeat.again}, further "
        "apart than the duplicate horizon, and counts twice"
        for repeat in recount.repeats[:show]
    ]
    more = len(recount.repeats) - len(lines)
    return lines + ([f"{more} more event_ids count twice in this way"] if more > 0 else [])
