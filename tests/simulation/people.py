"""A log of people: profiles, tombstones and the directory, on topics that get partitions while keys move.

What is told comes late, out of order and again, on the partition that its key has by then. Who is forgotten is so on
every partition, by a client that knows them all; another client may know fewer.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.events import ORGANIZATIONS, START, Record
from tests.simulation.plan import Partition, Plan

PROFILES, DIRECTORY = "tally.profiles", "tally.directory"
ACCOUNTS = tuple(f"0f000000-0000-4000-8000-00000000000{number}" for number in range(4))
COMING_AND_GOING = ACCOUNTS[:2]
"""Whose account may be deleted and given again."""
HOUR = "2026-03-01T00:00:00Z"
LATE = (*[timedelta(0)] * 4, timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=5), timedelta(days=3))
Event = dict[str, Any]


def log_of_people(rng: Random, plan: Plan) -> dict[Partition, list[Record | None]]:
    """The records of each partition, or None where it has none, in the order of offsets."""
    return _Telling(rng, plan).entries


class _Telling:
    """Tells one thing after another; `entries` is the log that it makes."""

    def __init__(self, rng: Random, plan: Plan) -> None:
        self._rng = rng
        self._plan = plan
        self._moment = START
        self._number = 0
        self._sent: list[tuple[str, int, Event]] = []
        self._newest: dict[tuple[str, str], datetime] = {}
        self._told: dict[Partition, list[Record | None]] = {each: [] for each in plan.partitions}
        acts: list[Callable[[], None]] = [*[self._profile] * 6, *[self._change] * 6, *[self._again] * 3, self._forget]
        grows_at = rng.randrange(plan.records)
        for step in range(plan.records):
            self._is_grown = step >= grows_at
            self._moment += timedelta(milliseconds=rng.choice((0, 0, 0, 1, 60_000, 20 * 60_000)))
            rng.choice(acts)()
        for told in self._told.values():  # no partition is empty
            told.append(self._record(b"key", b"{"))

    @property
    def entries(self) -> dict[Partition, list[Record | None]]:
        """What was told, under its offsets."""
        return {
            partition: [record and record._replace(offset=offset) for offset, record in enumerate(told)]
            for partition, told in self._told.items()
        }

    # -- what is told --------------------------------------------------------------------------------------

    def _profile(self) -> None:
        """Of who comes and goes nothing is told that is older than the last: one partition keeps the newest of an
        organization and an account, so what it told before a tombstone must not stand for what it tells after."""
        organization, key = self._rng.choice(ORGANIZATIONS), self._rng.randrange(len(ACCOUNTS))
        who, at = ACCOUNTS[key], self._when()
        if who in COMING_AND_GOING:
            at = self._newest[organization, who] = max(at, self._newest.get((organization, who), at))
        fields = {"account_id": who, "email": f"n{self._number}@example.com", "name": ""}
        self._tell(PROFILES, key, self._event("profile.updated", organization, at, fields))

    def _when(self) -> datetime:
        """When it happened; services that know the hour alone make ties."""
        at = self._moment - self._rng.choice(LATE)
        return at.replace(minute=0, second=0, microsecond=0) if self._rng.random() < 0.5 else at

    def _change(self) -> None:
        rng, key = self._rng, self._rng.randrange(len(ORGANIZATIONS))
        kind, fields = rng.choice(
            (
                ("organization.created", {"name": f"n{self._number}"}),
                ("discount.changed", {"effective_from": HOUR, "discount": f"0.{self._number % 7 + 1}"}),
                ("member.joined", {"account_id": rng.choice(ACCOUNTS)}),
                ("member.removed", {"account_id": rng.choice(ACCOUNTS)}),
                ("account.deleted", {"account_id": rng.choice(COMING_AND_GOING)}),
                ("member.joined", {"account_id": rng.choice(COMING_AND_GOING)}),
            )
        )
        self._tell(DIRECTORY, key, self._event(kind, ORGANIZATIONS[key], self._when(), fields))

    def _again(self) -> None:
        """Something is sent again, byte for byte."""
        if self._sent:
            self._tell(*self._rng.choice(self._sent))

    def _forget(self) -> None:
        key = self._rng.randrange(len(ACCOUNTS))
        home = self._partition(PROFILES, key)
        known = [each for each in self._known(PROFILES) if each != home] if self._rng.random() < 0.7 else []
        for partition in (*known, home):
            self._told[partition].append(self._record(ACCOUNTS[key].encode(), None))

    # -- how it is told ------------------------------------------------------------------------------------

    def _event(self, kind: str, organization: str, at: datetime, fields: Event) -> Event:
        self._number += 1
        event_id = f"0e000000-0000-4000-8000-{self._number * 7919 % 10_007:012x}"  # no order of theirs is the log's
        envelope = {"type": kind, "event_id": event_id, "occurred_at": at.isoformat()}
        return {**envelope, "organization_id": organization, **fields}

    def _tell(self, topic: str, key: int, event: Event) -> None:
        rng, told = self._rng, self._told[self._partition(topic, key)]
        if rng.random() < 0.05:
            told.append(None)
        value = json.dumps(event).encode()
        if rng.random() < 0.08:
            value = rng.choice(
                (b"{", value[:-9], value.replace(b"account_id", b"nobody"), value.replace(b"e.com", b"e.org"))
            )
        elif event.get("account_id") not in COMING_AND_GOING or topic == DIRECTORY:
            self._sent.append((topic, key, event))
        told.append(self._record(str(key).encode(), value))

    def _record(self, key: bytes, value: bytes | None) -> Record:
        return Record(0, round(self._moment.timestamp() * 1000), key, value)

    def _known(self, topic: str) -> list[Partition]:
        """The partitions that the client knows which tells this."""
        everywhere = [each for each in self._plan.partitions if each[0] == topic]
        is_known = self._is_grown and self._rng.random() < 0.85
        return everywhere if is_known else [each for each in everywhere if each not in self._plan.added]

    def _partition(self, topic: str, key: int) -> Partition:
        known = self._known(topic)
        return known[key % len(known)]
