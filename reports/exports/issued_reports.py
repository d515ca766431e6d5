"""The issued reports of an organization: each revision of each day, and what it changed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client
from msgspec import Struct

from queries.sql_files import Row, fetch
from reports.periods import FIRST_KEPT_DAY

SQL = Path(__file__).with_name("issued_reports.sql")
COUNTED = {"total_requests": "requests", "total_prompt_tokens": "prompt tokens",
           "total_completion_tokens": "completion tokens"}  # fmt: skip
MONEY = {"total_net_spend_usd": "net spend", "total_gross_spend_usd": "gross spend"}


class TotalChange(Struct, frozen=True):
    """A total that differs from the revision before; None means unknown, because a price is missing."""

    what: str
    before: Decimal | None
    after: Decimal | None
    is_money: bool


class PastReport(Struct, frozen=True, kw_only=True):
    """One revision of a day's report. `reasons`: why it was issued. The counts of rows are None for a first revision.

    An amount is None if a part of it had no price. `file_name` is relative to the folder of reports.
    """

    day: date
    revision: int
    file_name: str
    sha256: str
    rows: int
    issued_at: datetime
    data_refreshed_at: datetime
    requests: int
    net_usd: Decimal | None
    gross_usd: Decimal | None
    unpriced_models: tuple[str, ...]
    reasons: tuple[str, ...]
    rows_added: int | None
    rows_removed: int | None
    rows_changed: int | None
    moved: tuple[TotalChange, ...]


def issued_reports(client: Client, organization_id: str, limit: int, offset: int = 0) -> list[PastReport]:
    """Return `limit` revisions after the first `offset`, newest day and revision first."""
    return _ask(client, organization_id, limit=limit, offset=offset)


def past_report(client: Client, organization_id: str, day: date, revision: int) -> PastReport | None:
    """Return one revision of a day's report, from 1 on; None if it was never issued."""
    return next(iter(_ask(client, organization_id, day=day, revision=revision)), None)


def _ask(client: Client, organization_id: str, **asked: Any) -> list[PastReport]:
    usual = {"organization_id": organization_id, "limit": 1, "offset": 0, "day": FIRST_KEPT_DAY, "revision": 0}
    return [_past_report(row) for row in fetch(client, SQL, usual | asked)]


def _past_report(row: Row) -> PastReport:
    changes = orjson.loads(row["changes"])
    rows = changes.get("rows") or {}
    return PastReport(
        day=row["day"],
        revision=row["revision"],
        file_name=row["file_name"],
        sha256=row["sha256"],
        rows=row["rows"],
        issued_at=row["issued_at"].replace(tzinfo=UTC),
        data_refreshed_at=row["data_refreshed_at"].replace(tzinfo=UTC),
        requests=row["total_requests"],
        net_usd=row["total_net_spend_usd"],
        gross_usd=row["total_gross_spend_usd"],
        unpriced_models=tuple(row["unpriced"]),
        reasons=tuple(changes.get("reasons", ())),
        rows_added=rows.get("added"),
        rows_removed=rows.get("removed"),
        rows_changed=rows.get("changed"),
        moved=tuple(_moved(changes.get("totals_from") or {}, changes.get("totals_to") or {})),
    )


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[TotalChange]:
    """Return the totals that differ, exactly."""
    return [
        TotalChange(what, _amount(before[name]), _amount(after[name]), name in MONEY)
        for name, what in (MONEY | COUNTED).items()
        if name in before and before[name] != after[name]
    ]


def _amount(value: str | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)
