"""The tests that a page of the docs names as what holds its promises."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[`(test_\w+(?:\[[^`]+\])?)`\]\(\.\./(tests/[\w/]+\.py)\)")


def page(name: str) -> str:
    """The text of a page in `docs/`."""
    return (ROOT / "docs" / name).read_text()


def linked(text: str) -> set[str]:
    """What a text links, as pytest names it."""
    return {f"{path}::{name}" for name, path in LINK.findall(text)}


def missing(names: set[str]) -> set[str]:
    """Those of these names that pytest does not collect, with or without parameters."""
    paths = sorted({name.partition("::")[0] for name in names})
    command = [sys.executable, "-m", "pytest", "--collect-only", *paths]
    lines = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=300).stdout.split()
    return names - {name for line in lines for name in (line, line.partition("[")[0])}


def rows(text: str, *, head: str) -> list[str]:
    """The rows of a page's tables, whose heads begin with the column `head`."""
    beside = ("|---", "| ---", f"| {head}")
    return [line for line in text.splitlines() if line.startswith("|") and not line.startswith(beside)]
