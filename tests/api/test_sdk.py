"""The official SDK walks each served method, sync and async, stable and beta; a wrong recount is caught."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from tests.reference.engagement import Recount
from tests.support.api_server import Served
from tests.support.sdk_walk import DAY, FIRST, LAST, METHODS, RANGE, counted, numbers, walk, walk_async


@pytest.mark.parametrize("method", METHODS)
async def test_async_and_beta_give_the_same(served: Served, organization: str, method: str) -> None:
    days: dict[str, Any] = {"date": DAY} if method == "artifacts" else {"starting_date": DAY}
    if method != "summaries":
        days |= {"limit": 3}
    key = served.keys[organization]
    rows = walk(served, key, method, **days)
    assert rows
    assert walk(served, key, method, beta=True, **days) == rows
    assert await walk_async(served, key, method, **days) == rows
    assert await walk_async(served, key, method, beta=True, **days) == rows


CONTROLLED = {
    "chat.message": "users",
    "skill.used": "skills",
    "plugin.used": "plugins",
    "connector.called": "connectors",
}
"""An event's type, and the list that counts it."""


@pytest.mark.parametrize(("kind", "method"), CONTROLLED.items())
def test_the_control_is_caught(served: Served, recount: Recount, organization: str, kind: str, method: str) -> None:
    """One event left out of the recount makes the comparison fail."""
    place = next(
        number
        for number, event in enumerate(recount.events)
        if event["type"] == kind and event["organization_id"] == organization and is_on(event, DAY)
    )
    wrong = Recount(recount.events[:place] + recount.events[place + 1 :])
    rows = walk(served, served.keys[organization], method, **RANGE)
    if method == "users":
        expected = [counted(row.counts()) for row in wrong.users(organization, FIRST, LAST).values()]
    else:
        expected = [counted(counts) for counts in wrong.listed(method, organization, FIRST, LAST).values()]
    assert in_order(map(numbers, rows)) != in_order(expected)


def is_on(event: dict[str, Any], day: date) -> bool:
    """Whether a person did it on that day, in UTC."""
    return bool(event["actor"]["type"] == "user" and event["occurred_at"].startswith(str(day)))


def in_order(rows: Iterable[dict[str, int]]) -> list[Any]:
    """Rows of counts, comparable whatever their order."""
    return sorted(sorted(row.items()) for row in rows)
