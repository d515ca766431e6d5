"""`/health`: whether results are complete until about now, and if not, the cause."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from clickhouse_connect.driver.exceptions import ClickHouseError
from msgspec import Struct
from urllib3.exceptions import HTTPError

from api.context import Context, SourcesUnknown
from queries.freshness import Freshness

HEALTH_SECONDS = 3.0
"""Time limit of a health check. Probes wait 1 to 10 s, and a check that exceeds its probe's limit reports nothing."""

SUSPICIOUS = timedelta(seconds=20)
"""The watermark's age from which the check looks for an open transaction that holds it back."""

STALE = timedelta(seconds=60)
"""A watermark older than this makes the API unhealthy, as it does a worker."""

UNMIGRATED = frozenset({60, 81})
"""ClickHouse's UNKNOWN_TABLE and UNKNOWN_DATABASE."""
REFUSED = frozenset({192, 193, 194, 497, 516})
"""ClickHouse's codes for a wrong user, password or grant."""

Cause = Literal["no_answer", "clickhouse", "not_migrated", "refused", "kafka", "starting", "behind", "transaction"]


class Health(Struct, frozen=True, kw_only=True):
    """The result of a check. `cause` is null if all is well; `problems` explains it and what to do."""

    healthy: bool
    cause: Cause | None
    problems: list[str]
    data_refreshed_at: datetime | None


async def read_health(context: Context) -> Health:
    """Return the health now, within HEALTH_SECONDS."""
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            return await context.probes.run(lambda: _look(context), "")
    except TimeoutError:
        return _ill("no_answer", f"ClickHouse or Kafka has not responded within {HEALTH_SECONDS:g} s")


def _look(context: Context) -> Health:
    try:
        freshness = context.reach()
    except SourcesUnknown as error:
        return _ill("kafka", f"{error}: is it running, and do its topics exist?")
    except (ClickHouseError, HTTPError, OSError) as error:
        return _of_clickhouse(getattr(error, "code", None))
    return judge(freshness, context.clock(), context.held_back)


def _of_clickhouse(code: int | None) -> Health:
    if code in UNMIGRATED:
        return _ill("not_migrated", "the tables do not exist yet: run `tally migrate` to create them")
    if code in REFUSED:
        return _ill("refused", "ClickHouse rejects the login or the permission: check clickhouse_user and its password")
    return _ill("clickhouse", "ClickHouse cannot be reached or is not ready")


def judge(freshness: Freshness, now: datetime, held_back: Callable[[], dict[str, str]]) -> Health:
    """Return the health that follows from the freshness."""
    reached = freshness.data_refreshed_at
    if reached is not None and now - reached <= SUSPICIOUS:
        return _well(reached)
    try:
        held = held_back()
    except Exception:  # this only explains a cause; an unreachable Kafka is reported elsewhere
        held = {}
    if held and freshness.behind & held.keys():
        return _ill("transaction", *held.values(), reached=reached)
    if reached is None:
        return _unknown(freshness)
    if now - reached <= STALE:
        return _well(reached)
    where = ", ".join(sorted(freshness.behind))
    said = f"the tables are complete only until {reached:%Y-%m-%d %H:%M:%S} UTC, since {where} got no further"
    return _ill("behind", f"{said}: is a worker running? Run `tally doctor` for details", reached=reached)


def _unknown(freshness: Freshness) -> Health:
    if freshness.is_fresh:
        return _ill(
            "starting", "nothing is known yet: no worker has read a log to its end, as each does after it starts"
        )
    some = sorted(freshness.behind)
    said = f"sources not read to the end of their logs yet: {len(some)}, among them {some[0]}"
    return _ill("behind", f"how far the tables reach is unknown: {said}: is a worker running?")


def _well(reached: datetime) -> Health:
    return Health(healthy=True, cause=None, problems=[], data_refreshed_at=reached)


def _ill(cause: Cause, *problems: str, reached: datetime | None = None) -> Health:
    return Health(healthy=False, cause=cause, problems=list(problems), data_refreshed_at=reached)
