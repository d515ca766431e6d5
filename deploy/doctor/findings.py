"""Findings of the doctor."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Level = Literal["ok", "warning", "problem"]

CLOCK_TOLERANCE = 5.0
"""Clock difference in seconds that the watermark tolerates; past it, a watermark may promise too much."""
LOW_DISK = 0.10
FULL_DISK = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One check: what was found, where, and what to do next (empty if nothing)."""

    level: Level
    what: str
    where: str
    remedy: str = ""


def disk_finding(where: str, free: int, total: int) -> Finding:
    """Judge free disk space: a problem below 1 GiB, a warning below a tenth."""
    what = f"{free / 2**30:,.1f} GiB of {total / 2**30:,.1f} GiB are free"
    level: Level = "problem" if free < FULL_DISK else "warning" if free < total * LOW_DISK else "ok"
    return Finding(
        level, what, where, "" if level == "ok" else "Free some space, or add some, before the disk is full."
    )


def clock_finding(whose: str, difference: float) -> Finding:
    """Judge the difference of a server's clock from this machine's, in seconds (positive: it is ahead)."""
    what = f"its clock is {abs(difference):.1f} s {'ahead of' if difference >= 0 else 'behind'} this machine's"
    level: Level = "problem" if abs(difference) > CLOCK_TOLERANCE else "warning" if abs(difference) > 1 else "ok"
    return Finding(level, what, whose, "" if level == "ok" else "Synchronize the clocks of both machines with NTP.")


def privacy_finding(folder: Path) -> Finding:
    """Check that a folder with people's names and spend is closed to other users of the machine."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & 0o077:
        return Finding("ok", "only its owner can access it", str(folder))
    return Finding(
        "warning",
        f"other users of this machine can read it (its mode is {mode:04o})",
        str(folder),
        f"To prevent that: chmod 700 {folder}",
    )
