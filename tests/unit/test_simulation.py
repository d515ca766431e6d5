"""What the simulation promises: the same bytes, valid events, honest rates, and organizations of every kind."""

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from intake.ndjson import ProducerRecord
from simulation import Plan, simulate
from tally_client.events import ActivityEvent, ProfileUpdated, decoder, partition_key

UNTIL = date(2026, 11, 20)
SMALL = Plan(until=UNTIL, users=60, days=24, intensity=0.4)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def digest(lines: Iterable[ProducerRecord]) -> str:
    """One hash of all lines."""
    sha = hashlib.sha256()
    for line in lines:
        sha.update(repr(line).encode())
    return sha.hexdigest()


def change(plan: Plan, **settings: Any) -> Plan:
    """The plan with other settings."""
    return Plan(**{**plan.__dict__, **settings})


def values(lines: Iterable[ProducerRecord]) -> list[dict[str, Any]]:
    """The JSON objects of all lines but tombstones."""
    return [json.loads(line.value) for line in lines if line.value is not None]


@pytest.fixture(scope="module")
def small() -> list[ProducerRecord]:
    """A small clean history."""
    return list(simulate(SMALL))


def test_the_same_plan_gives_the_same_bytes_and_another_seed_gives_others(small: list[ProducerRecord]) -> None:
    assert digest(simulate(SMALL)) == digest(small)
    assert digest(simulate(change(SMALL, seed=2))) != digest(small)


def test_the_bytes_do_not_depend_on_the_order_in_which_python_hashes() -> None:
    program = (
        "import hashlib; from datetime import date; from simulation import Plan, simulate;"
        "lines = simulate(Plan(until=date(2026, 11, 20), users=20, days=4, duplicates=0.1, late=0.1, poison=0.1));"
        "print(hashlib.sha256(repr(list(lines)).encode()).hexdigest())"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1


def test_every_line_is_a_valid_event_under_its_own_key(small: list[ProducerRecord]) -> None:
    ids = set()
    for line in small:
        if line.value is None:
            assert line.topic == "tally.profiles"
            continue
        event = decoder(line.topic).decode(line.value)
        assert partition_key(event) == line.key
        assert UUID.fullmatch(event.event_id)
        assert UUID.fullmatch(line.key.decode())
        assert event.organization_id == event.organization_id.lower()
        ids.add(event.event_id)
    assert len(ids) == sum(line.value is not None for line in small)


def test_usage_lies_within_the_period_and_the_directory_begins_before_it(small: list[ProducerRecord]) -> None:
    until = datetime(2026, 11, 20, tzinfo=UTC)
    start = until - timedelta(days=SMALL.days)
    earliest = {True: until, False: until}
    for line in small:
        if line.value is None:
            continue
        event = decoder(line.topic).decode(line.value)
        usage = isinstance(event, ActivityEvent)
        earliest[usage] = min(earliest[usage], event.occurred_at)
        assert event.occurred_at < until
    assert start <= earliest[True] < start + timedelta(hours=12)
    assert start - timedelta(days=41) < earliest[False] < start - timedelta(days=4)


def test_duplicates_and_poison_only_add_lines() -> None:
    clean = list(simulate(change(SMALL, days=6)))
    counts = Counter(clean)
    dirty = Counter(simulate(change(SMALL, days=6, duplicates=0.1, poison=0.1)))
    assert not counts - dirty


def test_duplicates_come_at_the_asked_rate_soon_after_the_first_and_never_on_profiles() -> None:
    first: dict[ProducerRecord, int] = {}
    distances = []
    for position, line in enumerate(simulate(change(SMALL, duplicates=0.05))):
        if line in first:
            assert line.topic != "tally.profiles"
            distances.append(position - first[line])
        else:
            first[line] = position
    assert 0.04 < len(distances) / len(first) < 0.06
    assert 1 <= min(distances) <= max(distances) < 4000


def test_late_events_come_at_the_asked_rate_and_within_three_days() -> None:
    lags = lags_of(simulate(change(SMALL, late=0.05, out_of_order=0.0, clock_skew=0.0)))
    late = [lag for lag in lags if lag > timedelta(minutes=1)]
    assert 0.035 < len(late) / len(lags) < 0.055
    assert timedelta(hours=60) < max(late) < timedelta(days=3)


def test_out_of_order_events_are_at_most_minutes_behind() -> None:
    lags = lags_of(simulate(change(SMALL, out_of_order=0.1, clock_skew=0.0)))
    assert timedelta(minutes=5) < max(lags) <= timedelta(minutes=10)
    assert sum(lag > timedelta(seconds=10) for lag in lags) / len(lags) > 0.03


def test_without_disturbances_events_arrive_within_a_second_of_one_another() -> None:
    assert max(lags_of(simulate(change(SMALL, out_of_order=0.0, clock_skew=0.0)))) <= timedelta(seconds=1)


def test_a_skewed_clock_is_minutes_off_either_way_and_never_five() -> None:
    lags = lags_of(simulate(change(SMALL, out_of_order=0.0, clock_skew=0.5)))
    assert timedelta(minutes=4) < max(lags) < timedelta(minutes=8, seconds=1)  # one behind meets one ahead


def lags_of(lines: Iterable[ProducerRecord]) -> list[timedelta]:
    """How far each event lies behind the newest before it in the stream."""
    newest = datetime.min.replace(tzinfo=UTC)
    lags = []
    for value in values(lines):
        occurred_at = datetime.fromisoformat(value["occurred_at"])
        newest = max(newest, occurred_at)
        lags.append(newest - occurred_at)
    return lags


def test_funding_is_what_the_plan_in_force_allows(small: list[ProducerRecord]) -> None:
    policies: dict[str, list[tuple[datetime, str, Any]]] = defaultdict(list)
    usage = []
    for value in values(small):
        if value["type"] in ("plan.changed", "extra_usage.changed"):
            since = datetime.fromisoformat(value["effective_from"])
            assert (since.minute, since.second, since.microsecond) == (0, 0, 0)
            policies[value["organization_id"]].append((since, value["type"], value.get("plan", value.get("enabled"))))
        elif "funding" in value:
            usage.append((value["organization_id"], datetime.fromisoformat(value["occurred_at"]), value))
    seen: Counter[str] = Counter()
    for organization, at, value in usage:
        in_force = {type_: setting for since, type_, setting in sorted(policies[organization]) if since <= at}
        if in_force["plan.changed"] == "enterprise_usage_based":
            assert value["funding"] == "usage_based"
        else:
            assert value["funding"] == "seat_allotment" or in_force["extra_usage.changed"]
            assert value["funding"] == "extra_usage" or value["actor"]["type"] == "user"
        seen[value["funding"]] += 1
    assert set(seen) == {"usage_based", "seat_allotment", "extra_usage"}


def test_organizations_of_every_kind(small: list[ProducerRecord]) -> None:
    histories: dict[str, list[Any]] = defaultdict(list)
    for value in values(small):
        if value["type"] in ("plan.changed", "extra_usage.changed", "discount.changed"):
            histories[value["organization_id"]].append(value.get("plan", value.get("enabled", value.get("discount"))))
    kinds = set(map(tuple, histories.values()))
    assert ("team", False) in kinds
    assert ("enterprise_usage_based", False, "0.1", "0.175", "0.181818") in kinds
    assert ("enterprise_seat_based", True, "0.05") in kinds
    assert ("enterprise_seat_based", False) in kinds
    assert ("enterprise_seat_based", False, True, False, "enterprise_usage_based") in kinds


def test_nobody_acts_without_a_seat(small: list[ProducerRecord]) -> None:
    seated: dict[str, list[tuple[datetime, bool]]] = defaultdict(list)
    acts: list[tuple[str, datetime]] = []
    for value in values(small):
        at = datetime.fromisoformat(value["occurred_at"])
        if value["type"] in ("seat.assigned", "seat.unassigned"):
            seated[value["account_id"]].append((at, value["type"] == "seat.assigned"))
        elif value.get("actor", {}).get("type") == "user":
            acts.append((value["actor"]["id"], at))
    for account, at in acts:
        assert [has for since, has in sorted(seated[account]) if since <= at][-1:] == [True], f"{account} at {at}"


def test_a_deleted_person_is_forgotten_and_never_named_again(small: list[ProducerRecord]) -> None:
    forgotten = set()
    for line in small:
        if line.value is None:
            forgotten.add(line.key.decode())
        elif line.topic == "tally.profiles":
            profile = msgspec.json.decode(line.value, type=ProfileUpdated)
            assert profile.account_id not in forgotten
    deleted = {value["account_id"] for value in values(small) if value["type"] == "account.deleted"}
    assert forgotten == deleted
    assert forgotten


def test_more_organizations_repeat_the_kinds() -> None:
    lines = values(simulate(Plan(until=UNTIL, organizations=13, users=130, days=3, intensity=0.2)))
    created = {value["organization_id"] for value in lines if value["type"] == "organization.created"}
    early = datetime(2026, 11, 16, tzinfo=UTC)
    founders = [
        value
        for value in lines
        if value["type"] == "member.joined"
        if datetime.fromisoformat(value["occurred_at"]) < early
    ]
    assert len(created) == 13
    assert len(founders) == 130


def test_a_leap_day_is_lived_like_any_other() -> None:
    lines = list(simulate(Plan(until=date(2028, 3, 3), users=30, days=5)))
    days = Counter(line.occurred_at[:10] for line in lines if line.value and decoder(line.topic).decode(line.value))
    assert days["2028-02-29"] > 100


@pytest.mark.parametrize("organizations", [1, 2, 7])
def test_the_smallest_plans_can_be_made(organizations: int) -> None:
    for seed in range(12):
        plan = Plan(until=UNTIL, seed=seed, organizations=organizations, users=organizations, days=1)
        types = Counter(value["type"] for value in values(simulate(plan)))
        assert types["organization.created"] >= organizations
        assert types["member.joined"] >= organizations


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"poison": 0.7}, "poison"),
        ({"late": -0.1}, "late"),
        ({"users": 3}, "1 user per organization"),
        ({"days": 0}, "1 day"),
        ({"intensity": 0}, "intensity"),
        ({"until": date(2025, 1, 20)}, "2025-01-01"),
    ],
)
def test_a_plan_that_cannot_be_made_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        change(SMALL, **settings)
