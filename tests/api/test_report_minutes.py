"""Usage by the minute: live counters, by product and model, for the last seven days of the database's own clock."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from sinks.client import create_database
from sinks.migrations import migrate
from tests.reference.usage_and_cost import text
from tests.support.api_server import PREFIX, Served, context_of, make_keys, serve
from tests.support.sdk_reports import Key, found
from tests.support.sdk_walk import walk
from tests.support.simulated_world import World, fold_lines, line_of

pytestmark = pytest.mark.slow

USAGE_BASED, SEATED = str(UUID(int=0xB001)), str(UUID(int=0xB002))
MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
BEGINS, ENDS = NOW - timedelta(hours=5), NOW - timedelta(hours=1)


def request(organization: str, number: int) -> dict[str, Any]:
    """One of many requests in the last hours."""
    at = BEGINS - timedelta(minutes=30) + number * timedelta(seconds=47)
    return {
        "type": "token.used", "event_id": str(uuid4()), "occurred_at": at.isoformat(), "organization_id": organization,
        "actor": {"type": "user", "id": str(UUID(int=number % 3 + 1))}, "product": ("chat", "cowork")[number % 2],
        "model": ("claude-opus-4-8", "claude-sonnet-5")[number % 4 // 2], "funding": "usage_based",
        "request_id": f"r{number}", "uncached_input_tokens": number, "output_tokens": 2 * number,
        "cache_creation_5m_input_tokens": 3, "cache_creation_1h_input_tokens": 5, "cache_read_input_tokens": 7,
    }  # fmt: skip


@pytest.fixture(scope="module")
def live(clickhouse: str) -> Iterator[tuple[World, Served]]:
    """Two organizations with some hours of usage up to now; one is on seats."""
    world = World(clickhouse, f"minutes_{uuid4().hex}", [], {})
    create_database(clickhouse, "default", "", world.database)
    client = world.client()
    migrate(client)
    plan = {"type": "plan.changed", "event_id": str(uuid4()), "organization_id": SEATED, "plan": "team"}
    began = (NOW - timedelta(days=30)).replace(minute=0).isoformat()
    events = [plan | {"occurred_at": began, "effective_from": began}]
    events += [request(organization, number) for number in range(400) for organization in (USAGE_BASED, SEATED)]
    fold_lines(client, world, [line_of(event) for event in events], now=NOW)
    client.close()
    with serve(context_of(world, now=NOW)) as running:
        running.keys = make_keys(world, NOW)
        yield world, running


def recount(events: list[dict[str, Any]], by: tuple[str, ...]) -> dict[Key, Any]:
    """(values of `by`..., minute) to the counts, web searches (not kept by the minute) 0."""
    rows: dict[Key, list[int]] = defaultdict(lambda: [0] * 7)
    for event in events:
        at = datetime.fromisoformat(event["occurred_at"])
        if event["type"] == "token.used" and event["organization_id"] == USAGE_BASED and BEGINS <= at < ENDS:
            number = event["uncached_input_tokens"]
            key = (*(event[name] for name in by), text(at.replace(second=0, microsecond=0)))
            rows[key] = [a + b for a, b in zip(rows[key], (number, 7, 3, 5, 2 * number, 0, 1), strict=True)]
    return {key: tuple(counts) for key, counts in rows.items()}


@pytest.mark.parametrize("by", [(), ("product",), ("product", "model")], ids=str)
@pytest.mark.parametrize(("method", "width"), [("usage_report", "bucket_width"), ("usage", "time_bucket_width")])
def test_minutes(live: tuple[World, Served], method: str, width: str, by: tuple[str, ...]) -> None:
    world, served = live
    asked: dict[str, Any] = {"starting_at": BEGINS, "ending_at": ENDS, width: "1m", "limit": 100}
    asked |= {"group_by": list(by)} if by else {}
    rows = walk(served, served.keys[USAGE_BASED], method, beta=True, **asked)
    assert found(method, rows, by, width=True) == recount(world.events, by)
    wrong = recount(world.events[:300] + world.events[302:], by)
    assert found(method, rows, by, width=True) != wrong, "a request that is left out is noticed"
    if method == "usage_report":
        assert len(rows) == (ENDS - BEGINS) // MINUTE


def test_seats_do_not_go_by_the_minute(live: tuple[World, Served]) -> None:
    """What is reported of them hangs on who pays, and minutes do not tell."""
    _, served = live
    asked = {"starting_at": text(BEGINS), "ending_at": text(ENDS), "bucket_width": "1m"}
    refused = served.get(f"{PREFIX}/usage_report", served.keys[SEATED], **asked)
    assert refused.status_code == 400
    assert "seat-based" in refused.json()["error"]["message"]
    hours = served.get(f"{PREFIX}/usage_report", served.keys[SEATED], **asked | {"bucket_width": "1h"}).json()
    assert all(bucket["results"] == [] for bucket in hours["data"])


def test_as_far_back_as_minutes_are_kept(live: tuple[World, Served]) -> None:
    _, served = live
    oldest = NOW - timedelta(days=7) + 2 * MINUTE
    asked = {"ending_at": text(NOW), "bucket_width": "1m", "limit": 2}
    path, key = f"{PREFIX}/usage_report", served.keys[USAGE_BASED]
    assert served.get(path, key, starting_at=text(oldest), **asked).status_code == 200
    refused = served.get(path, key, starting_at=text(oldest - MINUTE), **asked)
    assert refused.status_code == 400
    assert text(oldest) in refused.json()["error"]["message"]
