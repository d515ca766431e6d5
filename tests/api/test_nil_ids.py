"""The nil id is an id: what a log of long ago put under it into the tables changes nobody else's answer by a byte."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from aggregators.cell_tables import MINUTE
from reports.periods import Period
from simulation import Plan
from tests.support.all_responses import Answers, answers, exports, pages, questions, with_key
from tests.support.api_server import PREFIX, Served, context_of, make_keys, serve
from tests.support.group_events import extra_events
from tests.support.simulated_world import UNTIL, World, priced_world
from tests.support.table_rows import insert

pytestmark = pytest.mark.slow

NIL = "00000000-0000-0000-0000-000000000000"
PLAN = Plan(until=UNTIL, seed=12, organizations=3, users=15, days=6)
"""One whose busiest organization pays by use: minutes do not say what was extra usage."""

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
PERIOD = Period("custom", date(2026, 10, 22), date(2026, 11, 19))
TABLES = """
    SELECT table, groupArrayIf(name, type = 'UUID') AS ids, groupArray(name) AS names
    FROM system.columns
    WHERE database = currentDatabase() AND table IN (
        SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
    )
    GROUP BY table HAVING has(names, 'log_offset')
    ORDER BY table
"""
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def world(clickhouse: str) -> World:
    """A world of its own, with usage of the last minutes, too."""
    world = priced_world(clickhouse, PLAN, extra=extra_events)
    client = world.client()
    for organization in world.organizations:
        insert_minutes(client, organization)
    client.close()
    return world


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[Served]:
    with serve(context_of(world)) as running:
        running.keys = make_keys(world)
        yield running


def insert_minutes(client: Client, organization: str) -> None:
    row = {"organization_id": organization, "minute": f"{NOW - timedelta(hours=1):%F %T}", "product": "chat"}
    insert(client, MINUTE, [row | {"source": "tally.token/0@0", "requests": 1, "output_tokens": 5}])


def put_under_nil(client: Client, organization: str, other: str) -> None:
    """Copy all rows of an organization to the nil one, as they are and with nil ids; with these to another one, too."""
    for table, ids, names in client.query(TABLES).result_rows:
        told = {name: "'nil@nowhere.example'" for name in ("email", "name") if table == "profiles"}
        told |= {name: f"'{NIL}'" for name in names if name == "subject_id"}
        if "detail" in names:
            told["detail"] = f"replaceRegexpAll(detail, '{ID.pattern}', '{NIL}')"
        nobody = told | dict.fromkeys(ids, f"toUUID('{NIL}')")
        ways = [{"organization_id": f"toUUID('{NIL}')"}, nobody, nobody | {"organization_id": f"toUUID('{other}')"}]
        for way in ways:
            put = ", ".join(f"{value} AS {name}" for name, value in way.items())
            rows = f"SELECT * REPLACE ({put}) FROM {table} WHERE organization_id = '{organization}'"
            client.command(f"INSERT INTO {table} {rows}")


def everything(world: World, served: Served, organization: str) -> Answers:
    person = next(
        event["actor"]["id"]
        for event in world.events
        if event["organization_id"] == organization and event.get("actor", {}).get("type") == "user"
    )
    with with_key(served, served.keys[organization]) as client:
        found = answers(client, questions(world))
        found |= answers(client, pages(organization, person))
    return found | exports(world, organization, PERIOD)


def by_the_minute(world: World, organization: str) -> list[str]:
    """Usage of the last minutes, as an API says it whose clock is the database's."""
    asked = {"starting_at": (NOW - timedelta(hours=2)).isoformat(), "ending_at": NOW.isoformat()}
    with serve(context_of(world, now=NOW)) as live:
        key = make_keys(world, NOW)[organization]
        days = live.get(f"{PREFIX}/usage_report", key, **asked, group_by=["product"], limit=256, bucket_width="1m")
        rows = live.get(f"{PREFIX}/usage", key, **asked, group_by=["model"], limit=1000, time_bucket_width="1m")
    assert all('"output_tokens":5' in response.text for response in (days, rows))
    return [days.text, rows.text]


def test_rows_under_the_nil_id_change_no_answer_of_anybody(world: World, served: Served) -> None:
    """In the nil organization and, as account, group, project, session or key, in another one."""
    mine, other = world.organizations[0], world.organizations[2]
    before, minutes = everything(world, served, mine), by_the_minute(world, mine)
    assert [asked for asked, body in before.items() if len(body) == 3] == [], "what is refused compares nothing"
    client = world.client()
    put_under_nil(client, mine, other)
    client.close()
    after = everything(world, served, mine)
    assert [asked for asked, body in before.items() if after[asked] != body] == []
    assert by_the_minute(world, mine) == minutes
