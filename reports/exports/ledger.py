"""The ledger of issued reports: each day's revisions, their inputs, and the comparisons with the tables since."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from sinks.client import insert_rows
from sinks.datetimes import clickhouse_timestamp

ISSUED_COLUMNS = (
    *("organization_id", "day", "revision", "file_name", "sha256", "facts_sha256", "rows", "issued_at"),
    *("data_refreshed_at", "next_offsets", "prices_revision", "terms_sha256", "total_requests"),
    *("total_prompt_tokens", "total_completion_tokens", "total_net_spend_usd", "total_gross_spend_usd"),
    *("unpriced_models", "changes"),
)
CHECK_COLUMNS = (
    *("organization_id", "day", "sources", "next_offsets", "prices_revision", "terms_sha256", "checked_at"),
)

DayKey = tuple[str, date]


@dataclass(frozen=True)
class Issued:
    """The newest revision of a day's report."""

    revision: int
    file_name: str
    sha256: str
    facts_sha256: str


@dataclass(frozen=True)
class Check:
    """The state up to which a day's report is known to equal the tables."""

    sources: frozenset[str]
    next_offsets: Mapping[str, int]
    prices_revision: int
    terms_sha256: str


def stale_reasons(check: Check | None, newest_offsets: Mapping[str, int], prices: int, terms: str) -> list[str]:
    """Return the reasons why a day's report may differ from the tables now; empty if it cannot.

    `newest_offsets`: by source with cells in that day, the offset of the last event folded into one of them.
    """
    if check is None:
        return ["first issue"]
    reasons = []
    if any(offset >= check.next_offsets.get(source, 0) for source, offset in newest_offsets.items()):
        reasons.append("late events")
    if check.sources - newest_offsets.keys():
        reasons.append("a topic's epoch was replaced")
    if prices != check.prices_revision:
        reasons.append("prices")
    if terms != check.terms_sha256:
        reasons.append("plan, discount or extra usage")
    return reasons


def newest_issued(client: Client) -> dict[DayKey, Issued]:
    """Return the newest revision of every issued day."""
    rows = client.query(
        "SELECT toString(organization_id), day, max(revision), argMax(file_name, revision), argMax(sha256, revision), "
        "argMax(facts_sha256, revision) FROM issued_reports GROUP BY organization_id, day"
    ).result_rows
    return {(row[0], row[1]): Issued(*row[2:]) for row in rows}


def checks(client: Client) -> dict[DayKey, Check]:
    """Return the newest comparison of every day that was compared."""
    rows = client.query(
        "SELECT toString(organization_id), day, sources, next_offsets, prices_revision, terms_sha256 "
        "FROM report_checks FINAL"
    ).result_rows
    return {(row[0], row[1]): Check(frozenset(row[2]), row[3], row[4], row[5]) for row in rows}


def issued_files(client: Client) -> Iterator[tuple[str, str]]:
    """Yield every file that was ever issued: its name in the folder of reports and its SHA-256."""
    query = "SELECT file_name, any(sha256) FROM issued_reports GROUP BY file_name ORDER BY file_name"
    yield from client.query(query).result_rows


def newest_offsets(client: Client) -> dict[DayKey, dict[str, int]]:
    """Return, by organization and day: source -> offset of the last event folded into a cell."""
    rows = client.query(
        "SELECT toString(organization_id), day, toString(source), newest_offset FROM spend_offsets"
    ).result_rows
    found: dict[DayKey, dict[str, int]] = {}
    for organization_id, day, source, offset in rows:
        found.setdefault((organization_id, day), {})[source] = offset
    return found


def first_days(client: Client) -> dict[str, date]:
    """Return the first day of each organization: in the directory, or of its usage if that is earlier."""
    rows = client.query(
        "SELECT toString(organization_id), min(first) FROM ("
        "SELECT organization_id, toDate(min(in_force_from)) AS first FROM directory GROUP BY organization_id "
        "UNION ALL SELECT organization_id, toDate(min(hour)) FROM spend_cells GROUP BY organization_id"
        ") GROUP BY organization_id ORDER BY organization_id"
    ).result_rows
    return dict(rows)


def record_issued(client: Client, row: Mapping[str, Any]) -> None:
    """Record one revision. Recording it again changes nothing."""
    insert_rows(client, "issued_reports", ISSUED_COLUMNS, [[row[column] for column in ISSUED_COLUMNS]])


def record_checks(client: Client, compared: Mapping[DayKey, Check], at: datetime) -> None:
    """Record that these days' reports were compared with the tables."""
    moment = clickhouse_timestamp(at, "microseconds")
    rows = [
        [
            *(organization_id, day.isoformat(), sorted(check.sources), dict(check.next_offsets)),
            *(check.prices_revision, check.terms_sha256, moment),
        ]
        for (organization_id, day), check in compared.items()
    ]
    if rows:
        insert_rows(client, "report_checks", CHECK_COLUMNS, rows)


def issued_row(manifest: Mapping[str, Any], file_name: str) -> dict[str, Any]:
    """Return the ledger row for a daily report's manifest, which also restores a row that a crash lost."""
    return {
        "organization_id": manifest["organization_uuid"],
        "day": manifest["period"]["first_day"],
        "file_name": file_name,
        "changes": orjson.dumps(manifest["changes"]).decode(),
        "issued_at": _clickhouse_moment(manifest["issued_at"]),
        "data_refreshed_at": _clickhouse_moment(manifest["data_refreshed_at"]),
        **{name: manifest[name] for name in _same_names(manifest)},
        **{name: amount for name, amount in manifest["totals"].items() if name in ISSUED_COLUMNS},
    }


def _same_names(manifest: Mapping[str, Any]) -> Iterable[str]:
    taken = {"changes", "issued_at", "data_refreshed_at"}
    return [column for column in ISSUED_COLUMNS if column in manifest and column not in taken]


def _clickhouse_moment(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z")
