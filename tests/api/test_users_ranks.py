"""People in order of a metric: the order is that of the counts which their rows show, for every metric there is."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from api.schemas.common import metric_names
from api.schemas.users import UserActivity
from queries.paging import AfterRow, Ranking
from queries.sql_files import Row
from reports.engagement.lists import read_users
from reports.engagement.query import EngagementQuery
from tests.reference.engagement import Recount
from tests.support.group_events import GROUPS
from tests.support.sdk_walk import FIRST, LAST
from tests.support.simulated_world import World

pytestmark = pytest.mark.slow

METRICS = tuple(metric_names(UserActivity))
WALKED = ("web_search_count", "cowork_metrics.distinct_session_count", "office_metrics.excel.connectors_used_count")


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[Client]:
    """A client of the world's database."""
    client = world.client()
    yield client
    client.close()


@pytest.fixture(scope="module")
def question(organization: str) -> EngagementQuery:
    """Everybody of the busiest organization."""
    return EngagementQuery(organization, FIRST, LAST)


@pytest.fixture(scope="module")
def people(client: Client, question: EngagementQuery, recount: Recount) -> dict[str, Row]:
    """Everybody's row by id; test_sdk_users.py holds what it counts to the recount."""
    people = {row["key"]: row for row in read_users(client, question)}
    assert set(people) == set(recount.users(question.organization_id, FIRST, LAST))
    return people


def ordered(people: dict[str, Row], metric: str, descending: bool) -> list[str]:
    """Ids by the count of a metric, equal ones by id."""
    counts = {key: row["counts"].get(metric, 0) for key, row in people.items()}
    return sorted(sorted(people), key=lambda key: counts[key], reverse=descending)


@pytest.mark.parametrize("metric", METRICS)
def test_everybody_stands_where_the_counts_say(
    client: Client, question: EngagementQuery, people: dict[str, Row], metric: str
) -> None:
    rows = read_users(client, replace(question, ranking=Ranking(metric, descending=True)))
    assert [row["key"] for row in rows] == ordered(people, metric, descending=True)
    assert [int(row["rank"]) for row in rows] == [row["counts"].get(metric, 0) for row in rows]


def test_another_metric_would_be_noticed(people: dict[str, Row]) -> None:
    orders = [ordered(people, metric, descending=True) for metric in WALKED]
    assert all(orders[0] != order for order in orders[1:])


@pytest.mark.parametrize("metric", WALKED)
@pytest.mark.parametrize("descending", [True, False])
def test_pages_meet_everybody_once(
    client: Client, question: EngagementQuery, people: dict[str, Row], metric: str, descending: bool
) -> None:
    ranking, met = Ranking(metric, descending, limit=6), list[str]()
    while rows := read_users(client, replace(question, ranking=ranking)):
        met += [row["key"] for row in rows]
        ranking = replace(ranking, after=AfterRow((rows[-1]["rank"],), rows[-1]["key"]))
    assert met == ordered(people, metric, descending)


@pytest.mark.parametrize("narrowed", [{"groups": GROUPS[:2]}, {"groups": GROUPS[1:2]}], ids=["groups", "group"])
def test_days_outside_the_groups_give_no_rank(
    client: Client, question: EngagementQuery, narrowed: dict[str, Any]
) -> None:
    asked = replace(question, **narrowed)
    expected = {row["key"]: row for row in read_users(client, asked)}
    rows = read_users(client, replace(asked, ranking=Ranking(WALKED[0], descending=True)))
    assert rows
    assert [row["key"] for row in rows] == ordered(expected, WALKED[0], descending=True)
    assert [int(row["rank"]) for row in rows] == [row["counts"].get(WALKED[0], 0) for row in rows]
