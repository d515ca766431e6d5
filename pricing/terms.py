"""Plan, discount and extra usage of an organization over time, and whether it has a spend report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import get_args

from clickhouse_connect.driver.client import Client

from queries.errors import NoSpendReport
from queries.organizations import require_known
from sinks.datetimes import clickhouse_timestamp
from tally_client.events.usage import Funding

FUNDINGS = frozenset(get_args(Funding))


@dataclass(frozen=True)
class Terms:
    """The plan and extra usage of an organization from a moment on.

    `covered_by_seats` are the fundings of usage that is not spend (the view `terms` has the rule).
    """

    in_force_from: datetime
    plan: str
    seat_based: bool
    extra_usage: bool
    covered_by_seats: frozenset[str]


def read_terms(client: Client, organization_id: str) -> list[Terms]:
    """Return the organization's history, oldest first."""
    rows = client.query(
        "SELECT toUnixTimestamp64Micro(in_force_from), plan, seat_based, extra_usage, covered_by_seats FROM terms "
        "WHERE organization_id = {organization_id:UUID} ORDER BY in_force_from",
        parameters={"organization_id": organization_id},
    ).result_rows
    return [
        Terms(_moment(since), plan, bool(seat_based), bool(extra_usage), frozenset(covered))
        for since, plan, seat_based, extra_usage, covered in rows
    ]


def has_report(history: Sequence[Terms], begins: datetime, ends: datetime) -> bool:
    """Return True if any hour of [begins, ends) has a spend report: usage of some funding is not covered by seats.

    The time before the first plan alone does not give a report. An organization without any plan has no seats, so it
    has one.
    """
    at_start = [terms for terms in history if terms.in_force_from <= begins][-1:]
    within = [terms for terms in history if begins < terms.in_force_from < ends]
    known = (*at_start, *within)
    return not known or any(FUNDINGS - terms.covered_by_seats for terms in known)


def reports_in(
    client: Client, organization_id: str, begins: datetime, ends: datetime, history: Sequence[Terms] | None = None
) -> bool:
    """Return True if the organization has a spend report in [begins, ends), by its terms or by usage before them."""
    history = read_terms(client, organization_id) if history is None else history
    if has_report(history, begins, ends):
        return True
    return begins < history[0].in_force_from and _has_reported_usage(client, organization_id, begins, ends)


def require_report(client: Client, organization_id: str, begins: datetime, ends: datetime) -> None:
    """Raise UnknownOrganization if the organization does not exist, and NoSpendReport if it has no report there."""
    require_known(client, organization_id)
    if not reports_in(client, organization_id, begins, ends):
        raise NoSpendReport(
            f"Organization {organization_id} has no spend report from {begins:%Y-%m-%d} on: its plan is seat-based "
            "with extra usage off, and usage within the seats is not spend",
            "It has one for the time in which extra usage is enabled, or on a usage-based plan.",
        )


def _has_reported_usage(client: Client, organization_id: str, begins: datetime, ends: datetime) -> bool:
    """Return True if the period has usage from before the first plan: it counts, so the report must include it."""
    query = (
        "SELECT count() FROM (SELECT 1 FROM spend WHERE organization_id = {id:UUID} AND reported "
        "AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} LIMIT 1)"
    )
    parameters = {"id": organization_id, "begins": clickhouse_timestamp(begins), "ends": clickhouse_timestamp(ends)}
    return bool(client.query(query, parameters=parameters).result_rows[0][0])


def terms_digests(client: Client) -> dict[str, str]:
    """Return, by organization, a hash of its history of plan, discount and extra usage."""
    rows = client.query(
        "SELECT toString(organization_id), arraySort(groupArray(concat(toString(in_force_from), ' ', plan, ' ', "
        "toString(discount), ' ', toString(extra_usage)))) FROM terms GROUP BY organization_id"
    ).result_rows
    return {organization_id: sha256("\n".join(history).encode()).hexdigest() for organization_id, history in rows}


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
