"""A rule that could be written in several places is written in one: no other file of the product writes it again.

`verify/` is left out: it keeps its own copy of every rule, on purpose.
"""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
FOLDERS = ["client/tally_client" if name == "tally_client" else name for name in PACKAGES if name != "verify"]
KINDS = {".py", ".pyx", ".sql", ".html", ".js"}
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.*")
    if path.suffix in KINDS
}


def files_with(pattern: str, sources: dict[str, str] = SOURCES) -> list[str]:
    """The files whose text has the pattern."""
    return sorted(name for name, text in sources.items() if re.search(pattern, text))


RULES = {
    "a lock between processes": (r"\bflock\(", ["files/locks.py"]),
    "the names of periods for people": ("Month to date", ["reports/periods.py"]),
    "the position of a page": (r"[\"']after_key[\"']|class (AfterRow|Ranking)\b", ["queries/paging.py"]),
    "the check that a page has the cells of page 1": (r"raise CursorExpired\(f", ["api/pagination.py"]),
    "the windows of active people": (r"[\"']weekly[\"']: ", ["reports/metric_windows.py"]),
    "the names of export formats": (r"[\"']focus-parquet[\"']", ["reports/exports/formats.py"]),
    "the names of layouts": (r"[\"']claude-2026-10[\"']", ["reports/exports/spend_columns.py"]),
    "an atomic write of a file": (r"mkstemp|os\.replace|\.rename\(|O_EXCL", ["files/atomic_files.py"]),
    "the earliest time of an event": (r"2025, 1, 1|2025-01-01", ["client/tally_client/validity.py"]),
    "how far an event may be ahead": (r"timedelta\(minutes=5\)", ["client/tally_client/validity.py"]),
    "the pattern of a UUID": (r"0-9a-f[^\n]*\{8\}", ["client/tally_client/events/envelope.py"]),
    "a UUID typed by a user": (r"\bUUID\([a-z]\w*\)", ["reports/tagged_ids.py"]),
    "a timestamp for ClickHouse": (
        r"\.strftime\(|isoformat\([\"']|%H:%M:%S\.%f",
        ["aggregators/windows.py", "sinks/datetimes.py"],
    ),
    "RFC 3339": (r"\+00:00[\"'], [\"']Z|OPT_UTC_Z", ["cli/console.py", "sinks/datetimes.py"]),
    "a model without its date": (r"\|latest\)", ["pricing/price_list.py", "sinks/schema/tables/001_cells.sql"]),
    "the price of usage that leaves dimensions open": (r"'0-200k'", ["sinks/schema/tables/001_cells.sql"]),
    "which plans have seats, and what they cover": (
        r"'seat_allotment'|'extra_usage'|'enterprise_seat_based'",
        ["sinks/schema/views/terms.sql"],
    ),
    "who is a member": (r"type != 'role\.changed'", ["sinks/schema/views/memberships.sql"]),
    "the discount": (r"- terms\.discount", ["reports/usage/rows.sql", "sinks/schema/fragments/cost.sql"]),
    "a guard of pages or of endpoints": (r"def \w+\([^)]*BaseRouteHandler", ["api/auth/guards.py"]),
}
"""Each rule's way to be written, and the files that may."""


@pytest.mark.parametrize("rule", RULES)
def test_no_other_file_writes(rule: str) -> None:
    pattern, homes = RULES[rule]
    assert files_with(pattern) == homes
