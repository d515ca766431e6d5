"""Live counters: every event of the last seven days, by minute, product and model, without any person."""

from datetime import timedelta

import pytest

from tally_client.events import CHAT, TOKEN
from tests.support.fold_records import LOG_TIME, ORGANIZATION, PERSON, THING, activity, cells, fold, token


def minute_cells(topic: str, event: dict[str, object]) -> dict[tuple[object, ...], dict[str, int]]:
    return cells(fold(topic, event), "minute_cells")


def message(**fields: object) -> dict[str, object]:
    return activity("chat.message", conversation_id=THING, **fields)


def test_an_event_counts_in_the_minute_in_which_it_happened() -> None:
    found = minute_cells(CHAT, message(product="chat", occurred_at="2026-03-01T13:57:59.999+02:00"))
    assert found == {(ORGANIZATION, "2026-03-01 11:57:00", "chat", ""): {"events": 1}}


def test_a_token_event_brings_its_model_and_its_tokens() -> None:
    counts = {
        "uncached_input_tokens": 1,
        "cache_read_input_tokens": 2,
        "cache_creation_5m_input_tokens": 3,
        "cache_creation_1h_input_tokens": 4,
        "output_tokens": 5,
    }
    found = minute_cells(TOKEN, token(model="claude-x", web_search_requests=9, **counts))
    assert found == {(ORGANIZATION, "2026-03-01 12:00:00", "", "claude-x"): {"events": 1, "requests": 1, **counts}}


def test_code_execution_is_an_event_without_model_or_request() -> None:
    event = activity("execution.used", funding="usage_based", spans=7, milliseconds=8, product="cowork")
    assert minute_cells(TOKEN, event) == {(ORGANIZATION, "2026-03-01 12:00:00", "cowork", ""): {"events": 1}}


# The log time is 12:00:30; ages are counted in whole minutes.
AGES = [
    (timedelta(days=7), True),
    (timedelta(days=7, seconds=30), True),
    (timedelta(days=7, seconds=31), False),
    (timedelta(days=7, minutes=1), False),
    (timedelta(days=30), False),
    (-timedelta(minutes=5), True),
]


@pytest.mark.parametrize(("age", "shown"), AGES)
def test_only_events_of_the_last_seven_days_are_live(age: timedelta, shown: bool) -> None:
    happened = (LOG_TIME - age).isoformat()
    assert bool(minute_cells(CHAT, message(occurred_at=happened))) == shown
    assert bool(minute_cells(TOKEN, token(occurred_at=happened))) == shown
    assert cells(fold(TOKEN, token(occurred_at=happened)), "spend_cells"), "an old event still counts for its hour"


def test_nobody_is_named() -> None:
    assert PERSON not in str(minute_cells(CHAT, message()))
