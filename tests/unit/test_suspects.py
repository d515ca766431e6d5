"""What `emit --check` says of the events of a file."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from deploy import sending
from deploy.sending import LISTED_SESSIONS, Suspects
from deploy.simulation import Line
from streams.events import PROFILES, TOPIC_BY_TYPE
from tests.folding import LOG_TIME, NIL, activity, token, uuid


def looked_at(*events: dict[str, Any]) -> Suspects:
    """What is said of these events."""
    lines = [Line(TOPIC_BY_TYPE[event["type"]], b"key", json.dumps(event).encode(), "") for event in events]
    return watched(lines)


def watched(lines: Sequence[Line]) -> Suspects:
    suspects = Suspects(LOG_TIME)
    assert list(suspects.watch(lines)) == list(lines), "lines are looked at in passing"
    return suspects


def test_a_repeat_counts_once_and_is_no_fault() -> None:
    found = looked_at(token(), token(), token(event_id=uuid(2)))
    assert (found.invalid, found.repeats, found.examples) == (0, 1, [])


def test_every_record_of_a_conflict_behind_the_first_is_one() -> None:
    found = looked_at(token(), token(output_tokens=1), token(output_tokens=1), token())
    assert (found.invalid, found.repeats) == (3, 0)
    assert found.examples[0] == "event 2 is invalid: conflict: event 1 has its event_id and other bytes"


def test_an_id_is_the_organizations_and_the_types_own() -> None:
    other = {"type": "execution.used", "funding": "usage_based"}
    found = looked_at(token(), token(organization_id=uuid(7)), activity("execution.used", **other))
    assert (found.invalid, found.repeats) == (0, 0)


def test_the_latest_events_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "REMEMBERED", 2)
    events = [token(event_id=uuid(number)) for number in (1, 2, 3, 3, 2, 1)]
    assert looked_at(*events).repeats == 2


@pytest.mark.parametrize("product", ["cowork", "claude_in_chrome", "other"])
def test_a_session_that_no_list_counts_is_told(product: str) -> None:
    found = looked_at(activity("session.activity", session_id=uuid(5), product=product, tool_uses=1))
    assert (found.invalid, found.unlisted) == (0, int(product not in LISTED_SESSIONS))
    assert [product in line for line in found.examples] == [True] * found.unlisted


@pytest.mark.parametrize("product", [{}, {"product": None}, {"product": "chat"}])
def test_a_session_without_a_product_is_refused_since_nothing_would_count_it(product: dict[str, Any]) -> None:
    assert looked_at(activity("session.activity", session_id=uuid(5), tool_uses=1, **product)).invalid == 1


@pytest.mark.parametrize(("key", "invalid"), [(uuid(5).encode(), 0), (NIL.encode(), 1), (b"\xff", 1), (b"", 1)])
def test_a_tombstone_is_somebodys(key: bytes, invalid: int) -> None:
    assert watched([Line(PROFILES, key, None, "")]).invalid == invalid
    assert watched([Line("tally.chat", key, None, "")]).invalid == 1
