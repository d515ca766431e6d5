"""Who sees no spend cannot compute it: worlds that differ only in what prices depend on are one world to them."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from access.keys import READ_ACTIVITY, create_key, ensure_cursor_secret
from api.usage.endpoints import REPORTS
from api.usage.redaction import PRICED_BY
from pricing.price_table import read_price_list
from simulation import Plan
from tests.support.all_responses import SPAN, Asked, answers, pages, questions, with_key
from tests.support.api_server import PREFIX, Served, context_of, serve
from tests.support.sdk_walk import walk
from tests.support.simulated_world import NOW, UNTIL, World, priced_world

pytestmark = pytest.mark.slow

CHEAP, DEAR, SEATED = (str(UUID(int=0xCAFE00 + number)) for number in range(3))
PEOPLE = [str(UUID(int=0xCAFF00 + number)) for number in range(3)]
DEARER = {"service_tier": "priority", "context_window": "200k-1M", "inference_geo": "us", "speed": "fast"}
NEWEST = datetime(2026, 9, 22, tzinfo=UTC)
"""Since when the newest Opus of the shipped list has its price."""
USAGE = [report for report in REPORTS if not report.priced]


def used(organization: str, number: int) -> dict[str, Any]:
    """A request; the dear organization's have the same tokens, most of them read from the cache, at other prices."""
    is_dear = organization == DEAR
    tokens = {"cache_read_input_tokens": 700, "cache_creation_1h_input_tokens": 300} if is_dear else {}
    return {
        "type": "token.used", "event_id": str(UUID(int=0xBEEF00 + number + 1000 * is_dear)), "request_id": f"r{number}",
        "occurred_at": f"2026-11-17T{number % 24:02}:10:00Z", "organization_id": organization,
        "actor": {"type": "user", "id": PEOPLE[number % 3]}, "product": ("chat", "claude_code")[number % 2],
        "model": ("claude-opus-4-8", "claude-sonnet-5")[number % 4 // 2], "funding": "extra_usage",
        "output_tokens": 100 + number, "web_search_requests": 3 if is_dear else 1,
        **(tokens or {"uncached_input_tokens": 1000}), **(DEARER if is_dear else {}),
    }  # fmt: skip


def of_organizations(_: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = [used(organization, number) for organization in (CHEAP, DEAR) for number in range(40)]
    at = {"event_id": str(UUID(int=0xBEEA00)), "occurred_at": "2026-10-01T00:00:00Z", "organization_id": SEATED}
    seats = {"type": "plan.changed", "plan": "enterprise_seat_based", "effective_from": "2026-10-01T00:00:00Z"}
    return [*made, *(searched(organization) for organization in (CHEAP, DEAR)), at | seats]


def searched(organization: str) -> dict[str, Any]:
    """A message with searches, of which the dear organization has more."""
    is_dear = organization == DEAR
    return {
        "type": "chat.message", "event_id": str(UUID(int=0xBEEB00 + is_dear)), "occurred_at": "2026-11-17T09:00:00Z",
        "organization_id": organization, "actor": {"type": "user", "id": PEOPLE[0]}, "product": "chat",
        "conversation_id": str(UUID(int=0xBEEC00)), "web_searches": 4 if is_dear else 1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def world(clickhouse: str) -> World:
    return priced_world(clickhouse, Plan(until=UNTIL, seed=9, organizations=1, users=2, days=1), of_organizations)


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[Served]:
    client = world.client()
    ensure_cursor_secret(client, NOW)
    with serve(context_of(world)) as running:
        for organization in (CHEAP, DEAR, SEATED):
            running.keys[organization] = create_key(client, organization, "blind", NOW, None, scopes=(READ_ACTIVITY,))[
                1
            ]
        client.close()
        yield running


def allowed() -> Iterator[Asked]:
    """The reports of usage by every dimension that such a viewer may ask by."""
    for report in USAGE:
        by = [dimension for dimension in report.group_by if dimension not in (*PRICED_BY, "organization_id")]
        for first in range(0, len(by), 5):
            yield f"{PREFIX}/{report.name}", SPAN | {"group_by[]": by[first : first + 5], "limit": 31}


def seen(world: World, served: Served, organization: str) -> dict[str, bytes]:
    with with_key(served, served.keys[organization]) as client:
        found = answers(client, questions(world)) | answers(client, allowed())
        found |= answers(client, (one for one in pages(organization, PEOPLE[0]) if one[0].endswith(".csv")))
    return {
        asked.replace(organization, "one"): body.replace(organization.encode(), b"one") for asked, body in found.items()
    }


def test_two_worlds_that_differ_in_price_alone_are_one(world: World, served: Served) -> None:
    cheap, dear = (seen(world, served, organization) for organization in (CHEAP, DEAR))
    assert [asked for asked, body in cheap.items() if dear[asked] != body] == []
    told = [body for asked, body in cheap.items() if "usage" in asked and b'"output_tokens":' in body]
    assert len(told) > 10, "what is refused compares nothing"


def test_who_sees_spend_and_who_is_let_tells_them_apart(world: World, served: Served) -> None:
    """Control; and the setting opens what it says."""
    cheap, dear = served.keys[CHEAP], served.keys[DEAR]
    asked = SPAN | {"group_by": ["service_tier"]}
    refused = served.get(f"{PREFIX}/usage", cheap, **asked)
    assert (refused.status_code, "api_gross_spend_for" in refused.text) == (403, True)
    served.context.gross_spend_for = [CHEAP, DEAR]
    opened = [served.get(f"{PREFIX}/usage", key, **asked) for key in (cheap, dear)]
    served.context.gross_spend_for = ()
    assert [response.status_code for response in opened] == [200, 200]
    assert opened[0].json()["data"] != opened[1].json()["data"]


def test_searches_are_not_told_by_any_list(world: World, served: Served) -> None:
    """And the control: who sees spend is told."""
    asked = {"date": "2026-11-17", "order_by": "web_search_count"}
    refused = served.get(f"{PREFIX}/users", served.keys[DEAR], **asked)
    assert (refused.status_code, "web_search_count" in refused.text.partition("Allowed")[2]) == (400, False)
    with closing(world.client()) as client:
        seeing = create_key(client, DEAR, "seeing", NOW, None)[1]
    told = [
        sum(row["web_search_count"] for row in served.get(f"{PREFIX}/users", key, date="2026-11-17").json()["data"])
        for key in (seeing, served.keys[DEAR])
    ]
    assert told == [4 + 3 * 20, 0]
    assert served.get(f"{PREFIX}/users", seeing, **asked).status_code == 200


def test_what_is_left_says_no_more_than_is_documented() -> None:
    """docs/access.md has the least of these ratios, of the dearest price that a token may have had to the cheapest."""
    into, out = defaultdict[Any, list[Decimal]](list), defaultdict[Any, list[Decimal]](list)
    for row in read_price_list().rows:
        if row.key.model:
            *tokens, output = (price for price in row.usd[:5] if price is not None)
            into[row.key.model, row.key.effective_from] += tokens
            out[row.key.model, row.key.effective_from].append(output)
    ratios = [[max(prices) / min(prices) for prices in of_class.values()] for of_class in (into, out)]
    assert [int(min(each)) for each in ratios] == [33, 2]
    assert max(out["claude-opus-5-5", NEWEST]) / min(out["claude-opus-5-5", NEWEST]) == Decimal("4.4")


@pytest.mark.parametrize("report", USAGE, ids=lambda report: report.name)
def test_what_only_prices_need_is_refused(served: Served, report: Any) -> None:
    path, key = f"{PREFIX}/{report.name}", served.keys[CHEAP]
    for dimension, name in PRICED_BY.items():
        if dimension in report.group_by:
            assert served.get(path, key, **SPAN, group_by=[dimension]).status_code == 403
        if name in report.filters:
            value = report.filters[name].choices[0]
            assert served.get(path, key, **SPAN, **{name.removesuffix("[]"): value}).status_code == 403
    if report.metrics:
        assert served.get(path, key, **SPAN, order_by="uncached_input_tokens").status_code == 403
    assert served.get(path, served.keys[SEATED], **SPAN).status_code == 403


@pytest.mark.parametrize("report", USAGE, ids=lambda report: report.name)
def test_the_official_client_takes_what_is_left(served: Served, report: Any) -> None:
    rows = walk(served, served.keys[DEAR], report.name, beta=True, **SPAN, group_by=["model"])
    assert rows
