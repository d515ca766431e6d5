"""Who was there is read once: ahead or when it is asked for, as far as there is room, and says the same."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from queries.data_version import NO_DAY, DataVersion, data_version
from queries.per_client import PerClient
from reports import metrics
from reports.metric_windows import window
from reports.metrics import open_context
from reports.presence import presence
from reports.presence.bitsets import union
from reports.presence.prefetch import read_ahead
from reports.presence.presence import Presence, Presences, read_group_days, read_present
from tests.support.folded_tables import GRACE, SOURCES, Folded, at
from tests.support.handwritten_events import ADA, BEN, CLEO, DAY, ORGANIZATION, OTHER, THINGS, ago, done, entry, message
from tests.support.table_rows import database

pytestmark = pytest.mark.slow

GROUP = THINGS[9]


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    folded = Folded(client)
    joined = {"group_id": GROUP, "account_id": ADA}
    folded.say(message(ADA), message(BEN, ago(3)), entry("group.joined", ago(9), **joined))
    folded.say(done("chat.message", CLEO, organization=OTHER, product="chat", conversation_id=THINGS[1]))
    folded.reach(at(ago(-1), "03:00"))
    yield client
    client.close()


def test_nothing_to_read_ahead_is_fine(clickhouse: str) -> None:
    client = database(clickhouse)
    read_ahead(client)
    client.close()


def test_what_was_read_ahead_is_not_read_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    read_ahead(client)
    monkeypatch.setattr(presence, "fetch_bytes", lambda *_: pytest.fail("it is read again"))
    reading = open_context(client, ORGANIZATION, SOURCES, GRACE)
    assert metrics.active_people(reading, window("1-week", DAY)).people == 2
    assert metrics.active_people(reading, window("1-day", DAY)).people == 1


def test_who_is_let_go_for_somebody_else_while_an_answer_is_made_counts_in_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_presences", PerClient(lambda: Presences(most_bytes=0)))
    state = data_version(client, ORGANIZATION)
    present = read_present(client, ORGANIZATION, state, ago(7), DAY)
    read_present(client, OTHER, data_version(client, OTHER), ago(7), DAY)
    held = read_group_days(client, ORGANIZATION, state, [GROUP], present)
    assert present.accounts(union(present.rows(["chat"]) & held)) == [ADA]


def test_room_is_made_by_letting_go_what_was_not_asked_for_longest(client: Client) -> None:
    known = Presences(most_bytes=0)

    def read(organization: str) -> Presence:
        found = known.of(organization)
        found.present(client, organization, data_version(client, organization), ago(7), DAY)
        known.make_room()
        return found

    first = read(ORGANIZATION)
    assert first.size_bytes > 0
    assert known.of(ORGANIZATION) is first, "the only one stays, however large"
    read(OTHER)
    assert known.of(ORGANIZATION) is not first


def test_a_day_that_is_read_again_takes_no_more_room(client: Client) -> None:
    found, state = Presence(), data_version(client, ORGANIZATION)
    sizes = set()
    for epochs in "abc":
        told = DataVersion({**state.of_days, NO_DAY: {"epochs": (epochs, epochs)}})
        found.present(client, ORGANIZATION, told, ago(7), DAY)
        sizes.add(found.size_bytes)
    assert len(sizes) == 1
    empty = DataVersion({NO_DAY: {}})
    found.present(client, ORGANIZATION, empty, ago(7), DAY)
    assert found.size_bytes < sizes.pop()
