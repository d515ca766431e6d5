"""No process outlives the tests that started it, even if they are killed outright."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
MOTHER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell has put in the background
from tests.support.processes import start
print(start([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""


def lives(pid: int) -> bool:
    """Whether there is such a process that is more than an entry for its parent to read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_a_test_starts_dies_with_it() -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        mother = subprocess.Popen(
            [sys.executable, "-c", MOTHER], stdout=subprocess.PIPE, text=True, cwd=TESTS.parent
        )  # held
        assert mother.stdout is not None
        child = int(mother.stdout.readline())
        assert lives(child)
        os.kill(mother.pid, number)
        mother.communicate()
        deadline = time.monotonic() + 30
        while lives(child):
            assert time.monotonic() < deadline, f"{child} outlives its test after {number.name}"
            time.sleep(0.05)


def test_no_test_starts_a_process_that_is_not_bound_to_it() -> None:
    allowed = {"tests/support/processes.py", "tests/unit/test_processes.py"}
    starts = re.compile(r"^(?!.*\[sys\.executable, '-c').*(?:subprocess\.)?Popen\(", re.MULTILINE)
    found = {str(path.relative_to(TESTS.parent)) for path in TESTS.rglob("*.py") if starts.search(path.read_text())}
    assert found - allowed == set()
