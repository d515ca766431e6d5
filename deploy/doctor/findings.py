"""What the doctor says."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Level = Literal["ok", "warning", "problem"]

CLOCK_TOLERANCE = 5.0
"""Seconds that the watermark allows clocks to differ by; beyond it a watermark may promise too much."""
LOW_DISK = 0.10
FULL_DISK = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, where, and what to do next (empty if nothing)."""

    level: Level
    what: str
    where: str
    remedy: str = ""


def disk_finding(where: str, free: int, total: int) -> Finding:
    """Whether there is room: a problem below 1 GiB, a warning below a tenth."""
    what = f"{free / 2**30:,.1f} GiB of {total / 2**30:,.1f} GiB are free"
    level: Level = "problem" if free < FULL_DISK else "warning" if free < total * LOW_DISK else "ok"
    return Finding(level, what, where, "" if level == "ok" else "Free some space, or add some, before it is full.")


def clock_finding(whose: str, difference: float) -> Finding:
    """How far a server's clock is from ours, in seconds (positive: it is ahead)."""
    what = f"its clock is {abs(difference):.1f} s {'ahead of' if difference >= 0 else 'behind'} this machine's"
    level: Level = "problem" if abs(difference) > CLOCK_TOLERANCE else "warning" if abs(difference) > 1 else "ok"
    return Finding(level, what, whose, "" if level == "ok" else "Let NTP set the clocks of both machines.")


def privacy_finding(folder: Path) -> Finding:
    """Whether a folder with people's names and spend is closed to other users of the machine."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & 0o077:
        return Finding("ok", "it is for its owner alone", str(folder))
    return Finding(
        "warning",
        f"other users of this machine may look into it (its mode is {mode:04o})",
        str(folder),
        f"If they should not: chmod 700 {folder}",
    )
