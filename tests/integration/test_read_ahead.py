"""What is read ahead is not read again when it is asked for, and says the same."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from reports import metrics
from reports.metrics import look
from reports.presence import presence
from reports.presence.ahead import read_ahead
from reports.windows import window
from tests.integration.events_by_hand import ADA, BEN, DAY, ORGANIZATION, ago, message
from tests.integration.folded import GRACE, SOURCES, Folded, at
from tests.integration.reporting import database


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    client = database(clickhouse)
    folded = Folded(client)
    folded.say(message(ADA), message(BEN, ago(3)))
    folded.reach(at(ago(-1), "03:00"))
    yield client
    client.close()


def test_nothing_to_read_ahead_is_fine(clickhouse: str) -> None:
    client = database(clickhouse)
    read_ahead(client)
    client.close()


def test_what_was_read_ahead_is_not_read_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    read_ahead(client)
    monkeypatch.setattr(presence, "ask_bytes", lambda *_: pytest.fail("it is read again"))
    reading = look(client, ORGANIZATION, SOURCES, GRACE)
    assert metrics.active_people(reading, window("1-week", DAY)).people == 2
    assert metrics.active_people(reading, window("1-day", DAY)).people == 1
