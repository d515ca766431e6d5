"""What `make test` prints: each file as it begins and as it ends, failures at once, and the usual last line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ONE = """
import pytest

def test_good(): ...
def test_bad(): assert False
@pytest.mark.skip
def test_skipped(): ...
@pytest.fixture
def broken(): raise ValueError
def test_without_its_fixture(broken): ...
"""
OTHER = """
def test_good(): ...
"""
BEGINNINGS = {"test_one.py", "test_other.py"}
ENDS = {"test_one.py: 2 failed, 1 passed, 1 skipped", "test_other.py: 1 passed"}
FAILURES = {"test_one.py::test_bad (call)", "test_one.py::test_without_its_fixture (setup)"}


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_line_says_what_begins_and_what_has_ended(tmp_path: Path, processes: str) -> None:
    (tmp_path / "test_one.py").write_text(ONE)
    (tmp_path / "test_other.py").write_text(OTHER)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.progress", f"--rootdir={tmp_path}"]
    shared = [f"--numprocesses={processes}", "--dist=loadfile", "--config-file=/dev/null", str(tmp_path)]
    done = subprocess.run([*command, *shared], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [re.sub(r" in [\d.]+ s$", "", line) for line in done.stdout.splitlines()]
    shown = [line.partition("] ")[2] for line in lines if re.match(r"\[ *\d+%\] ", line)]
    assert sorted(shown) == sorted(BEGINNINGS | ENDS), done.stdout + done.stderr
    assert {line.removeprefix("FAILED ") for line in lines if line.endswith((" (call)", " (setup)"))} == FAILURES
    assert lines[-1].startswith("1 failed, 2 passed, 1 skipped, 1 error"), lines[-1]
    assert [line for line in lines if line.startswith("[100%]")]
