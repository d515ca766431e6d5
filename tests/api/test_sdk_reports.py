"""The usage and cost reports, walked with the official SDK: every value equals the recount of the events.

What there is to group, to filter and to order by is read from the SDK's own types, so a newer SDK adds cases.
"""

from collections.abc import Collection
from itertools import pairwise
from typing import Any

import pytest

from tests.reference.usage_and_cost import Spending, Value
from tests.support.api_server import Served
from tests.support.sdk_reports import (
    BEGINS,
    BUCKETED,
    DIMENSIONS,
    ENDS,
    METHODS,
    NEWER,
    PRICED,
    SPAN,
    SPLITS,
    WIDTHS,
    Key,
    cases,
    expected,
    found,
    grouped,
    lists,
    named,
    width_name,
)
from tests.support.sdk_walk import walk, walk_async
from tests.support.simulated_world import World


@pytest.fixture(scope="module")
def organization(world: World) -> str:
    """One on no seats, where a report has more than the extra usage of a few people."""
    return world.pays_by_use


def same(
    served: Served, spending: Spending, organization: str, method: str, *, by: Collection[str] = (),
    only: dict[str, Collection[Value]] | None = None, width: str | None = None, pages: int = 1, **asked: Any,
) -> dict[Key, Any]:  # fmt: skip
    """The SDK's rows equal the recount's, on about so many pages."""
    wanted = expected(method, spending, organization, by=grouped(method, list(by)), only=only, width=width)
    rows_there = (ENDS - BEGINS) // WIDTHS[width or "1d"] if method in BUCKETED else len(wanted)
    limit = max(1, min(168 if method in BUCKETED else 1000, -(-rows_there // pages)))
    asked |= {"group_by": list(by)} if by else {}
    asked |= {width_name(method): width} if width else {}
    rows = walk(served, served.keys[organization], method, beta=True, **SPAN, limit=limit, **asked)
    given = found(method, rows, grouped(method, list(by)), bool(width))
    assert given == wanted
    return given


def usual_width(method: str) -> str | None:
    """Reports of buckets always have a width."""
    return "1d" if method in BUCKETED else None


@pytest.mark.parametrize("method", METHODS)
def test_every_organization(world: World, served: Served, spending: Spending, method: str) -> None:
    rows = [
        same(served, spending, organization, method, width=usual_width(method), pages=3)
        for organization in world.organizations
    ]
    assert rows[0]
    assert rows[1]
    assert rows[2] == {}, "an organization on seats without extra usage reports nothing"


@pytest.mark.parametrize("width", ["1d", "1h"])
@pytest.mark.parametrize("method", METHODS)
def test_widths(served: Served, spending: Spending, organization: str, method: str, width: str) -> None:
    assert same(served, spending, organization, method, width=width)


@pytest.mark.parametrize(("method", "dimension"), cases(lambda method: named(method, "group_by")))
def test_every_grouping(served: Served, spending: Spending, organization: str, method: str, dimension: str) -> None:
    assert same(served, spending, organization, method, by=[dimension], width=usual_width(method))


SEVERAL = [["product", "model", "rbac_group_id"], ["inference_geo", "speed", "context_window", "slack_channel_id"]]


@pytest.mark.slow
@pytest.mark.parametrize("by", SEVERAL, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_several_groupings(served: Served, spending: Spending, organization: str, method: str, by: list[str]) -> None:
    if method in PRICED:
        by = [*by, *SPLITS]
    assert same(served, spending, organization, method, by=by, width="1d", pages=3)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "name"), cases(lists))
def test_every_filter(served: Served, spending: Spending, organization: str, method: str, name: str) -> None:
    dimension = DIMENSIONS.get(name, name.removesuffix("s"))
    there = {value for used in spending.used(organization) for value in used.values[dimension]}
    values = named(method, name)
    if name in ("user_ids", "actor_ids"):
        prefixes = ("user_",) if name == "user_ids" else ("user_", "svac_", "apikey_")
        some = [[value for value in sorted(filter(None, there)) if value.startswith(prefix)] for prefix in prefixes]
        values = [value for one in some for value in one[:2]]
        assert len({value[:3] for value in values}) == len(prefixes)
    elif not values:
        values = sorted(filter(None, there))[:2]
    assert values
    only: dict[str, Collection[Value]] = {dimension: [inner(value) for value in values]}
    asked: dict[str, Any] = {name: values}
    same(served, spending, organization, method, only=only, width=usual_width(method), **asked)


def inner(value: str) -> Value:
    """A filter's value as rows have it."""
    return {"not_available": None, "claude-tag": "claude_tag"}.get(value, value)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in lists("cost") if named("cost", name)])
def test_every_value_of_a_filter(served: Served, spending: Spending, organization: str, name: str) -> None:
    dimension = DIMENSIONS.get(name, name.removesuffix("s"))
    for value in named("cost", name):
        asked: dict[str, Any] = {name: [value]}
        same(served, spending, organization, "cost", only={dimension: [inner(value)]}, **asked)


@pytest.mark.parametrize("method", NEWER)
def test_usage_without_a_key(served: Served, spending: Spending, organization: str, method: str) -> None:
    """An empty entry stands for usage that no key authenticated."""
    keys = {value for used in spending.used(organization) for value in used.values["api_key_id"]} - {None}
    asked = ["", min(filter(None, keys))]
    only: dict[str, Collection[Value]] = {"api_key_id": [None, asked[1]]}
    assert same(served, spending, organization, method, only=only, by=["api_key_id"], api_key_ids=asked)


@pytest.mark.slow
@pytest.mark.parametrize("width", [None, "1d"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    ("method", "order_by"), cases(lambda method: [] if method in BUCKETED else named(method, "order_by"))
)
def test_every_order(
    served: Served, organization: str, method: str, order_by: str, order: str, width: str | None
) -> None:
    asked: dict[str, Any] = {"order_by": order_by, "order": order} | ({width_name(method): width} if width else {})
    asked |= {"group_by": ["actor"]} if method in NEWER else {}
    rows = walk(served, served.keys[organization], method, beta=True, **SPAN, **asked, limit=90 if width else 15)
    metric = order_by
    if order_by == "time":
        metric = "amount" if method in PRICED else "total_tokens"
    ranks = [float((row.get("usage") or row.get("cost") or row)[metric]) for row in rows]
    if order_by == "time" and width:
        buckets = [row["starting_at"] for row in rows]
        assert buckets == sorted(buckets, reverse=order == "desc")
        pairs = list(zip(buckets, ranks, strict=True))
        assert all(a[1] >= b[1] for a, b in pairwise(pairs) if a[0] == b[0])
    else:
        assert ranks == sorted(ranks, reverse=order == "desc")
    assert len(rows) > 15


@pytest.mark.parametrize("method", METHODS)
async def test_async_gives_the_same(served: Served, organization: str, method: str) -> None:
    asked: dict[str, Any] = SPAN | {"group_by": ["product"], "limit": 4}
    key = served.keys[organization]
    rows = walk(served, key, method, beta=True, **asked)
    assert rows
    assert await walk_async(served, key, method, beta=True, **asked) == rows


@pytest.mark.parametrize("method", METHODS)
def test_the_control_is_caught(served: Served, spending: Spending, organization: str, method: str) -> None:
    """One event that is left out of the recount makes the comparison fail."""
    used = spending.used(organization)
    dropped = next(one for one in used if one.values["actor_type"] == ("user_actor",) and SPAN["starting_at"] < one.at)
    assert dropped.at < SPAN["ending_at"]
    used.remove(dropped)
    try:
        with pytest.raises(AssertionError):
            same(served, spending, organization, method, width=usual_width(method))
    finally:
        used.append(dropped)
