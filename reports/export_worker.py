"""The export worker: writes each complete day's spend report for each organization, and revises what changed.

One run reads, in this order: positions, prices and terms, then which cells each day has, then the reports. What
arrives in between is beyond the recorded positions, so the next run looks at that day again. A day is written anew
only if something it depends on changed, and becomes a revision only if its facts differ (spend_csv.Facts): a renamed
person or a price of somebody else's model revises nothing. Files: `<organization>/<day>.r<revision>.csv` and its
manifest; a file under a final name is whole and never changes.

A crash between a file and its ledger row leaves the file, which the next run enters into the ledger as it is.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from reports import ledger
from reports.files import draft, write_json
from reports.freshness import read_freshness
from reports.ledger import Check, DayKey, Issued
from reports.manifest import Inputs, manifest, manifest_path
from reports.periods import DAY, DAYS_BACK, midnight, one_day
from reports.prices import prices_revision
from reports.revision_changes import changes_since
from reports.spend_report import write_spend_report
from reports.terms import reports_in, terms_digests


@dataclass
class Run:
    """What one run did. `newest_complete` None: nothing is complete, since the log's end is not known yet."""

    newest_complete: date | None
    issued: list[Path] = field(default_factory=list)
    checked: int = 0
    unpriced_models: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class State:
    """What a run knows before it reads any report."""

    inputs_of: Callable[[str], Inputs]
    newest_offsets: Mapping[DayKey, Mapping[str, int]]
    issued: Mapping[DayKey, Issued]
    checks: Mapping[DayKey, Check]
    first_days: Mapping[str, date]
    newest_complete: date | None


def run_once(
    client: Client,
    folder: Path,
    now: datetime,
    expected_sources: Collection[str],
    grace: timedelta,
    on_issued: Callable[[Path], None] | None = None,
) -> Run:
    """Write every complete day that is missing or changed, and say which files are new.

    Raises FileError when a file cannot be written; what was written before stays, and the next run goes on from there.
    """
    state = read_state(client, now, expected_sources, grace)
    run = Run(state.newest_complete)
    for key, reasons in stale_days(state, now):
        path = _bring_up_to_date(client, folder, key, reasons, state, now, run)
        if path and on_issued:
            on_issued(path)
    return run


def read_state(client: Client, now: datetime, expected_sources: Collection[str], grace: timedelta) -> State:
    """Positions first, everything that depends on cells after them."""
    freshness = read_freshness(client, expected_sources)
    prices = prices_revision(client)
    terms = terms_digests(client)
    newest = freshness.newest_complete_day(grace)
    return State(
        inputs_of=lambda organization_id: Inputs(freshness, prices, terms.get(organization_id, "")),
        newest_offsets=ledger.newest_offsets(client, now.date() - DAYS_BACK * DAY),
        issued=ledger.newest_issued(client),
        checks=ledger.checks(client),
        first_days=ledger.first_days(client),
        newest_complete=newest and min(newest, now.date() - DAY),
    )


def stale_days(state: State, now: datetime) -> list[tuple[DayKey, list[str]]]:
    """The complete days, oldest first, whose report is missing or may have changed, with the reasons."""
    if state.newest_complete is None:
        return []
    oldest = now.date() - DAYS_BACK * DAY
    found = []
    for organization_id, first_day in state.first_days.items():
        inputs = state.inputs_of(organization_id)
        day = max(first_day, oldest)
        while day <= state.newest_complete:
            key = (organization_id, day)
            offsets = state.newest_offsets.get(key, {})
            reasons = ledger.stale_reasons(state.checks.get(key), offsets, inputs.prices_revision, inputs.terms_sha256)
            if reasons:
                found.append((key, reasons))
            day += DAY
    return sorted(found, key=lambda stale: stale[0][::-1])


def report_path(folder: Path, key: DayKey, revision: int) -> Path:
    """The file of one revision of a day's report."""
    return folder / key[0] / f"{key[1]}.r{revision}.csv"


def _bring_up_to_date(
    client: Client, folder: Path, key: DayKey, reasons: list[str], state: State, now: datetime, run: Run
) -> Path | None:
    """Issue a first or a new revision of one day if there is something new to say; its path, or None."""
    issued = _adopt_orphans(client, folder, key, state.issued.get(key))
    inputs = state.inputs_of(key[0])
    path = None
    begins, ends = midnight(key[1]), midnight(key[1] + DAY)
    if issued or reports_in(client, key[0], begins, ends):
        path = _revise(client, folder, key, reasons, issued, inputs, now, run)
    sources = frozenset(state.newest_offsets.get(key, {}))
    check = Check(sources, inputs.freshness.next_offsets, inputs.prices_revision, inputs.terms_sha256)
    ledger.record_check(client, key, check, now)
    run.checked += 1
    if path:
        run.issued.append(path)
    return path


def _revise(
    client: Client,
    folder: Path,
    key: DayKey,
    reasons: list[str],
    issued: Issued | None,
    inputs: Inputs,
    now: datetime,
    run: Run,
) -> Path | None:
    revision = issued.revision + 1 if issued else 1
    path = report_path(folder, key, revision)
    with draft(path) as file:
        report = write_spend_report(client, key[0], one_day(key[1]), file.sink, with_facts=True)
        assert report.facts is not None
        run.unpriced_models |= report.totals.unpriced_models
        if issued and issued.facts_sha256 == report.facts.sha256:
            return None
        entry = manifest(path, key[0], one_day(key[1]), report, inputs, now) | {
            "revision": revision,
            "facts_sha256": report.facts.sha256,
            "changes": changes_since(folder / issued.file_name if issued else None, report, reasons),
        }
        # The manifest first: a report that can be seen always has one.
        write_json(manifest_path(path), entry)
        file.publish()
    _enter(client, folder, path, entry)
    return path


def _adopt_orphans(client: Client, folder: Path, key: DayKey, issued: Issued | None) -> Issued | None:
    """Enter into the ledger what a crash left out of it: somebody may have read the file, so it is issued."""
    while True:
        path = report_path(folder, key, issued.revision + 1 if issued else 1)
        if not path.exists():
            return issued
        entry = orjson.loads(manifest_path(path).read_bytes())
        _enter(client, folder, path, entry)
        issued = Issued(entry["revision"], str(path.relative_to(folder)), entry["facts_sha256"])


def _enter(client: Client, folder: Path, path: Path, entry: Mapping[str, Any]) -> None:
    ledger.record_issued(client, ledger.issued_row(entry, str(path.relative_to(folder))))
