"""Organizations whose keys move when partitions are added: what is said before and after, and what must be answered.

All that is said before is said again at the end, on the partitions that the keys have then. It changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
from aiokafka.partitioner import DefaultPartitioner

from intake.ndjson import ProducerRecord
from tally_client.events import DIRECTORY, PROFILES, TOPIC_BY_TYPE

ORGANIZATIONS = 3
Rows = list[tuple[Any, ...]]
Query = Callable[..., Rows]
"""The rows of an answer, by its SQL and parameters."""

PEOPLE = ("stays", "removed", "deleted", "out_of_the_group", "without_seat", "forgotten", "known_again", "renamed")
ANSWERS = {
    "people": "SELECT toString(account_id), email FROM people WHERE organization_id = {id:UUID}",
    "name": "SELECT name FROM organization_names WHERE organization_id = {id:UUID}",
    "group": "SELECT name FROM group_names WHERE organization_id = {id:UUID}",
    "members": (
        "SELECT toString(account_id) FROM group_memberships WHERE organization_id = {id:UUID} AND left_at IS NULL"
    ),
    "departures": "SELECT toString(account_id), toString(how) FROM departures WHERE organization_id = {id:UUID}",
    "terms": "SELECT toString(plan), toString(discount) FROM terms WHERE organization_id = {id:UUID}",
    "seats": "SELECT seats FROM seats_by_day(organization_id = {id:UUID}, first = {day:Date}, last = {day:Date})",
}


class Crowd:
    """Some organizations and their people, of whom every key moves when topics of `old` partitions have `new` ones."""

    def __init__(self, old: int, new: int) -> None:
        self._now = datetime.now(UTC)
        self._organizations = [Organization(self._now, old, new) for _ in range(ORGANIZATIONS)]

    def before(self) -> Iterator[ProducerRecord]:
        """What is said before partitions are added."""
        return (line for organization in self._organizations for line in organization.before)

    def after(self) -> Iterator[ProducerRecord]:
        """What is said after."""
        for organization in self._organizations:
            yield from organization.after()
            yield from organization.before

    def wrongs(self, query: Query) -> list[str]:
        """What the views answer, where it is not what was said."""
        day = self._now.date()
        return [
            f"{name} of {each.id}: {found} instead of {each.expected[name]}"
            for each in self._organizations
            for name, sql in ANSWERS.items()
            if (found := sorted(query(sql, id=each.id, day=day))) != each.expected[name]
        ]


class Organization:
    """One of them: `before` is what is said first, `expected` every answer at the end."""

    def __init__(self, now: datetime, old: int, new: int) -> None:
        self._now = now
        self.id, self._group = _moving(old, new), str(uuid4())
        self._who = {name: _moving(old, new) for name in PEOPLE}
        self._since = (now - timedelta(days=2)).replace(minute=0, second=0, microsecond=0).isoformat()
        self.before = list(self._before())
        self.expected = {name: sorted(rows) for name, rows in self._expected().items()}

    def _before(self) -> Iterator[ProducerRecord]:
        yield self._says("organization.created", 3, name="Before")
        yield self._says("plan.changed", 3, effective_from=self._since, plan="team")
        yield self._says("discount.changed", 3, effective_from=self._since, discount="0.1")
        yield self._says("group.saved", 3, group_id=self._group, name="Before")
        for name, account in self._who.items():
            yield self._says("member.joined", 3, account_id=account)
            yield self._says("seat.assigned", 3, account_id=account)
            yield self._says("group.joined", 3, group_id=self._group, account_id=account)
            yield self._profile(name, "before", 3)

    def after(self) -> Iterator[ProducerRecord]:
        """What is said by the new partitions: the newer, then what is older and comes late, then who is forgotten."""
        yield self._says("organization.created", 2, name="After")
        yield self._says("organization.created", 4, name="Late")
        yield self._says("group.saved", 3, group_id=self._group, name="After")  # at the instant of the first
        yield self._says("discount.changed", 2, effective_from=self._since, discount="0.3")
        yield self._says("discount.changed", 4, effective_from=self._since, discount="0.2")
        yield self._says("member.removed", 2, account_id=self._who["removed"])
        yield self._says("account.deleted", 2, account_id=self._who["deleted"])
        yield self._says("group.left", 2, group_id=self._group, account_id=self._who["out_of_the_group"])
        yield self._says("seat.unassigned", 3, account_id=self._who["without_seat"])
        for name in PEOPLE:
            yield self._profile(name, "after", 2)
            yield self._profile(name, "late", 4)
        for name in ("forgotten", "known_again"):
            yield ProducerRecord(PROFILES, self._who[name].encode(), None, "")
            yield self._profile(name, "late", 1)
        yield self._profile("known_again", "again", -0.04)

    def _expected(self) -> Mapping[str, Rows]:
        who = self._who
        told = {name: f"after@{name}.example" for name in PEOPLE if name not in ("deleted", "forgotten")}
        told["known_again"] = "again@known_again.example"
        gone = ("removed", "deleted")
        return {
            "people": [(who[name], email) for name, email in told.items()],
            "name": [("After",)],
            "group": [("After",)],
            "members": [(who[name],) for name in PEOPLE if name not in (*gone, "out_of_the_group")],
            "departures": [(who["removed"], "member.removed"), (who["deleted"], "account.deleted")],
            "terms": [("team", "0.3")],
            "seats": [(len(PEOPLE) - len((*gone, "without_seat")),)],
        }

    def _says(self, kind: str, hours_ago: float, **fields: str) -> ProducerRecord:
        at = (self._now - timedelta(hours=hours_ago)).isoformat()
        envelope = {"type": kind, "event_id": str(uuid4()), "occurred_at": at, "organization_id": self.id}
        topic = TOPIC_BY_TYPE[kind]
        key = self.id if topic == DIRECTORY else fields["account_id"]
        return ProducerRecord(topic, key.encode(), orjson.dumps(envelope | fields), at)

    def _profile(self, name: str, when: str, hours_ago: float) -> ProducerRecord:
        email = f"{when}@{name}.example"
        return self._says("profile.updated", hours_ago, account_id=self._who[name], email=email, name=when)


def _moving(old: int, new: int) -> str:
    """An id that lies on another partition of `new` than of `old`."""
    partitioner = DefaultPartitioner()
    while True:
        found = str(uuid4())
        places = {partitioner(found.encode(), range(count), range(count)) for count in (old, new)}
        if len(places) == 2:
            return found
