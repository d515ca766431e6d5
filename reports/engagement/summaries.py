"""Active people, seats and invitations of each day."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from clickhouse_connect.driver.client import Client

from reports.engagement.asking import Question, remembered, rows

WINDOWS = {"daily": 1, "weekly": 7, "monthly": 30}
"""Trailing days, the day itself included; the one place that says how long a window is (summaries.sql counts these)."""

PRODUCTS = ("chat", "claude_code", "cowork", "office_agent", "claude_design", "science")


@dataclass(frozen=True)
class Summary:
    """One UTC day. `active`: distinct people by (product, days of the window); product "" is active in any way that
    docs/metrics.md names. Seats and invitations are those at the day's end, None when asked for a group."""

    day: date
    active: dict[tuple[str, int], int]
    seats: int | None
    invites: int | None


@remembered
def read_summaries(client: Client, question: Question) -> Sequence[Summary]:
    """One summary a day, oldest first."""
    active: dict[date, dict[tuple[str, int], int]] = defaultdict(dict)
    for row in rows(client, "summaries", question.parameters()):
        active[row["day"]][row["product"], row["width"]] = row["people"]
    standing = {} if question.groups else _standing(client, question)
    return list(_summaries(active, standing))


def _standing(client: Client, question: Question) -> dict[date, tuple[int, int]]:
    return {row["day"]: (row["seats"], row["invites"]) for row in rows(client, "seats", question.parameters())}


def _summaries(
    active: dict[date, dict[tuple[str, int], int]], standing: dict[date, tuple[int, int]]
) -> Iterator[Summary]:
    for day in sorted(active):
        seats, invites = standing.get(day, (None, None))
        yield Summary(day, active[day], seats, invites)
