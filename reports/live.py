"""Live activity: an organization's events by the minute in which they happened."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from queries.sql_files import fetch
from sinks.datetimes import clickhouse_timestamp

MINUTES = 60
MINUTE = timedelta(minutes=1)
SQL = Path(__file__).with_name("live_minutes.sql")


class Counts(Struct, frozen=True, kw_only=True):
    """Events of all kinds, requests and tokens of those that used a model, and events by product ("" without one)."""

    events: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    products: dict[str, int] = {}


class Minute(Struct, frozen=True, kw_only=True):
    """One UTC minute. `complete`: all that the log had received by its end is counted; late events may follow."""

    begins: datetime
    counts: Counts
    complete: bool


def live_minutes(
    client: Client, organization_id: str, now: datetime, refreshed_at: datetime | None, minutes: int = MINUTES
) -> tuple[Minute, ...]:
    """Return the last `minutes` minutes up to the current one, oldest first, without gaps.

    `refreshed_at` is as in Freshness and read before this: minutes that it has not passed are not complete.
    """
    present = now.astimezone(UTC).replace(second=0, microsecond=0)
    asked = {"organization_id": organization_id, "now": clickhouse_timestamp(present), "minutes": minutes}
    found = {row.pop("minute").replace(tzinfo=UTC): Counts(**row) for row in fetch(client, SQL, asked)}
    every = [present - number * MINUTE for number in range(minutes - 1, -1, -1)]
    return tuple(
        Minute(
            begins=minute,
            counts=found.get(minute, Counts()),
            complete=refreshed_at is not None and minute + MINUTE <= refreshed_at,
        )
        for minute in every
    )
