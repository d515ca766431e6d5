"""Where a source stands in its log: worked out in sinks/positions.py, read in sinks/store.py, and nowhere else."""

import re
from pathlib import Path

import pytest

from aggregators.source import FOLD_VERSION
from sinks.positions import (
    NO_WATERMARK,
    Position,
    folded_until,
    is_beyond,
    lag,
    missing_offsets,
    position_problem,
)

ROOT = Path(__file__).parents[2]
READING = ("worker", "sinks", "queries", "access", "pricing", "reports", "directory", "api", "deploy", "cli")
SOURCE = "tally.token/3@1"


def at(next_offset: int, fold_version: int = FOLD_VERSION) -> Position:
    return Position(SOURCE, next_offset, NO_WATERMARK, fold_version, "")


@pytest.mark.parametrize(
    ("next_offset", "log_start", "log_end", "missing", "beyond", "behind"),
    [
        (0, 0, 0, 0, False, 0),
        (5, 0, 9, 0, False, 4),
        (9, 9, 9, 0, False, 0),
        (5, 7, 9, 2, False, 2),
        (5, 9, 9, 4, False, 0),
        (10, 0, 9, 0, True, 0),
    ],
)
def test_a_source_is_inside_its_log_or_not(
    next_offset: int, log_start: int, log_end: int, missing: int, beyond: bool, behind: int
) -> None:
    assert len(missing_offsets(next_offset, log_start)) == missing
    assert is_beyond(next_offset, log_end) == beyond
    assert lag(next_offset, log_end, log_start) == behind
    problem = position_problem(SOURCE, "tally.token", 3, at(next_offset), log_start, log_end)
    assert ("are gone" in problem, "recreated or truncated" in problem) == (missing > 0, beyond)
    assert bool(problem) == (missing > 0 or beyond)


def test_a_source_without_a_position_begins_at_0() -> None:
    assert folded_until(None) == 0
    assert position_problem(SOURCE, "tally.token", 3, None, 0, 4) == ""
    assert "offsets 0 to 1 are gone" in position_problem(SOURCE, "tally.token", 3, None, 2, 4)


def test_cells_of_another_fold_version_are_not_added_to() -> None:
    problem = position_problem(SOURCE, "tally.token", 3, at(2, FOLD_VERSION - 1), 0, 4)
    assert f"was folded by version {FOLD_VERSION - 1}" in problem


def test_positions_and_epochs_are_read_by_the_store_alone() -> None:
    """Replacements are also read by the views that leave epochs out, and by hashes of what results depend on."""
    asked = re.compile(r"\b(?:FROM|JOIN) (?:source_positions|topic_epochs)\b")
    found = {
        str(path.relative_to(ROOT))
        for package in READING
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".sql") and asked.search(path.read_text())
    }
    views = {path for path in found if path.startswith("sinks/schema/views/")}
    hashes = {"queries/data_version.sql", "reports/claude_code/revision.sql", "reports/usage/revision.sql"}
    assert found - views - hashes == {"sinks/store.py"}
    assert not [path for path in views | hashes if "source_positions" in (ROOT / path).read_text()]
