"""`tally exporter` as a process: its runs in a thread, its health and metrics, and its end."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from prometheus_client.metrics_core import Metric

from deploy.errors import ExitCode
from deploy.export import run_exporter
from deploy.health_server import Telling, serve
from deploy.settings import Settings
from deploy.shutdown import Ending
from reports.exports.export_worker import Run
from worker.health import Health
from worker.prometheus import single


class ExporterReporter:
    """The outcomes of this process's runs."""

    def __init__(self) -> None:
        self._problem = "no run has finished yet"
        self._last_run: datetime | None = None
        self._complete_until: datetime | None = None
        self._is_failing = False

    def note(self, outcome: Run | str) -> None:
        """Record that a run has finished, or failed for that reason."""
        self._is_failing = isinstance(outcome, str)
        self._problem = outcome if isinstance(outcome, str) else ""
        if isinstance(outcome, str):
            return
        self._last_run = datetime.now(UTC)
        if outcome.newest_complete is not None:
            self._complete_until = datetime.combine(outcome.newest_complete + timedelta(days=1), time(), UTC)

    def health(self) -> Health:
        """Return the health: unhealthy until the first run has finished, and while the latest one failed."""
        shown = {"last_run": self._last_run, "complete_until": self._complete_until}
        return Health([self._problem] if self._problem else [], shown)

    def collect(self) -> Iterator[Metric]:
        """Yield the current metrics; unknown ones are absent."""
        yield single("tally_exporter_failing", int(self._is_failing))
        if self._last_run is not None:
            yield single("tally_exporter_last_run_timestamp_seconds", self._last_run.timestamp())
        if self._complete_until is not None:
            yield single("tally_exporter_complete_until_timestamp_seconds", self._complete_until.timestamp())


def run(settings: Settings, interval_seconds: float) -> int:
    """Write reports until SIGTERM or SIGINT, then finish the report in progress if that does not take long; return the
    exit code.

    Raises the errors of `run_exporter`, and OSError if the port is taken.
    """
    ending, stop, reporter, raised = Ending(), threading.Event(), ExporterReporter(), list[BaseException]()
    ending.begin, ending.code = stop.set, lambda: ExitCode.UNREACHABLE
    ending.heed()
    if settings.metrics_port is not None:
        serve(Telling(reporter), settings.metrics_host, settings.metrics_port)

    def work() -> None:
        try:
            run_exporter(settings, interval_seconds, stop, reporter.note)
        except BaseException as error:
            raised.append(error)

    working = threading.Thread(target=work, daemon=True)
    working.start()
    while working.is_alive():  # this thread only handles signals, whatever the other one waits for
        working.join(0.5)
    if raised:
        raise raised[0]
    return ExitCode.OK
