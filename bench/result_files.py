"""Results of benches: where they ran, how they are kept under bench/results/, and how they are shown."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path("bench/results")
VERSIONS = ("faust-streaming", "aiokafka", "msgspec", "chdb")


def parser(description: str | None) -> argparse.ArgumentParser:
    """A bench's command line, with the folder that takes its results."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--results", type=Path, default=RESULTS, help="folder of the results (bench/results)")
    return made


def facts(packages: Iterable[str] = VERSIONS) -> dict[str, Any]:
    """When and where it is measured, and with which versions."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "versions": {name: version(name) for name in packages},
    }


def keep(folder: Path, name: str, result: Mapping[str, Any]) -> None:
    """Write `NAME.json` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows in Markdown under the names of the first one's entries."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([shown(row[name]) for name in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: object) -> str:
    """A number as people read it; a dash for one that was not measured."""
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median and longest of several times, in seconds."""
    return {"times": len(seconds), "p50": round(statistics.median(seconds), 2), "max": round(max(seconds), 2)}
