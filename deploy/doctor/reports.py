"""Checks that issued reports are unchanged and agree with the tables."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta

from deploy.connections import connect_clickhouse
from deploy.counts import counted
from deploy.doctor.findings import Finding
from deploy.settings import Settings
from queries.errors import NotAsIssued
from reports.exports.export_worker import read_export_inputs, stale_issued
from reports.exports.ledger import issued_files
from reports.exports.manifest import require_as_issued


@dataclass(frozen=True)
class ReportFacts:
    """The number of issued files, those on this machine that have changed, and the days whose report may be out of
    date."""

    issued: int
    changed: tuple[str, ...]
    behind: tuple[date, ...]
    reasons: tuple[str, ...]


def look_at_reports(settings: Settings) -> ReportFacts:
    """Read the ledger, and every file of it on this machine. Raises clickhouse-connect's errors."""
    with closing(connect_clickhouse(settings)) as client:
        grace = timedelta(minutes=settings.completeness_grace_minutes)
        stale = stale_issued(read_export_inputs(client, settings.clock(), (), grace))
        files = dict(issued_files(client))
    changed = []
    for name, sha256 in files.items():
        path = settings.reports_dir / name
        try:
            if path.is_file():
                require_as_issued(path, sha256)
        except (NotAsIssued, OSError):
            changed.append(str(path))
    reasons = sorted({reason for _, found in stale for reason in found})
    return ReportFacts(len(files), tuple(changed), tuple(sorted({day for (_, day), _ in stale})), tuple(reasons))


def report_findings(facts: ReportFacts) -> Iterator[Finding]:
    """Judge the reports. Days that are out of date are not a problem while an export worker runs: it compares all of
    them in time."""
    for path in facts.changed[:20]:
        remedy = "Restore the issued file from a backup, and find out who changed it; it is not served as issued."
        yield Finding("problem", "the file cannot be read, or is not the one that was issued", path, remedy)
    if facts.behind:
        days = counted(len(facts.behind), "day")
        what = f"{days} with issued reports, from {facts.behind[0]} on, may have changed since: "
        remedy = "Run `tally exporter`: it compares them with the tables, and revises those that differ."
        yield Finding("warning", what + ", ".join(facts.reasons), "issued reports", remedy)
    elif facts.issued and not facts.changed:
        yield Finding("ok", f"all {facts.issued:,} are as issued, and compared with the tables", "issued reports")
