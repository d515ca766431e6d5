"""The views of metrics: they agree with the other views, leave replaced epochs out, and filters reach the keys."""

import random
from collections.abc import Iterator
from datetime import date

import pytest
from clickhouse_connect.driver.client import Client

from aggregators.cell_tables import ARTIFACT, CHAT, CONNECTOR, PROJECT, SESSION, SPEND, CellTable
from tests.support.random_cells import FIRST, ORGANIZATIONS, PEOPLE, random_chats, random_sessions
from tests.support.table_rows import database, insert

pytestmark = pytest.mark.slow

TABLES: dict[str, CellTable] = {
    "chat_cells_current": CHAT,
    "project_cells_current": PROJECT,
    "artifact_cells_current": ARTIFACT,
    "connector_cells_current": CONNECTOR,
    "session_cells_current": SESSION,
    "spend_cells_current": SPEND,
}
TOPICS = ("chat", "project", "artifact", "connector", "session", "token")
WINDOW = {"day": str(FIRST), "hour": f"{FIRST} 00:00:00"}


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    yield client
    client.close()


@pytest.mark.parametrize("seed", range(2))
def test_active_in_products_agrees_with_active_users(client: Client, seed: int) -> None:
    dice = random.Random(seed)
    insert(client, CHAT, random_chats(dice))
    insert(client, SESSION, random_sessions(dice))
    flags = (
        "SELECT DISTINCT toString(organization_id), day, toString(account_id), product FROM active_users "
        "ARRAY JOIN arrayFilter((name, flag) -> flag, ['chat', 'claude_code', 'cowork'], [chat, claude_code, cowork]) "
        "AS product"
    )
    rows = (
        "SELECT DISTINCT toString(organization_id), day, toString(account_id), product FROM active_in_products "
        "WHERE product IN ('chat', 'claude_code', 'cowork')"
    )
    found = set(client.query(rows).result_rows)
    assert len(found) > 50
    assert found == set(client.query(flags).result_rows)


def test_other_products_have_active_people_of_their_own(client: Client) -> None:
    base = {"source": "tally.session/0@0", "organization_id": ORGANIZATIONS[0], "day": str(FIRST), "actor_type": "user"}
    rows = [
        base | {"actor_id": PEOPLE[0], "product": "science", "messages": 1},
        base | {"actor_id": PEOPLE[1], "product": "office_agent", "tool_uses": 1},
        base | {"actor_id": PEOPLE[2], "product": "science", "commits": 1},
        base | {"actor_id": PEOPLE[3], "product": "", "messages": 1},
        base | {"actor_id": PEOPLE[4], "product": "science", "messages": 1, "actor_type": "api_key"},
    ]
    insert(client, SESSION, rows)
    query = "SELECT toString(account_id), product FROM active_in_products ORDER BY product"
    assert client.query(query).result_rows == [(PEOPLE[1], "office_agent"), (PEOPLE[0], "science")]
    assert client.query("SELECT count() FROM active_users").result_rows == [(0,)]


@pytest.mark.parametrize(("view", "topic"), [*zip(TABLES, TOPICS, strict=True)])
def test_one_version_of_a_cell_counts_and_replaced_epochs_do_not(client: Client, view: str, topic: str) -> None:
    declared = TABLES[view]
    counter = declared.counters[0]
    base = {"organization_id": ORGANIZATIONS[0], **WINDOW, "actor_type": "user", "actor_id": PEOPLE[0]}
    old = base | {"source": f"tally.{topic}/0@0"}
    insert(client, declared, [old | {"log_offset": 5, counter: 3}, old | {"log_offset": 9, counter: 4}])
    insert(client, declared, [base | {"source": f"tally.{topic}/0@1", counter: 10}])
    assert client.query(f"SELECT sum({counter}) FROM {view}").result_rows == [(14,)]
    client.command(f"INSERT INTO topic_epochs VALUES ('tally.{topic}', 1, 'replace', now64(3))")
    assert client.query(f"SELECT sum({counter}) FROM {view}").result_rows == [(10,)]


def test_replaced_epochs_of_the_directory_do_not_count(client: Client) -> None:
    columns = "organization_id, type, in_force_from, subject_id, detail, source, log_offset"
    for epoch, person in enumerate(PEOPLE[:2]):
        row = f"('{ORGANIZATIONS[0]}', 'seat.assigned', '2026-10-01', '{person}', '', 'tally.directory/0@{epoch}', 1)"
        invite = row.replace("seat.assigned", "invite.sent")
        client.command(f"INSERT INTO directory ({columns}) VALUES {row}, {invite}")
    views = {"seat_changes": "account_id", "invite_changes": "invite_id"}
    assert [client.query(f"SELECT count() FROM {view}").result_rows for view in views] == [[(2,)], [(2,)]]
    client.command("INSERT INTO topic_epochs VALUES ('tally.directory', 1, 'replace', now64(3))")
    for view, key in views.items():
        assert client.query(f"SELECT {key}, day FROM {view}").result_rows == [(PEOPLE[1], date(2026, 10, 1))]


@pytest.mark.parametrize("view", [*TABLES, "active_in_products"])
def test_filters_reach_the_primary_key_of_the_cells(client: Client, view: str) -> None:
    for organization in ORGANIZATIONS:
        for declared in TABLES.values():
            insert(client, declared, [{"organization_id": organization, **WINDOW, "source": "tally.x/0@0"}])
    window, day = ("hour", "toDate(hour)") if view == "spend_cells_current" else ("day", "day")
    query = (
        f"EXPLAIN indexes = 1 SELECT * FROM {view} WHERE organization_id = toUUID('{ORGANIZATIONS[0]}') "
        f"AND {day} BETWEEN toDate('2026-09-30') AND toDate('2026-10-02')"
    )
    plan = "\n".join(row[0] for row in client.query(query).result_rows)
    keys = [part for part in plan.split("PrimaryKey")[1:] if "organization_id in [" in part and f"({window} in" in part]
    assert len(keys) == (2 if view == "active_in_products" else 1), plan
