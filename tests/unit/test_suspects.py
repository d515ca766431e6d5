"""What `emit --check` says of the events of a file."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from intake import bulk_send
from intake.bulk_send import Suspects
from intake.ndjson import ProducerRecord
from intake.uncounted import LISTED_SESSIONS
from tally_client.events import PROFILES, TOPIC_BY_TYPE
from tests.reference.event_metrics import NAMED, active_in, named, touches
from tests.support.deeds import some_of_each
from tests.support.fold_records import LOG_TIME, NIL, activity, token, uuid


def looked_at(*events: dict[str, Any]) -> Suspects:
    """What is said of these events."""
    lines = [ProducerRecord(TOPIC_BY_TYPE[event["type"]], b"key", json.dumps(event).encode(), "") for event in events]
    return watched(lines)


def watched(lines: Sequence[ProducerRecord]) -> Suspects:
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
    monkeypatch.setattr(bulk_send, "REMEMBERED", 2)
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


def test_an_event_that_nothing_counts_is_told_and_no_other_is() -> None:
    """The judge are the recounts that the lists and summaries of the API are held to, and docs/metrics.md."""
    for event in some_of_each():
        assert looked_at(event).unlisted == (not is_listed(event) and not is_in_figures(event)), event


def test_each_thing_that_is_said_of_it_is_said_once() -> None:
    by_key = {"actor": {"type": "api_key", "id": uuid(3)}, "conversation_id": uuid(5)}
    messages = [activity("chat.message", event_id=uuid(number), **by_key) for number in range(9)]
    session = activity("session.started", session_id=uuid(5), product="other")
    found = looked_at(*messages, activity("chat.started", **by_key), session)
    assert (found.invalid, found.unlisted) == (0, 10)
    assert found.examples == [
        "event 1: chat.message by api_key counts nowhere",
        "event 11: session.started by user in other counts in no list or summary, only on the person's page",
    ]


def is_listed(event: dict[str, Any]) -> bool:
    kind, product = event["type"], event.get("product")
    if kind in ("token.used", "execution.used") or (kind.startswith("session.") and product == "claude_code"):
        return True  # usage, and Claude Code's report, whoever it was
    if event["actor"]["type"] != "user":
        return False
    of_an_artifact = {"artifact.shared", "artifact.published"}
    listed = any(named(list_, event, {}) for list_ in NAMED)
    return listed or touches(event, set()) is not None or bool(active_in(event)) or kind in of_an_artifact


def is_in_figures(event: dict[str, Any]) -> bool:
    made = ("chat.started", "project.created", "artifact.created", "connector.called")
    return event["type"] in made or (event["type"] == "project.used" and event["actor"]["type"] == "user")


@pytest.mark.parametrize(("key", "invalid"), [(uuid(5).encode(), 0), (NIL.encode(), 1), (b"\xff", 1), (b"", 1)])
def test_a_tombstone_is_somebodys(key: bytes, invalid: int) -> None:
    assert watched([ProducerRecord(PROFILES, key, None, "")]).invalid == invalid
    assert watched([ProducerRecord("tally.chat", key, None, "")]).invalid == 1
