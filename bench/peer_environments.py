"""Systems that are measured beside Tally, each in a virtual environment of its own, made once under .bench/."""

import subprocess
import sys
from pathlib import Path

ALONE = Path(__file__).parent / "peer_scripts"
ENVIRONMENTS = Path(".bench")


def python_of(name: str) -> Path:
    """The interpreter that has what `peer_scripts/NAME.txt` pins."""
    folder = ENVIRONMENTS / name
    python, made = folder / "bin" / "python", folder / "made-of.txt"
    wanted = (ALONE / f"{name}.txt").read_text()
    if not made.exists() or made.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", str(ALONE / f"{name}.txt")], check=True)
        made.write_text(wanted)
    return python


def pins(name: str) -> dict[str, str]:
    """The versions that `peer_scripts/NAME.txt` pins."""
    return dict(line.split("==") for line in (ALONE / f"{name}.txt").read_text().split())


def command_of(name: str, *arguments: str) -> list[str]:
    """How to run `peer_scripts/NAME.py` there."""
    return [str(python_of(name)), str(ALONE / f"{name}.py"), *arguments]
