"""The default simulation makes every event type, every field both ways, and every enumerated value.

The list comes from the Structs themselves, so a field that is added to the contract fails here until it is made.
"""

from collections import Counter
from datetime import date
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from intake.ndjson import ProducerRecord
from simulation import Plan, simulate
from tally_client.events import EVENT_BY_TYPE, ActivityEvent, Actor, Attribution, TokenUsed, decoder

Wanted = set[tuple[str, str, Any]]


@pytest.fixture(scope="module")
def default() -> list[ProducerRecord]:
    """The default plan's history."""
    return list(simulate(Plan(until=date(2026, 11, 20))))


@pytest.fixture(scope="module")
def events(default: list[ProducerRecord]) -> list[Any]:
    """The same, decoded by the contract's own decoders."""
    return [decoder(line.topic).decode(line.value) for line in default if line.value is not None]


def test_the_default_plan_is_of_the_promised_size(default: list[ProducerRecord], events: list[Any]) -> None:
    accounts = {event.account_id for event in events if type(event).__name__ == "MemberJoined"}
    tokens = [line for line in default if line.value and line.value.startswith(b'{"type":"token.used"')]
    assert 300_000 <= len(default) <= 330_000
    assert len({event.organization_id for event in events}) >= 5
    assert len(accounts) >= 400
    assert 0.40 < len(tokens) / len(default) < 0.52
    assert 400 < sum(len(line.value or b"") for line in tokens) / len(tokens) < 550


def test_every_type_field_and_enumerated_value_is_made(events: list[Any]) -> None:
    structs: list[type[msgspec.Struct]] = [*EVENT_BY_TYPE.values(), Attribution, Actor]
    wanted = {want for struct in structs for want in wants(struct)}
    wanted |= {(ActivityEvent.__name__, name, value) for _, name, value in of_fields(ActivityEvent, ENVELOPE)}
    for event in events:
        name = type(event).__name__
        made(wanted, name, event)
        if isinstance(event, ActivityEvent):
            made(wanted, "Actor", event.actor)
            for field in ENVELOPE:
                wanted.discard((ActivityEvent.__name__, field, label(getattr(event, field))))
            if attribution := getattr(event, "attribution", None):
                made(wanted, "Attribution", attribution)
    assert not wanted, f"the simulation never makes {sorted(map(str, wanted))}"


def test_the_heavy_few_the_idle_and_the_unpriced_model(events: list[Any]) -> None:
    counts: dict[str, int] = {}
    for event in events:
        if isinstance(event, ActivityEvent) and event.actor.type == "user":
            counts[event.actor.id] = counts.get(event.actor.id, 0) + 1
    people = sorted(counts.values(), reverse=True)
    joined = {event.account_id for event in events if type(event).__name__ == "MemberJoined"}
    unpriced = sum(event.model == "claude-internal-preview" for event in events if isinstance(event, TokenUsed))
    assert sum(people[: len(people) // 10]) > 0.3 * sum(people)
    assert len(joined) - len(people) > 0.05 * len(joined)
    assert 0 < unpriced < 0.02 * len(events)


def test_weekdays_and_hours_have_their_rhythm(events: list[Any]) -> None:
    done = [event for event in events if isinstance(event, ActivityEvent)]
    assert sum(event.occurred_at.weekday() >= 5 for event in done) < 0.15 * len(done)
    # Each organization has its own zone, and all of them together hardly a night.
    hours: dict[str, Counter[int]] = {}
    for event in done:
        hours.setdefault(event.organization_id, Counter())[event.occurred_at.hour] += 1
    assert set().union(*hours.values()) == set(range(24))
    for busy in hours.values():
        assert max(busy.values()) > 2 * min(busy[hour] for hour in range(24))


ENVELOPE = ("product", "surface")
"""Fields of every activity event: each value must occur on some event, not on every type of them."""

SHARED = {"event_id", "occurred_at", "organization_id", "actor", *ENVELOPE}


def wants(struct: type[msgspec.Struct]) -> Wanted:
    """All that one Struct must be seen with: itself, and its own fields."""
    own = [field for field in struct.__struct_fields__ if field not in SHARED]
    return {(struct.__name__, "", "made")} | of_fields(struct, own)


def of_fields(struct: type[msgspec.Struct], names: Any) -> Wanted:
    """Each field with each of the labels that it must take."""
    hints = get_type_hints(struct, include_extras=True)
    return {(struct.__name__, name, value) for name in names for value in labels(hints[name])}


def labels(hint: Any) -> set[Any]:
    """Every enumerated value, None and `set` for an optional, zero and positive for a count."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        inner = [labels(each) for each in get_args(hint) if each is not type(None)]
        return {None}.union(*inner)
    if hint is bool:
        return {True, False}
    if hint is int:
        return {"zero", "positive"}
    return {"empty", "set"} if get_origin(hint) is tuple else {"set"}


def label(value: Any) -> Any:
    """The label of one value."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return "positive" if value else "zero"
    if isinstance(value, tuple):
        return "set" if value else "empty"
    return value


def made(wanted: Wanted, name: str, event: Any) -> None:
    """Strike out what this event shows; an enumerated text by its value, any other text as set."""
    wanted.discard((name, "", "made"))
    for field in pending(wanted, name):
        value = label(getattr(event, field))
        wanted.discard((name, field, value))
        if value is not None and value != "zero" and value != "empty":
            wanted.discard((name, field, "set"))


def pending(wanted: Wanted, name: str) -> list[str]:
    """The fields of a Struct that are still waiting for a value (few, soon)."""
    return [field for struct, field, _ in wanted if struct == name and field]
