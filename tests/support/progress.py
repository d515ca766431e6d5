"""A line for each test file as it begins and as it ends: `pytest -p tests.support.progress`.

It takes the place of pytest's dots in runs of minutes, in one process or several. What fails is named at once.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import pytest


class Progress:
    """Prints what runs; knows from the collection how many tests each file has."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal
        self._left: Counter[str] = Counter()
        self._tests = 0
        self._began: dict[str, float] = {}
        self._outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """In one process: what this process will run."""
        self._expect(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """In several: each collects the same."""
        self._expect(ids)

    def _expect(self, ids: Iterable[str]) -> None:
        if not self._tests:
            self._left = Counter(map(_file_of, ids))
            self._tests = self._left.total()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Print a file when its first test begins."""
        if (file := _file_of(nodeid)) not in self._began:
            self._began[file] = time.monotonic()
            self._print(file)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print a failure at once, and a file with its time when its last test has ended."""
        file = _file_of(report.nodeid)
        if report.failed:
            self._terminal.write_line(f"FAILED {report.nodeid} ({report.when})")
        if report.failed or report.skipped or report.when == "call":
            self._outcomes[file][report.outcome] += 1
        if report.when == "teardown":
            self._left[file] -= 1
            if not self._left[file]:
                counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self._outcomes[file].items()))
                self._print(f"{file}: {counts} in {time.monotonic() - self._began[file]:.1f} s")

    def _print(self, text: str) -> None:
        done = 1 - self._left.total() / self._tests
        self._terminal.ensure_newline()
        self._terminal.write_line(f"[{done:4.0%}] {text}")
        self._terminal.flush()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Count a test without a dot; setup and teardown of what passes count nothing."""
        if report.failed and report.when != "call":
            return "error", "", ""
        counts = report.when == "call" or report.skipped
        return (report.outcome if counts else "", "", "")


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Print where there is a terminal: not in the processes that xdist starts."""
    if terminal := config.pluginmanager.get_plugin("terminalreporter"):
        config.pluginmanager.register(Progress(terminal), "tally-progress")
