"""Remembered answers: whatever changes in the tables, who remembers says what who asks for the first time says.

Every question is asked by a client that has asked it before, and by a new one that remembers nothing.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from aggregators.cell_tables import CHAT, SPEND
from pricing.price_table import DEFAULT_PRICE_LIST, load_prices
from queries import data_version as states
from queries.data_version import DataVersion, version_sql
from queries.dependencies import WATCHED
from queries.paging import Ranking
from reports import metrics
from reports.claude_code.day import read_day
from reports.engagement.lists import read_connectors, read_projects, read_users
from reports.engagement.query import EngagementQuery
from reports.engagement.summaries import read_summaries
from reports.metric_windows import window
from reports.metrics import open_context
from reports.usage import query as usage
from reports.usage.rows import read_usage
from sinks.client import connect
from tests.support.folded_tables import GRACE, SOURCES, Folded, at
from tests.support.handwritten_events import ADA, BEN, DAY, ORGANIZATION, THINGS, ago, done, entry, message, profile
from tests.support.table_rows import database, insert, load_text

pytestmark = pytest.mark.slow

LATE = ago(3)
QUESTION = EngagementQuery(ORGANIZATION, ago(7), DAY, ranking=Ranking(limit=100))
USED = usage.UsageQuery(ORGANIZATION, at(ago(7)), at(ago(-1)), group_by=("actor",), priced=True)
WEEK = window("1-week", DAY)
USAGE: dict[str, Any] = {
    "request_id": "r",
    "model": "claude-opus-4-5",
    "funding": "usage_based",
    "output_tokens": 1_000_000,
}
PRICE = "2028-02-25,claude-opus-4-5,,Opus,Claude Opus 4.5,1,1,1,1,1,1,1,1,1,1,1,1,1,,,a page,2028-02-25"

IN_NO_ANSWER = {
    *("accepted_losses", "source_positions", "migrations", "applied_views", "attributions", "minute_cells"),
    *("issued_reports", "report_checks", "audit_log", "listed_prices", "listed_models", "usage_walks"),
    *("sign_outs", "token_uses"),
    *("api_keys", "api_key_uses", "api_cursor_secrets", "credentials", "link_uses", "identity_providers"),
}
"""Tables that neither a list nor a metric reads; minutes, which are not remembered; attributions, which never change
and are written before the cells that name them (docs/exactness.md); and lists of prices, which never change either and
are written before the row of price_lists that puts one in force."""

Change = Callable[[Folded], object]


def late_message(folded: Folded) -> None:
    folded.say(message(BEN, LATE))


def late_tokens(folded: Folded) -> None:
    folded.say(done("token.used", BEN, LATE, **USAGE))


def cell_of_a_torn_flush(folded: Folded) -> None:
    """A cell with an older stamp than others of its day and source: the last block of a flush, written again."""
    cell = {"source": f"{SOURCES[0]}", "organization_id": ORGANIZATION, "day": str(DAY), "actor_type": "user"}
    insert(folded.client, CHAT, [cell | {"actor_id": THINGS[5], "conversation_id": THINGS[6], "messages": 1}])


def replaced_epoch(folded: Folded) -> None:
    folded.client.command("INSERT INTO topic_epochs VALUES ('tally.chat', 1, 'replace', now64(3))")


def new_price(folded: Folded) -> None:
    load_text(folded.client, f"{DEFAULT_PRICE_LIST.read_text()}{PRICE}\n")


def new_discount(folded: Folded) -> None:
    folded.say(entry("discount.changed", ago(5), "00:00", effective_from=at(ago(5)).isoformat(), discount="0.5"))


def seat(folded: Folded) -> None:
    folded.say(entry("seat.assigned", ago(5), account_id=ADA))


def new_name(folded: Folded) -> None:
    folded.say(profile(ADA, "Augusta"))


def forgotten(folded: Folded) -> None:
    folded.say({"type": "tombstone", "account_id": ADA, "occurred_at": at(DAY).isoformat()})


CHANGES: list[Change] = [
    late_message,
    late_tokens,
    cell_of_a_torn_flush,
    replaced_epoch,
    new_price,
    new_discount,
    seat,
    new_name,
    forgotten,
]


@pytest.fixture
def folded(clickhouse: str) -> Iterator[Folded]:
    client = database(clickhouse)
    load_prices(client)
    told = Folded(client)
    told.say(profile(ADA, "Ada"), message(ADA), message(ADA, LATE), done("token.used", ADA, LATE, **USAGE))
    told.reach(at(DAY + timedelta(days=1), "03:00"))
    yield told
    client.close()


def answers(client: Client) -> dict[str, Any]:
    """What somebody who asks now is told, by what was asked."""
    reading = open_context(client, ORGANIZATION, SOURCES, GRACE)
    return {
        "users": [dict(row) for row in read_users(client, QUESTION)],
        "projects": list(read_projects(client, QUESTION)),
        "connectors": list(read_connectors(client, QUESTION)),
        "summaries": list(read_summaries(client, QUESTION)),
        "usage": list(read_usage(client, USED)),
        "code": list(read_day(client, ORGANIZATION, LATE, Ranking(limit=100))),
        "active": metrics.active_users(reading, WEEK).days,
        "chats": metrics.people_with(reading, "chat", WEEK),
        "spend": metrics.spend(reading, WEEK).spend,
        "models": metrics.spend_by_model(reading, WEEK).models,
        "top": metrics.top_people_by_spend(reading, WEEK).leaders,
        "stay": metrics.lifecycle(reading, WEEK),
    }


def afresh(client: Client, clickhouse: str) -> dict[str, Any]:
    """The same by a client that remembers nothing."""
    newcomer = connect(clickhouse, database=client.database)
    told = answers(newcomer)
    newcomer.close()
    return told


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_told_at_once(folded: Folded, clickhouse: str, change: Change) -> None:
    before = answers(folded.client)
    assert answers(folded.client) == before
    change(folded)
    assert answers(folded.client) == afresh(folded.client, clickhouse) != before


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_memory_that_does_not_look_is_caught(
    folded: Folded, clickhouse: str, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DataVersion, "digest_until", lambda state, last, kinds=None: "the same")
    monkeypatch.setattr(DataVersion, "digest_of_day", lambda state, day: "the same")
    answers(folded.client)
    change(folded)
    assert answers(folded.client) != afresh(folded.client, clickhouse)


def test_an_unchanged_answer_is_not_read_again(folded: Folded) -> None:
    first = read_users(folded.client, QUESTION)
    assert read_users(folded.client, QUESTION) is first
    folded.say(message(BEN, DAY + timedelta(days=1)))
    assert read_users(folded.client, QUESTION) is first, "a later day than those asked for is none of its business"
    late_message(folded)
    assert read_users(folded.client, QUESTION) is not first


def test_states_come_from_the_parts_and_not_from_the_cells(folded: Folded) -> None:
    """Else asking whether an answer still holds would cost as much as the answer."""
    plans = {
        f"SELECT count(), sum(sipHash64(*)) FROM {table} WHERE organization_id = '{ORGANIZATION}' GROUP BY {by}"
        for table, by in {CHAT.name: "organization_id, day", SPEND.name: "organization_id, toDate(hour)"}.items()
    }
    for query in plans:
        plan = "\n".join(row[0] for row in folded.client.query(f"EXPLAIN {query}").result_rows)
        assert "ReadFromMergeTree (states)" in plan, plan


def test_every_table_that_an_answer_is_made_of_has_a_state(folded: Folded) -> None:
    """A remembered answer that reads a table without one would outlive what it says."""
    stated = set(re.findall(r"FROM (\w+)", version_sql())) - {"cells"}
    tables = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    known = {name for (name,) in folded.client.query(tables).result_rows}
    assert known - stated == IN_NO_ANSWER
    assert set(WATCHED) == stated, "a table whose parts nobody looks at can change without notice"


def test_a_state_is_read_again_only_when_a_table_changed(folded: Folded, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def read_state(_client: Client, organization: str) -> DataVersion:
        read.append(organization)
        return DataVersion()

    monkeypatch.setattr(states, "read_data_version", read_state)
    for _ in range(3):
        states.data_version(folded.client, ORGANIZATION)
    late_message(folded)
    for _ in range(3):
        states.data_version(folded.client, ORGANIZATION)
    assert len(read) == 2


@pytest.mark.parametrize("code", [497, 60])
def test_who_may_not_see_parts_is_told_so_and_other_errors_stay(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    refusal = DatabaseError("refused")
    monkeypatch.setattr(refusal, "code", code, raising=False)
    monkeypatch.setattr(states, "fetch_rows", Mock(side_effect=refusal))
    if code == states.ACCESS_DENIED:
        assert states.parts_digest(Mock()) == ""
    else:
        with pytest.raises(DatabaseError):
            states.parts_digest(Mock())


def test_without_a_look_at_parts_states_are_always_read(folded: Folded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody whom ClickHouse shows no parts must not be told the same for ever."""
    monkeypatch.setattr(states, "parts_digest", lambda client: "")
    before = states.data_version(folded.client, ORGANIZATION)
    late_message(folded)
    assert states.data_version(folded.client, ORGANIZATION) != before
