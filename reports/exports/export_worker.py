"""The export worker: issues each organization's spend report for each complete day, and revises changed ones.

One run reads positions, prices and terms first, then which cells each day has, then the reports. Events that arrive in
between are past the recorded positions, so the next run checks that day again. A day is written again only if
something it depends on changed, and becomes a revision only if its facts differ (spend_csv.Facts): a renamed person, or
a price of a model that the organization does not use, revises nothing. Files are `<organization>/<day>.r<revision>.csv`
and its manifest; a file under its final name is complete and never changes.

If a crash occurs between a file and its ledger row, the next run enters the existing file into the ledger.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from files.atomic_files import staged_file, write_json
from pricing.price_table import prices_revision
from pricing.terms import Terms, read_terms, reports_in, terms_digests
from queries.errors import NotAsIssued
from queries.freshness import Freshness, read_freshness
from reports.exports import ledger
from reports.exports.ledger import Check, DayKey, Issued
from reports.exports.manifest import Inputs, manifest, manifest_path, period_json, read_manifest, require_as_issued
from reports.exports.revision_diff import changes_since
from reports.exports.spend_report import Report, write_spend_report
from reports.periods import DAY, DAYS_BACK, midnight, one_day

Stale = tuple[DayKey, list[str]]
CHECKS_AT_ONCE = 200
OLDER_FIRST, OLDER_A_RUN = 100, 2_000
"""Limits on days more than 90 back that one run compares with the tables. Someone may read a wrong report of them, so
OLDER_FIRST come before the due days; more could delay those (a new price makes all days stale) and come after them."""


@dataclass
class Run:
    """The result of one run. `newest_complete` is None if no day is complete because the log's end is not known yet.
    `behind`: older days left for the next runs. `refused`: days whose files differ from what was issued."""

    newest_complete: date | None
    issued: list[Path] = field(default_factory=list)
    checked: int = 0
    unpriced_models: set[str] = field(default_factory=set)
    behind: int = 0
    refused: list[NotAsIssued] = field(default_factory=list)


@dataclass(frozen=True)
class ExportInputs:
    """The state that a run reads before any report; `terms` are hashes by organization."""

    freshness: Freshness
    prices_revision: int
    terms: Mapping[str, str]
    newest_offsets: Mapping[DayKey, Mapping[str, int]]
    issued: Mapping[DayKey, Issued]
    checks: Mapping[DayKey, Check]
    first_days: Mapping[str, date]
    newest_complete: date | None

    def inputs(self, organization_id: str) -> Inputs:
        """Return the inputs of the organization's reports in this run."""
        return Inputs(self.freshness, self.prices_revision, self.terms.get(organization_id, ""))


def run_once(
    client: Client,
    folder: Path,
    now: datetime,
    expected_sources: Collection[str],
    grace: timedelta,
    on_issued: Callable[[Path], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Run:
    """Issue every complete day that is missing or changed, and return which files are new.

    `should_stop` is called before each day. Raises FileError if a file cannot be written; the files written before it
    remain, and the next run continues from there. A day whose file differs from what was issued is skipped and listed
    in `refused`.
    """
    state = read_export_inputs(client, now, expected_sources, grace)
    every = stale_older(state, now)
    older = every[:OLDER_A_RUN]
    issuer = _Issuer(client, folder, now, state, Run(state.newest_complete, behind=len(every) - len(older)))
    for key, reasons in [*older[:OLDER_FIRST], *stale_days(state, now), *older[OLDER_FIRST:]]:
        if should_stop and should_stop():
            break
        try:
            path = issuer.bring_up_to_date(key, reasons)
        except NotAsIssued as error:
            issuer.run.refused.append(error)
            continue
        if path and on_issued:
            on_issued(path)
    issuer.record_checks()
    return issuer.run


def read_export_inputs(
    client: Client, now: datetime, expected_sources: Collection[str], grace: timedelta
) -> ExportInputs:
    """Read the positions first, and after them everything that depends on cells."""
    freshness = read_freshness(client, expected_sources)
    newest = freshness.newest_complete_day(grace)
    return ExportInputs(
        freshness=freshness,
        prices_revision=prices_revision(client),
        terms=terms_digests(client),
        newest_offsets=ledger.newest_offsets(client),
        issued=ledger.newest_issued(client),
        checks=ledger.checks(client),
        first_days=ledger.first_days(client),
        newest_complete=newest and min(newest, now.date() - DAY),
    )


def stale_days(state: ExportInputs, now: datetime) -> list[Stale]:
    """Return the complete days whose report is missing or may have changed, oldest first, with the reasons."""
    return _stale(state, complete_days(state, now))


def stale_older(state: ExportInputs, now: datetime) -> list[Stale]:
    """Return older days whose issued report may have changed, newest first. An issued report is revised whatever its
    age, but no day this old is issued for the first time."""
    oldest = now.date() - DAYS_BACK * DAY
    issued = [key for key in state.issued if key[1] < oldest and state.newest_complete is not None]
    return _stale(state, sorted(issued, key=lambda key: (key[1], key[0]), reverse=True))


def stale_issued(state: ExportInputs) -> list[Stale]:
    """Return all days, of any age, with an issued report that may have changed since it was compared."""
    return _stale(state, state.issued.keys() & state.checks.keys())


def _stale(state: ExportInputs, keys: Iterable[DayKey]) -> list[Stale]:
    found = []
    for key in keys:
        offsets, terms = state.newest_offsets.get(key, {}), state.terms.get(key[0], "")
        reasons = ledger.stale_reasons(state.checks.get(key), offsets, state.prices_revision, terms)
        if reasons:
            found.append((key, reasons))
    return found


def complete_days(state: ExportInputs, now: datetime) -> list[DayKey]:
    """Return every complete day of every organization since its first day, at most 90 days back, oldest first."""
    if state.newest_complete is None:
        return []
    oldest = now.date() - DAYS_BACK * DAY
    newest = state.newest_complete
    days = [oldest + number * DAY for number in range((newest - oldest).days + 1)]
    return [(organization, day) for day in days for organization, first in state.first_days.items() if first <= day]


def report_path(folder: Path, key: DayKey, revision: int) -> Path:
    """Return the path of one revision of a day's report."""
    return folder / key[0] / f"{key[1]}.r{revision}.csv"


@dataclass
class _Issuer:
    """Brings days up to date one at a time, for one run."""

    client: Client
    folder: Path
    now: datetime
    state: ExportInputs
    run: Run
    checked: dict[DayKey, Check] = field(default_factory=dict)
    histories: dict[str, list[Terms]] = field(default_factory=dict)

    def bring_up_to_date(self, key: DayKey, reasons: list[str]) -> Path | None:
        """Issue the first or a new revision of a day if its facts changed. Returns its path, or None."""
        issued = self._adopt_orphans(key, self.state.issued.get(key))
        path = None
        if issued or self._has_report(key):
            path = self._revise(key, reasons, issued)
        if path:
            self.run.issued.append(path)
        self._check(key)
        return path

    def _has_report(self, key: DayKey) -> bool:
        organization_id, day = key
        if organization_id not in self.histories:
            self.histories[organization_id] = read_terms(self.client, organization_id)
        history = self.histories[organization_id]
        return reports_in(self.client, organization_id, midnight(day), midnight(day + DAY), history)

    def record_checks(self) -> None:
        """Record the comparisons in one batch. Comparisons lost in a crash are repeated."""
        ledger.record_checks(self.client, self.checked, self.now)
        self.checked.clear()

    def _check(self, key: DayKey) -> None:
        inputs = self.state.inputs(key[0])
        sources = frozenset(self.state.newest_offsets.get(key, {}))
        offsets = inputs.freshness.next_offsets
        self.checked[key] = Check(sources, offsets, inputs.prices_revision, inputs.terms_sha256)
        self.run.checked += 1
        if len(self.checked) >= CHECKS_AT_ONCE:
            self.record_checks()

    def _revise(self, key: DayKey, reasons: list[str], issued: Issued | None) -> Path | None:
        path = report_path(self.folder, key, issued.revision + 1 if issued else 1)
        with staged_file(path) as file:
            report = write_spend_report(self.client, key[0], one_day(key[1]), file.sink)
            self.run.unpriced_models |= report.totals.unpriced_models
            if issued and issued.facts_sha256 == report.facts.sha256:
                return None
            # The manifest is written first, so that a visible report always has one.
            entry = self._manifest(path, key, issued, report, reasons)
            write_json(manifest_path(path), entry)
            file.publish()
        self._enter(path, entry)
        return path

    def _manifest(
        self, path: Path, key: DayKey, issued: Issued | None, report: Report, reasons: list[str]
    ) -> dict[str, Any]:
        previous = self.folder / issued.file_name if issued else None
        return {
            **manifest(path, key[0], one_day(key[1]), report, self.state.inputs(key[0]), self.now),
            "revision": issued.revision + 1 if issued else 1,
            "facts_sha256": report.facts.sha256,
            "changes": changes_since(previous, issued.sha256 if issued else "", report, reasons),
        }

    def _adopt_orphans(self, key: DayKey, issued: Issued | None) -> Issued | None:
        """Enter files into the ledger that a crash left out: someone may have read them, so they count as issued."""
        while (path := report_path(self.folder, key, issued.revision + 1 if issued else 1)).exists():
            entry = _read_manifest(path, key, issued.revision + 1 if issued else 1)
            require_as_issued(path, entry["sha256"])
            self._enter(path, entry)
            name = str(path.relative_to(self.folder))
            issued = Issued(entry["revision"], name, entry["sha256"], entry["facts_sha256"])
        return issued

    def _enter(self, path: Path, entry: Mapping[str, Any]) -> None:
        ledger.record_issued(self.client, ledger.issued_row(entry, str(path.relative_to(self.folder))))


def _read_manifest(path: Path, key: DayKey, revision: int) -> dict[str, Any]:
    """Return the manifest next to an issued file. Raises NotAsIssued if it is missing or of another day or revision,
    because then the file's content is unknown."""
    entry = read_manifest(manifest_path(path))
    told = entry.get("organization_uuid"), entry.get("revision"), entry.get("period")
    if told != (key[0], revision, period_json(one_day(key[1]))):
        raise NotAsIssued(
            f"{path} is not in the ledger, and no manifest next to it has this day and revision",
            "Move the file away; the export worker then issues the day again.",
        )
    return entry
