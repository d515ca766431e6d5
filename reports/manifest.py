"""The manifest beside a report: what the file holds, how far into the log it reaches, and what it was priced with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from reports.freshness import Freshness
from reports.periods import Period
from reports.spend_csv import Totals
from reports.spend_report import Report

VERSION = 1


@dataclass(frozen=True)
class Inputs:
    """What a report was made from, read before its cells."""

    freshness: Freshness
    prices_revision: int
    terms_sha256: str


def manifest(
    file: Path, organization_id: str, period: Period, report: Report, inputs: Inputs, issued_at: datetime
) -> dict[str, Any]:
    """The manifest of a report as JSON-able values; money as text, so that no reader rounds it."""
    return {
        "manifest_version": VERSION,
        "file": file.name,
        "sha256": report.sha256,
        "rows": report.totals.rows,
        "organization_uuid": organization_id,
        "period": {"kind": period.kind, "first_day": str(period.first), "last_day": str(period.last)},
        "provisional": period.provisional,
        "issued_at": moment_text(issued_at),
        "data_refreshed_at": moment_text(inputs.freshness.data_refreshed_at),
        "next_offsets": sorted_offsets(inputs.freshness.next_offsets),
        "prices_revision": inputs.prices_revision,
        "terms_sha256": inputs.terms_sha256,
        "totals": totals_json(report.totals),
        "unpriced_models": sorted(report.totals.unpriced_models),
    }


def totals_json(totals: Totals) -> dict[str, Any]:
    """The totals under the names of the columns; money is null when a row's is unknown, the priced part never is."""
    return {
        "total_requests": totals.requests,
        "total_prompt_tokens": totals.prompt_tokens,
        "total_completion_tokens": totals.completion_tokens,
        "total_net_spend_usd": money_text(totals.net_spend_usd),
        "total_gross_spend_usd": money_text(totals.gross_spend_usd),
        "priced_net_spend_usd": money_text(totals.priced_net_spend_usd),
        "priced_gross_spend_usd": money_text(totals.priced_gross_spend_usd),
        "unpriced_rows": totals.unpriced_rows,
    }


def money_text(amount: Decimal | None) -> str | None:
    """A plain decimal without an exponent and trailing zeros."""
    if amount is None:
        return None
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment_text(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sorted_offsets(offsets: Mapping[str, int]) -> dict[str, int]:
    """The positions in a fixed order."""
    return dict(sorted(offsets.items()))


def manifest_path(file: Path) -> Path:
    """Where the manifest of a report's file is: beside it."""
    return file.with_name(f"{file.stem}.manifest.json")
