"""`tally doctor`: problems of settings, Kafka, ClickHouse and workers, and how to fix them.

Facts are gathered first and judged afterwards; each judge is a pure function of facts. Nothing is changed except for
one tombstone in the dead letters, under a key of its own, whose log time shows the broker's clock.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from typing import TypeVar

from aggregators.backend import HAS_COMPILED
from deploy.doctor.clickhouse import clickhouse_findings, look_at_clickhouse
from deploy.doctor.findings import Finding, Level, disk_finding, privacy_finding
from deploy.doctor.kafka import kafka_findings, look_at_kafka
from deploy.doctor.progress import hidden_findings, progress_findings
from deploy.doctor.reports import look_at_reports, report_findings
from deploy.errors import BUILDING, explain
from deploy.partition_status import compare
from deploy.settings import Settings

T = TypeVar("T")


def run(settings: Settings) -> list[Finding]:
    """Check everything; a server that cannot be reached is a finding too, not an error."""
    findings = [*settings_findings(settings)]
    kafka = _try(findings, settings.kafka_bootstrap, lambda: asyncio.run(look_at_kafka(settings)))
    stored = _try(findings, settings.clickhouse_url, lambda: look_at_clickhouse(settings))
    if kafka is not None:
        findings += kafka_findings(settings, kafka)
    if stored is not None:
        findings += clickhouse_findings(settings, stored)
    if kafka is not None and kafka.bounds and stored is not None and stored.is_migrated:
        findings += progress_findings(settings.clock(), compare(kafka.bounds, stored.epochs, stored.positions))
        findings += hidden_findings(kafka.bounds)
    if stored is not None and stored.is_migrated:
        reports = _try(findings, str(settings.reports_dir), lambda: look_at_reports(settings))
        findings += report_findings(reports) if reports is not None else ()
    return findings


def exit_code(findings: list[Finding]) -> int:
    """Return 1 if there is a problem, else 0: warnings are left to the operator."""
    return 1 if any(finding.level == "problem" for finding in findings) else 0


def settings_findings(settings: Settings) -> Iterator[Finding]:
    """Judge the settings. They are valid once loaded, but some are only for tests, and the data needs disk space."""
    yield Finding("ok", "the settings are valid", "settings")
    if settings.now is not None:
        remedy = "Remove the setting `now`, unless this is a test."
        yield Finding("warning", f"the clock is fixed at {settings.now.isoformat()}", "settings", remedy)
    if not HAS_COMPILED:
        yield Finding(
            "warning", "token events are folded by pure Python, at a fraction of the speed", "settings", BUILDING
        )
    data, reports = settings.data_dir.resolve(), settings.reports_dir.resolve()
    private = [data] if reports.is_relative_to(data) else [data, reports]
    yield from (privacy_finding(each) for each in private if each.exists())
    folder = data
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    yield disk_finding(str(settings.data_dir), usage.free, usage.total)


def _try(findings: list[Finding], where: str, look: Callable[[], T]) -> T | None:
    """Return the result of `look`; if it fails for a known reason, add a finding and return None."""
    try:
        return look()
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        findings.append(Finding("problem", known.message, where, known.hint))
        return None


__all__ = ["Finding", "Level", "exit_code", "run"]
