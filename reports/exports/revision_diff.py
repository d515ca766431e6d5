"""What differs between a day's new revision and the one before it."""

from array import array
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from reports.exports.manifest import manifest_path, sha256_of
from reports.exports.spend_csv import Facts, read_facts
from reports.exports.spend_report import Report


def changes_since(previous: Path | None, sha256: str, report: Report, reasons: list[str]) -> dict[str, Any]:
    """Why there is a new revision and what changed: rows by count, totals from and to.

    Without the previous file, or with one that is not as it was issued (with the hash `sha256`), only the reasons are
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
    """How many rows are new, gone, or have other numbers, told by 64 bits of hash a row."""
    added = _missing(after.keys, before.keys)
    return {
        "added": added,
        "removed": _missing(before.keys, after.keys),
        "changed": _missing(after.rows, before.rows) - added,
    }


def _missing(some: "array[int]", others: "array[int]") -> int:
    return int(np.isin(np.asarray(some), np.asarray(others), invert=True).sum())
