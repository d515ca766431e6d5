"""docs/exactness.md names tests that exist, and leaves out no step of a flush."""

import re
import subprocess
import sys
from pathlib import Path

from tests.simulation.interrupting import STEPS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "exactness.md").read_text()
LINK = re.compile(r"\[`(test_\w+(?:\[[^`]+\])?)`\]\(\.\./(tests/[\w/]+\.py)\)")


def linked() -> set[str]:
    """What the page links, as pytest names it."""
    return {f"{path}::{name}" for name, path in LINK.findall(PAGE)}


def collected(paths: set[str]) -> set[str]:
    """Every test of these files, by its name with and without parameters."""
    command = [sys.executable, "-m", "pytest", "--collect-only", *sorted(paths)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=120).stdout.split()
    return {name for line in lines for name in (line, line.partition("[")[0])}


def test_every_link_leads_to_a_test() -> None:
    names = linked()
    assert len(names) > 50
    assert names - collected({name.partition("::")[0] for name in names}) == set()


def test_every_row_of_a_table_has_its_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith(("|---", "| step"))]
    assert [row for row in rows if not LINK.search(row)] == []


def test_every_step_of_placing_folding_and_flushing_has_a_row() -> None:
    assert {step for step, _ in STEPS if f"[{step}-" not in PAGE} == set()
