"""`tally export` and `tally exporter`, wired: settings in, files out. `deploy.errors.explain` covers their errors."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from deploy.audit import note_export
from deploy.connections import report_client
from deploy.counts import counted
from deploy.errors import explain
from deploy.prices import difference, require_named_prices
from deploy.settings import Settings
from deploy.uuids import parse_uuid
from files.atomic_files import clear_partials, staged_file, write_json
from files.byte_streams import is_stream
from files.errors import FileError
from files.locks import exclusive_lock
from pricing.price_table import prices_revision
from pricing.terms import require_report, terms_digests
from queries.freshness import read_freshness
from reports.exports.export_worker import Run, run_once
from reports.exports.formats import ExportFormat, spend_format
from reports.exports.manifest import Inputs, manifest, manifest_path, refuse_to_replace
from reports.periods import Kind, Period, resolve
from sinks.store import Store
from streams.source_names import expected_sources

logger = logging.getLogger("tally.exporter")


Progress = Callable[[int], None]


@dataclass(frozen=True)
class Exported:
    """A finished export: the file, its manifest (None for a stream), and the period that it covers."""

    path: Path
    manifest_path: Path | None
    manifest: dict[str, Any]
    period: Period

    @property
    def unpriced_models(self) -> list[str]:
        """Models whose amounts are empty in the file, because no price is known."""
        return list(self.manifest["unpriced_models"])

    def missing_days(self, now: datetime) -> str:
        """Return the days before today that a period to date lacks, as text; empty if it has all of them."""
        first, last = self.period.last + timedelta(days=1), now.astimezone(UTC).date() - timedelta(days=1)
        if self.period.kind == "last-month" or last < first:
            return ""
        return f"{first} is" if first == last else f"{first} to {last} are"

    @property
    def net_spend(self) -> str:
        """The amount that the organization pays, for people: `12.5 USD`, and whether some of it is unknown."""
        totals = self.manifest["totals"]
        unknown = f" and {counted(totals['unpriced_rows'], 'row')} without a price" if totals["unpriced_rows"] else ""
        return f"{totals['priced_net_spend_usd']} USD{unknown}"


def export(
    settings: Settings,
    organization: str,
    period: Kind,
    start: date | None = None,
    end: date | None = None,
    provisional: bool = False,
    out: Path | None = None,
    progress: Progress | None = None,
    form: ExportFormat | None = None,
    replace: bool = False,
) -> Exported:
    """Write the organization's spend of `period` to `out` in `form` (default: the daily report), and a manifest.

    The name of a provisional export contains `.provisional`, so that it is not mistaken for a final one. A stream (`-`,
    a FIFO, a device) has no manifest. An existing file is replaced only by the same export, unless `replace`.
    `progress` is called with the number of rows so far. Raises RefusedError or UserError, and then leaves no partial
    file. Every file is in the audit log.
    """
    organization, form = parse_uuid(organization), form or spend_format()
    with closing(report_client(settings)) as client:
        require_named_prices(settings, client)
        freshness = read_freshness(client, _sources(settings, client))
        newest = freshness.newest_complete_day(_grace(settings))
        days = resolve(period, settings.clock(), newest, start, end, provisional)
        require_report(client, organization, days.begins, days.ends)
        inputs = Inputs(freshness, prices_revision(client), terms_digests(client).get(organization, ""))
        path = _named(out, provisional) if out else Path(form.file_name(organization, days))
        _spare_issued_reports(settings, path)
        beside = None if is_stream(path) else manifest_path(path)
        if beside and not replace:
            refuse_to_replace(path, organization, days, form.format)
        with staged_file(path) as file:
            report = form.write(client, organization, days, file.sink, progress)
            entry = manifest(path, organization, days, report, inputs, settings.clock())
            if beside:
                write_json(beside, entry)
            note_export(client, settings.clock(), entry)
            file.publish()
    return Exported(path, beside, entry, days)


def export_once(settings: Settings) -> Run:
    """Run the export worker once over the settings' folder. Raises RefusedError (see `explain`)."""
    with closing(report_client(settings)) as client, exclusive_lock(settings.reports_dir):
        _tell_other_prices(settings, client, set())
        clear_partials(settings.reports_dir)
        return _run(settings, client, threading.Event())


def run_exporter(
    settings: Settings,
    interval_seconds: float,
    stop: threading.Event,
    on_run: Callable[[Run | str], None] = lambda _outcome: None,
) -> None:
    """Write reports every `interval_seconds` until `stop` is set; `on_run` is called with each run, or with the reason
    of its failure.

    Failures that can pass or be fixed meanwhile (Kafka or ClickHouse unavailable, a full disk, no tables yet) are
    logged as one line and retried; a second export worker in the folder is a FileError, anything unforeseen is raised.
    """
    told = set[str]()
    with exclusive_lock(settings.reports_dir):
        clear_partials(settings.reports_dir)
        while not stop.is_set():
            on_run(_try(settings, stop, told))
            stop.wait(interval_seconds)


def _try(settings: Settings, stop: threading.Event, told: set[str]) -> Run | str:
    """Run once; a foreseeable failure becomes a line in the log, and the next run continues from there."""
    try:
        with closing(report_client(settings)) as client:
            _tell_other_prices(settings, client, told)
            return _run(settings, client, stop)
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        logger.error("%s The export worker will retry.", known.line())
        return known.line()


def _tell_other_prices(settings: Settings, client: Client, told: set[str]) -> None:
    """Log once per message, remembered in `told`, that reports do not use the price list of the settings."""
    said = difference(settings, client)
    if said not in {"", *told}:
        logger.warning("%s: put the file in force with `tally prices load`", said)
    told.clear()
    told.add(said)


def _run(settings: Settings, client: Client, stop: threading.Event) -> Run:
    run = run_once(
        client,
        settings.reports_dir,
        settings.clock(),
        _sources(settings, client),
        _grace(settings),
        on_issued=lambda path: logger.info("issued %s", path),
        should_stop=stop.is_set,
    )
    if run.unpriced_models:
        logger.warning(
            "no price is known for %s: check the setting prices_file", ", ".join(sorted(run.unpriced_models))
        )
    if run.behind:
        logger.info("%s older days with issued reports have yet to be compared with the tables", f"{run.behind:,}")
    for error in run.refused:
        logger.error("%s. %s", error, error.hint)
    return run


def _sources(settings: Settings, client: Client) -> set[str]:
    options = settings.client_options()
    return asyncio.run(expected_sources(settings.kafka_bootstrap, options, Store(client).epochs()))


def _grace(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.completeness_grace_minutes)


def _spare_issued_reports(settings: Settings, path: Path) -> None:
    """Raise FileError for a path in the folder of issued reports, which never change and belong to the exporter."""
    folder = settings.reports_dir.resolve()
    if not is_stream(path) and path.resolve().is_relative_to(folder):
        raise FileError(
            f"Cannot write {path}: {folder} is the folder of issued reports, which belongs to the export worker",
            "Choose another folder with --out.",
        )


def _named(path: Path, provisional: bool) -> Path:
    """Return the file's name, which shows without the manifest that it is provisional."""
    if provisional and ".provisional" not in path.suffixes and not is_stream(path):
        return path.with_name(f"{path.stem}.provisional{path.suffix}")
    return path
