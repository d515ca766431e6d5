"""A recount's memory does not grow with its log. Each recount is a process of its own, so that its peak is its own."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

RECOUNT = """
import resource, sys
from pathlib import Path
from uuid import UUID
from verify.log_recount import _make_room
from verify.records import Record
from verify.recount import Options, Recount
from verify.scratch import Scratch

events, is_bounded = int(sys.argv[1]), sys.argv[2] == "bounded"
text = (
    '{"type":"chat.message","event_id":"%s","occurred_at":"2026-03-01T11:59:30Z",'
    '"organization_id":"11111111-1111-4111-8111-111111111111","actor":{"type":"user","id":"%s"},"product":"chat",'
    '"conversation_id":"%s"}'
)
recount, scratch = Recount(Options(block_size=1024)), Scratch()
for number in range(events):
    value = text % tuple(UUID(int=3 * number + part) for part in range(1, 4))
    recount.add(Record("tally.chat", 0, number, 1_772_366_400_000, b"", value.encode()))
    if is_bounded:
        _make_room(recount, scratch)
scratch.end_source(recount, "tally.chat/0@0", 3)
cells = sum(1 for _ in scratch.cells("chat_cells"))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(cells, int(peak.split()[1]) // 1024)
"""


def peak_mb(events: int, how: str = "bounded") -> int:
    """The most memory that a recount of so many events, each with a cell of its own, has held."""
    done = subprocess.run(
        [sys.executable, "-c", RECOUNT, str(events), how], capture_output=True, text=True, check=True, timeout=200
    )
    cells, peak = map(int, done.stdout.split())
    assert cells == events
    return peak


@pytest.mark.timeout(300)
def test_four_times_the_log_takes_no_more_memory() -> None:
    small = peak_mb(60_000)
    assert peak_mb(240_000) < small + 60
    assert peak_mb(240_000, "unbounded") > small + 120, "the control must grow, or nothing was measured"
