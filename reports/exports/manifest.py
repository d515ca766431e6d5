"""The manifest next to a report: the file's content, how far into the log it reaches, and the prices it used."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import orjson

from files.atomic_files import holds_something
from files.errors import FileError
from queries.errors import NotAsIssued
from queries.freshness import Freshness
from reports.periods import Period
from sinks.datetimes import rfc3339

VERSION = 1


class WrittenReport(Protocol):
    """A finished file. `format` names its content; `totals_json` has money as text, so that no reader rounds it;
    `unpriced_models` are the models whose cost is unknown."""

    @property
    def sha256(self) -> str:
        """The hash of the file's bytes."""

    @property
    def format(self) -> str:
        """`daily`, `claude-2026-10`, `focus-1.2`."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns, in order."""

    @property
    def rows(self) -> int:
        """The number of rows."""

    @property
    def totals_json(self) -> Mapping[str, Any]:
        """The totals, as JSON values."""

    @property
    def unpriced_models(self) -> Sequence[str]:
        """The models without a price, sorted."""


@dataclass(frozen=True)
class Inputs:
    """The inputs of a report, read before its cells."""

    freshness: Freshness
    prices_revision: int
    terms_sha256: str


def manifest(
    file: Path, organization_id: str, period: Period, report: WrittenReport, inputs: Inputs, issued_at: datetime
) -> dict[str, Any]:
    """Return the manifest of a report as JSON values."""
    refreshed_at = inputs.freshness.data_refreshed_at
    return {
        "manifest_version": VERSION,
        "file": file.name,
        "format": report.format,
        "columns": list(report.columns),
        "sha256": report.sha256,
        "rows": report.rows,
        "organization_uuid": organization_id,
        "period": period_json(period),
        "provisional": period.provisional,
        "issued_at": rfc3339(issued_at, "milliseconds"),
        "data_refreshed_at": rfc3339(refreshed_at, "milliseconds") if refreshed_at else None,
        "next_offsets": sorted_offsets(inputs.freshness.next_offsets),
        "prices_revision": inputs.prices_revision,
        "terms_sha256": inputs.terms_sha256,
        "totals": dict(report.totals_json),
        "unpriced_models": list(report.unpriced_models),
    }


def period_json(period: Period) -> dict[str, str]:
    """Return the days as in a manifest."""
    return {"kind": period.kind, "first_day": str(period.first), "last_day": str(period.last)}


def sorted_offsets(offsets: Mapping[str, int]) -> dict[str, int]:
    """Return the positions in a fixed order."""
    return dict(sorted(offsets.items()))


def manifest_path(file: Path) -> Path:
    """Return the path of a report's manifest, next to its file."""
    return file.with_name(f"{file.name}.manifest.json")


def refuse_to_replace(file: Path, organization_id: str, period: Period, format_name: str) -> None:
    """Raise FileError if `file` or its manifest exists and is not an earlier run of the same export.

    The same export has the same organization, days and format in its manifest, and the hash in the manifest. An
    issued report, which has a revision, never counts as the same. An empty file has nothing to lose.
    """
    beside = manifest_path(file)
    if file.is_dir():
        raise FileError(f"Cannot write {file}: it is a folder", "Pass the path of a file in it.")
    if not holds_something(file) and not beside.exists():
        return
    found = read_manifest(beside)
    is_same = _told(found) == (organization_id, format_name, period.provisional, str(period.first), str(period.last))
    if is_same and (not file.exists() or found.get("sha256") == sha256_of(file)):
        return
    what = f"{beside}, the manifest of another file," if not file.exists() else str(file)
    raise FileError(
        f"{what} already exists and is not an earlier export of the same days in the same format",
        "Choose another name with --out, or replace it with --replace.",
    )


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the content of a manifest; {} if it cannot be read."""
    try:
        found = orjson.loads(path.read_bytes()) if path.is_file() else {}  # reading a FIFO would block
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def require_as_issued(file: Path, sha256: str) -> None:
    """Raise NotAsIssued if the SHA-256 of `file` is not the one that was issued."""
    found = sha256_of(file)
    if found != sha256:
        raise NotAsIssued(
            f"{file} is not the file that was issued: its SHA-256 is {found}, but the issued file's is {sha256}",
            "Restore the issued file from a backup, and find out who changed it.",
        )


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _told(found: dict[str, Any]) -> tuple[Any, ...]:
    """Return the values that two runs of the same export have in common."""
    period = found.get("period")
    first, last = (period.get("first_day"), period.get("last_day")) if isinstance(period, dict) else ("", "")
    told = found.get("organization_uuid"), found.get("format"), found.get("provisional"), first, last
    return (*told, found["revision"]) if "revision" in found else told
