"""Which organizations have a spend report, and why not: plan and extra usage over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from clickhouse_connect.driver.client import Client

from queries.errors import NoSpendReport
from queries.organizations import require_known
from sinks.datetimes import clickhouse_timestamp


@dataclass(frozen=True)
class Terms:
    """What an organization pays by from a moment on."""

    in_force_from: datetime
    plan: str
    seat_based: bool
    extra_usage: bool


def read_terms(client: Client, organization_id: str) -> list[Terms]:
    """The organization's history, oldest first."""
    rows = client.query(
        "SELECT toUnixTimestamp64Micro(in_force_from), plan, seat_based, extra_usage FROM terms "
        "WHERE organization_id = {organization_id:UUID} ORDER BY in_force_from",
        parameters={"organization_id": organization_id},
    ).result_rows
    return [Terms(_moment(row[0]), row[1], bool(row[2]), bool(row[3])) for row in rows]


def has_report(history: Sequence[Terms], begins: datetime, ends: datetime) -> bool:
    """Whether any hour of [begins, ends) has a spend report: a plan that is not seat-based, or extra usage on.

    The time before the first plan is no reason for one; an organization without any plan has no seats, so it has.
    """
    at_start = [terms for terms in history if terms.in_force_from <= begins][-1:]
    within = [terms for terms in history if begins < terms.in_force_from < ends]
    known = (*at_start, *within)
    return not known or any(not terms.seat_based or terms.extra_usage for terms in known)


def reports_in(
    client: Client, organization_id: str, begins: datetime, ends: datetime, history: Sequence[Terms] | None = None
) -> bool:
    """Whether the organization has a spend report in [begins, ends): by its terms, or by usage from before any."""
    history = read_terms(client, organization_id) if history is None else history
    if has_report(history, begins, ends):
        return True
    return begins < history[0].in_force_from and _has_reported_usage(client, organization_id, begins, ends)


def require_report(client: Client, organization_id: str, begins: datetime, ends: datetime) -> None:
    """Nothing, or UnknownOrganization, or NoSpendReport with what would give the organization one."""
    require_known(client, organization_id)
    if not reports_in(client, organization_id, begins, ends):
        raise NoSpendReport(
            f"Organization {organization_id} has no spend report from {begins:%Y-%m-%d} on: its plan is seat-based "
            "with extra usage off, and usage within the seats is not spend",
            "It has one for the time in which extra usage is enabled, or on a usage-based plan.",
        )


def _has_reported_usage(client: Client, organization_id: str, begins: datetime, ends: datetime) -> bool:
    """Whether usage from before the first plan is in the period: it counts, so the report must show it."""
    query = (
        "SELECT count() FROM (SELECT 1 FROM spend WHERE organization_id = {id:UUID} AND reported "
        "AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} LIMIT 1)"
    )
    parameters = {"id": organization_id, "begins": clickhouse_timestamp(begins), "ends": clickhouse_timestamp(ends)}
    return bool(client.query(query, parameters=parameters).result_rows[0][0])


def terms_digests(client: Client) -> dict[str, str]:
    """For each organization, the hash of its history of plan, discount and extra usage."""
    rows = client.query(
        "SELECT toString(organization_id), arraySort(groupArray(concat(toString(in_force_from), ' ', plan, ' ', "
        "toString(discount), ' ', toString(extra_usage)))) FROM terms GROUP BY organization_id"
    ).result_rows
    return {organization_id: sha256("\n".join(history).encode()).hexdigest() for organization_id, history in rows}


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
