"""Poison: every kind is refused by the rules of the log, and comes at the asked rate."""

import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from intake.ndjson import ProducerRecord
from simulation import POISONS, Plan, simulate
from tally_client.events import DIRECTORY, PROFILES, ActivityEvent, Event, decoder

PLAN = Plan(until=date(2026, 11, 20), users=50, days=10, intensity=0.6)
LOG_TIME = datetime(2026, 11, 22, tzinfo=UTC)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NIL = "00000000-0000-0000-0000-000000000000"
IDS = ("event_id", "organization_id", "account_id", "artifact_id", "api_key_id", "session_id")


@pytest.fixture(scope="module")
def sample() -> dict[str, Any]:
    """A token event as the simulation makes it."""
    return next(json.loads(line.value) for line in simulate(PLAN) if line.value and b'"token.used"' in line.value)


def refusal(line: ProducerRecord) -> str:
    """Why the rules of the log refuse a record, or '' when it is valid; a plain reading of them."""
    if line.value is None:
        return "" if line.topic == PROFILES else "null value"
    try:
        event = decoder(line.topic).decode(line.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return type(error).__name__
    return out_of_bounds(event, line.topic) or bad_id(event)


def out_of_bounds(event: Event, topic: str) -> str:
    """Whether a moment of the event is one that the log does not take."""
    earliest = datetime(1970 if topic in (DIRECTORY, PROFILES) else 2025, 1, 1, tzinfo=UTC)
    for moment in (event.occurred_at, getattr(event, "created_at", event.occurred_at)):
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            return "beyond the calendar"
        if not earliest <= moment <= LOG_TIME + timedelta(minutes=5):
            return "out of bounds"
    since = getattr(event, "effective_from", None)
    if since and since.year >= 2200:
        return "of another age"
    return "not a whole hour" if since and since.astimezone(UTC).strftime("%M%S%f").strip("0") else ""


def bad_id(event: Event) -> str:
    """Whether an id of the event is no lower-case UUID, or nobody's."""
    owners = [event, *(owner for owner in (getattr(event, "attribution", None),) if owner)]
    ids = [getattr(owner, name) for owner in owners for name in IDS if getattr(owner, name, None) is not None]
    ids += [event.actor.id] if isinstance(event, ActivityEvent) else []
    return "" if all(UUID.fullmatch(each) and each != NIL for each in ids) else "not a UUID"


@pytest.mark.parametrize("kind", sorted(set(POISONS) - {"conflict"}))
def test_every_kind_is_refused(kind: str, sample: dict[str, Any]) -> None:
    assert refusal(POISONS[kind](sample))


def test_a_conflict_is_a_valid_event_under_a_used_id_with_another_payload(sample: dict[str, Any]) -> None:
    line = POISONS["conflict"](sample)
    assert refusal(line) == ""
    assert json.loads(line.value or b"")["event_id"] == sample["event_id"]
    assert json.loads(line.value or b"") != sample


def test_poison_comes_at_the_asked_rate_in_every_kind_and_nothing_else_is_refused() -> None:
    plan = Plan(**{**PLAN.__dict__, "poison": 0.04, "duplicates": 0.02})
    clean = set(simulate(PLAN))
    lines = list(simulate(plan))
    poison = [line for line in lines if line not in clean]
    accepted = [line for line in poison if not refusal(line)]
    assert 0.03 < len(poison) / len(lines) < 0.05
    assert not any(refusal(line) for line in clean)
    assert len({refusal(line) for line in poison}) >= 7
    assert 1 <= len(accepted) <= 2 * len(poison) / len(POISONS), "only conflicts are valid events"


def test_a_conflict_follows_its_original_under_the_same_key() -> None:
    plan = Plan(**{**PLAN.__dict__, "poison": 0.04})
    seen: dict[str, ProducerRecord] = {}
    conflicts = 0
    for line in simulate(plan):
        if refusal(line) or line.value is None:
            continue
        event_id = json.loads(line.value)["event_id"]
        if event_id in seen:
            conflicts += 1
            assert (line.topic, line.key) == (seen[event_id].topic, seen[event_id].key)
            assert line.value != seen[event_id].value
        seen[event_id] = line
    assert conflicts


def test_large_kinds_are_rare() -> None:
    plan = Plan(**{**PLAN.__dict__, "poison": 0.2})
    sizes = Counter(len(line.value or b"") > 10_000 for line in simulate(plan))
    assert 2 <= sizes[True] < 0.01 * sizes[False]


def test_every_kind_has_its_turn_before_any_comes_again(sample: dict[str, Any]) -> None:
    plan = Plan(**{**PLAN.__dict__, "poison": 0.1, "days": 5})
    clean = set(simulate(Plan(**{**PLAN.__dict__, "days": 5})))
    round_of_all = [line for line in simulate(plan) if line not in clean][: len(POISONS)]
    null_values = sum(line.value is None for line in round_of_all)
    assert null_values == 1
    assert sum(line.value == b"null" for line in round_of_all) == 1
    assert all(before != after for before, after in pairwise(round_of_all))
