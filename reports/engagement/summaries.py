"""Active people, seats and invitations of each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.data_version import data_version
from queries.sql_files import Row, fetch
from reports.engagement.query import EngagementQuery, cached_rows
from reports.metric_windows import ACTIVE_DAYS, MONTH_DAYS, days_between, days_of
from reports.periods import DAY
from reports.presence.activity_kinds import ACTIVITY_PRODUCTS
from reports.presence.bitsets import counts, trailing
from reports.presence.presence import read_group_days, read_present

SEATS = Path(__file__).parents[1] / "metrics" / "sql" / "seats.sql"

KINDS = {
    "": ACTIVITY_PRODUCTS,
    **{product: (product,) for product in ACTIVITY_PRODUCTS},
    **{product: (f"busy in {product}",) for product in ("office_agent", "claude_design", "science")},
}
"""The kinds of activity that make people active in a product; "" is active in any way listed in docs/metrics.md."""

PRODUCTS = tuple(product for product in KINDS if product)


@dataclass(frozen=True)
class Summary:
    """One UTC day. `active`: distinct people by (product, days of the window); product "" is active in any way listed
    in docs/metrics.md. Seats and invitations are those at the end of the day, None if a group is requested."""

    day: date
    active: dict[tuple[str, int], int]
    seats: int | None
    invites: int | None


def read_summaries(client: Client, question: EngagementQuery) -> Sequence[Summary]:
    """Return one summary per day, oldest first."""
    active = _active(client, question)
    standing = {} if question.groups else _standing(client, question)
    nobody = (None, None)
    return [Summary(day, people, *standing.get(day, nobody)) for day, people in active.items()]


def _active(client: Client, question: EngagementQuery) -> dict[date, dict[tuple[str, int], int]]:
    """Return the active people of each day, by product and window."""
    organization_id = question.organization_id
    before = MONTH_DAYS - 1
    state = data_version(client, organization_id)
    present = read_present(client, organization_id, state, question.first - before * DAY, question.last)
    held = read_group_days(client, organization_id, state, question.groups, present) if question.groups else None
    days = days_of(days_between(question.first, question.last))
    active: dict[date, dict[tuple[str, int], int]] = {day: {} for day in days}
    for product, kinds in KINDS.items():
        rows = present.rows(kinds)
        shown = rows if held is None else rows & held
        for width in ACTIVE_DAYS.values():
            for day, people in zip(active, counts(trailing(shown, width))[before:], strict=True):
                active[day][product, width] = people
    return active


@cached_rows
def _standing_rows(client: Client, question: EngagementQuery) -> Sequence[Row]:
    asked = {"organization_id": question.organization_id, "first": question.first, "last": question.last}
    return fetch(client, SEATS, asked)


def _standing(client: Client, question: EngagementQuery) -> dict[date, tuple[int, int]]:
    return {row["day"]: (row["seats"], row["invites"]) for row in _standing_rows(client, question)}
