"""The public views: active users and activity equal a recount, intervals are half-open, filters reach the keys."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from aggregators.cell_tables import CHAT, CONNECTOR, MINUTE, PROJECT, SESSION
from sinks.client import insert_rows
from tests.support.random_cells import FIRST, ORGANIZATIONS, PEOPLE, THINGS, random_chats, random_sessions
from tests.support.table_rows import Cell, Change, database, insert, insert_cells, insert_changes, insert_people


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    yield client
    client.close()


def newest(rows: list[dict[str, Any]], thing: str) -> list[dict[str, Any]]:
    """One version of each cell: the one with the greatest stamp."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: int(row["log_offset"])):
        key = ("source", "organization_id", "day", "actor_type", "actor_id", "product", thing)
        kept[tuple(row[name] for name in key)] = row
    return list(kept.values())


def is_active(row: dict[str, Any]) -> bool:
    if row["actor_type"] != "user":
        return False
    if "conversation_id" in row:
        return bool(row["messages"] > 0)
    used = row["tool_uses"] > 0
    if row["product"] == "claude_code":
        return bool(used or row["commits"] > 0 or row["pull_requests"] > 0)
    return bool(row["product"] == "cowork" and (used or row["messages"] > 0))


@pytest.mark.parametrize("seed", range(3))
def test_active_users_equal_a_recount(client: Client, seed: int) -> None:
    dice = random.Random(seed)
    chats, sessions = random_chats(dice), random_sessions(dice)
    insert(client, CHAT, chats)
    insert(client, SESSION, sessions)
    expected: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in (*newest(chats, "conversation_id"), *newest(sessions, "session_id")):
        if is_active(row):
            expected[row["organization_id"], row["day"]].add(row["actor_id"])
    found = client.query(
        "SELECT toString(organization_id), toString(day), groupUniqArray(toString(account_id)), count() "
        "FROM active_users GROUP BY organization_id, day"
    ).result_rows
    assert {row[:2]: set(row[2]) for row in found} == expected
    assert all(len(row[2]) == row[3] for row in found)
    day = FIRST + timedelta(days=30)
    for window in (1, 7, 30):
        days = [str(day - timedelta(days=back)) for back in range(window)]
        distinct = set().union(*(expected.get((ORGANIZATIONS[0], one), set()) for one in days))
        query = (
            "SELECT uniqExact(account_id) FROM active_users WHERE organization_id = {organization:UUID} "
            "AND day > {day:Date} - {window:UInt16} AND day <= {day:Date}"
        )
        parameters = {"organization": ORGANIZATIONS[0], "day": day, "window": window}
        assert client.query(query, parameters=parameters).result_rows == [(len(distinct),)]


def test_active_users_say_in_what(client: Client) -> None:
    base = {"source": "tally.session/0@0", "organization_id": ORGANIZATIONS[0], "day": str(FIRST), "actor_type": "user"}
    code = base | {"actor_id": PEOPLE[0], "product": "claude_code", "session_id": THINGS[0], "commits": 1}
    cowork = base | {"actor_id": PEOPLE[0], "product": "cowork", "session_id": THINGS[1], "messages": 1}
    only_talk = base | {"actor_id": PEOPLE[1], "product": "claude_code", "session_id": THINGS[2], "messages": 9}
    insert(client, SESSION, [code, cowork, only_talk])
    query = "SELECT toString(account_id), chat, claude_code, cowork FROM active_users"
    assert client.query(query).result_rows == [(PEOPLE[0], False, True, True)]


def test_activity_gathers_all_tables(client: Client) -> None:
    base = {"organization_id": ORGANIZATIONS[0], "day": str(FIRST), "actor_type": "user", "actor_id": PEOPLE[0]}
    chat = base | {"source": "tally.chat/0@0", "product": "chat", "thinking_messages": 1, "web_searches": 2}
    insert(client, CHAT, [chat | {"conversation_id": thing, "messages": 2} for thing in THINGS[:3]])
    insert(client, CHAT, [chat | {"conversation_id": THINGS[4], "started": 1}])
    project = base | {"source": "tally.project/0@0", "product": "chat", "used": 3}
    insert(client, PROJECT, [project | {"project_id": thing} for thing in THINGS[:2]])
    extension = base | {"source": "tally.connector/0@0", "product": "chat", "uses": 2}
    insert(client, CONNECTOR, [extension | {"kind": kind, "name": "x"} for kind in ("connector", "skill", "plugin")])
    session = base | {"source": "tally.session/0@0", "product": "cowork", "session_id": THINGS[0], "tool_uses": 4}
    insert(client, SESSION, [session])
    rows = client.query("SELECT * FROM activity ORDER BY product").named_results()
    in_chat, in_cowork = list(rows)
    assert (in_chat["conversations"], in_chat["messages"], in_chat["thinking_messages"]) == (3, 6, 4)
    assert (in_chat["projects_used"], in_chat["connector_calls"], in_chat["skill_uses"]) == (2, 2, 2)
    assert (in_chat["plugin_uses"], in_chat["sessions"], in_chat["web_searches"]) == (2, 0, 8)
    assert (in_cowork["sessions"], in_cowork["tool_uses"], in_cowork["messages"]) == (1, 4, 0)


def test_live_shows_seven_days_and_no_replaced_epoch(client: Client) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    base = {"organization_id": ORGANIZATIONS[0], "product": "chat", "events": 5}
    moments = {name: (now - back).strftime("%Y-%m-%d %H:%M:%S") for name, back in (
        ("new", timedelta(minutes=3)), ("old", timedelta(days=7, minutes=3)))}  # fmt: skip
    insert(client, MINUTE, [
        base | {"source": "tally.chat/0@0", "minute": moments["new"]},
        base | {"source": "tally.token/0@0", "minute": moments["new"]},
        base | {"source": "tally.token/0@1", "minute": moments["new"]},
        base | {"source": "tally.chat/0@0", "minute": moments["old"]},
    ])  # fmt: skip
    assert client.query("SELECT sum(events) FROM live").result_rows == [(15,)]
    client.command("INSERT INTO topic_epochs VALUES ('tally.token', 1, 'replace', now64(3))")
    assert client.query("SELECT sum(events) FROM live").result_rows == [(10,)]


def test_intervals_are_half_open_and_the_last_written_change_of_an_instant_holds(client: Client) -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    later = begin + timedelta(hours=5)
    insert_changes(
        client,
        [
            Change(ORGANIZATIONS[0], "plan.changed", begin, {"plan": "team"}, 1),
            Change(ORGANIZATIONS[0], "plan.changed", begin, {"plan": "enterprise_seat_based"}, 2),
            Change(ORGANIZATIONS[0], "plan.changed", later, {"plan": "enterprise_usage_based"}, 3),
            Change(ORGANIZATIONS[0], "discount.changed", later, {"discount": "1.000000"}, 4),
            Change(ORGANIZATIONS[0], "extra_usage.changed", begin, {"enabled": True}, 5),
            Change(ORGANIZATIONS[0], "organization.created", begin, {"name": "Acme"}, 6),
        ],
    )
    query = "SELECT plan, toString(in_force_from), toString(in_force_until) FROM plans ORDER BY in_force_from"
    assert client.query(query).result_rows == [
        ("enterprise_seat_based", "2026-10-01 00:00:00.000000", "2026-10-01 05:00:00.000000"),
        ("enterprise_usage_based", "2026-10-01 05:00:00.000000", None),
    ]
    terms = client.query("SELECT plan, seat_based, toString(discount), extra_usage FROM terms ORDER BY in_force_from")
    assert terms.result_rows == [
        ("enterprise_seat_based", 1, "0", True),
        ("enterprise_usage_based", 0, "1", True),
    ]
    assert client.query("SELECT name FROM organizations").result_rows == [("Acme",)]
    assert client.query("SELECT toString(discount) FROM discounts").result_rows == [("1",)]
    assert client.query("SELECT enabled FROM extra_usage").result_rows == [(True,)]


def test_people_are_forgotten_in_a_new_epoch_too(client: Client) -> None:
    insert_people(client, ORGANIZATIONS[:1], {PEOPLE[0]: "a@example.com", PEOPLE[1]: "b@example.com"}, log_offset=50)
    columns = ("account_id", "forgotten", "source", "log_offset")
    insert_rows(client, "profiles", columns, [[PEOPLE[0], 1, "tally.profiles/0@1", 2]])
    query = "SELECT toString(account_id), email, forgotten FROM people ORDER BY account_id"
    assert client.query(query).result_rows == [(PEOPLE[0], "", 1), (PEOPLE[1], "b@example.com", 0)]


@pytest.mark.parametrize(
    ("view", "window"),
    [("spend", "hour"), ("spend", "day"), ("activity", "day"), ("active_users", "day"), ("live", "minute")],
)
def test_filters_reach_the_primary_key_of_the_cells(client: Client, view: str, window: str) -> None:
    """Else a question about one organization's yesterday would read everybody's ninety days."""
    hour = datetime(2026, 10, 1, tzinfo=UTC)
    base = {"day": str(FIRST), "minute": "2026-10-01 00:00:00", "actor_type": "user"}
    for organization in ORGANIZATIONS:
        row = base | {"organization_id": organization}
        insert_cells(client, [Cell(organization, hour, PEOPLE[0])])
        insert(client, CHAT, [row | {"source": "tally.chat/0@0"}])
        insert(client, MINUTE, [row | {"source": "tally.chat/0@0"}])
    query = (
        f"EXPLAIN indexes = 1 SELECT * FROM {view} WHERE organization_id = toUUID('{ORGANIZATIONS[0]}') "
        f"AND {window} >= '2026-09-30' AND {window} < '2026-10-02'"
    )
    plan = client.query(query).result_rows
    text = "\n".join(row[0] for row in plan)
    keys = [part for part in text.split("PrimaryKey")[1:] if "organization_id in [" in part]
    assert keys, text
    assert any(("hour" in part or "day" in part or "minute" in part) for part in keys)
    assert "Partition" in text
