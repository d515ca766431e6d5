"""The differences between a day's new revision and the one before it."""

from array import array
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from reports.exports.manifest import manifest_path, sha256_of
from reports.exports.spend_csv import Facts, read_facts
from reports.exports.spend_report import Report


def changes_since(previous: Path | None, sha256: str, report: Report, reasons: list[str]) -> dict[str, Any]:
    """Return the reasons for a new revision and what it changed: row counts, and totals before and after.

    Without the previous file, or if that file differs from the one issued with the hash `sha256`, only the reasons are
    known.
    """
    changes: dict[str, Any] = {"reasons": reasons}
    if previous is None or not previous.exists() or sha256_of(previous) != sha256:
        return changes
    with previous.open(encoding="utf-8", newline="") as lines:
        changes["rows"] = _rows(read_facts(lines), report.facts)
    changes["previous_file"] = previous.name
    changes["totals_from"] = orjson.loads(manifest_path(previous).read_bytes())["totals"]
    changes["totals_to"] = report.totals.as_json()
    return changes


def _rows(before: Facts, after: Facts) -> dict[str, int]:
    """Count the rows that are new, removed or changed, comparing 64 bits of hash per row."""
    added = _missing(after.keys, before.keys)
    return {
        "added": added,
        "removed": _missing(before.keys, after.keys),
        "changed": _missing(after.rows, before.rows) - added,
    }


def _missing(some: "array[int]", others: "array[int]") -> int:
    return int(np.isin(np.asarray(some), np.asarray(others), invert=True).sum())
