"""The directory as ClickHouse has it now: organizations, and for one of them its terms, groups and people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from queries.sql_files import fetch

FOLDER = Path(__file__).parent
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
JOINED, REMOVED, DELETED = "member.joined", "member.removed", "account.deleted"


@dataclass(frozen=True)
class Person:
    """A member, a former one, or an account of which only the profile is known.

    `membership` is the type of the last event about it, or empty; `role` is that of a member, else empty.
    """

    account_id: str
    membership: str = ""
    role: str = ""
    seat: bool = False
    groups: frozenset[str] = frozenset()
    email: str = ""
    name: str = ""

    @property
    def is_member(self) -> bool:
        """True if the person is a member now."""
        return self.membership == JOINED


@dataclass(frozen=True)
class Change:
    """A plan, a discount, a decision about extra usage or a number of seats, in force from a time."""

    since: datetime
    value: str


@dataclass(frozen=True)
class Directory:
    """One organization. `terms` has, by event type, every change in order; `groups` names by id; `people` accounts.

    `newest` is the latest time of anything in the directory.
    """

    organization_id: str
    name: str = ""
    terms: Mapping[str, Sequence[Change]] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    newest: datetime = BEGINNING

    def in_force(self, kind: str, at: datetime) -> str | None:
        """Return the value of the newest change of this type that is in force at a time, or None."""
        values = [change.value for change in self.terms.get(kind, ()) if change.since <= at]
        return values[-1] if values else None


@dataclass(frozen=True)
class Summary:
    """An organization in a list: what is in force now, how many people it has, and its seats."""

    organization_id: str
    name: str
    plan: str
    discount: Decimal
    extra_usage: bool
    members: int
    seats_assigned: int
    seats_purchased: int


def list_organizations(client: Client, now: datetime) -> list[Summary]:
    """Return every organization in the directory, by name."""
    return [
        Summary(**row) for row in fetch(client, FOLDER / "organizations.sql", {"now_ms": int(now.timestamp() * 1000)})
    ]


def names_of_organizations(client: Client) -> dict[str, str]:
    """Return the name of every organization in the directory by its id, empty for one without a name."""
    return {row["organization_id"]: row["name"] for row in fetch(client, FOLDER / "known.sql")}


def read_directory(client: Client, organization_id: str) -> Directory:
    """Return the directory of an organization, empty if nothing of it is known."""

    def rows(name: str) -> list[dict[str, Any]]:
        return fetch(client, FOLDER / f"{name}.sql", {"organization_id": organization_id})

    (facts,) = rows("organization")
    terms: dict[str, list[Change]] = {}
    for row in rows("terms"):
        terms.setdefault(row["type"], []).append(Change(_moment(row["since_us"]), row["value"]))
    people = {row["account_id"]: Person(**row | {"groups": frozenset(row["groups"])}) for row in rows("people")}
    groups = {row["group_id"]: row["name"] for row in rows("groups")}
    return Directory(organization_id, facts["name"], terms, groups, people, _moment(facts["newest_us"]))


def count_folded(client: Client, organization_id: str, at: datetime) -> int:
    """Return how many events of a change at this instant ClickHouse has."""
    at_us = (at - BEGINNING) // timedelta(microseconds=1)
    (row,) = fetch(client, FOLDER / "folded.sql", {"organization_id": organization_id, "at_us": at_us})
    return int(row["events"])


def _moment(microseconds: int) -> datetime:
    return BEGINNING + timedelta(microseconds=microseconds)
