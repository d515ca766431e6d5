"""How an organization is shown a person (docs/events.md, "Records that contradict each other")."""

from collections.abc import Iterable
from typing import NamedTuple

from tests.reference.model.events import Event, in_order


class Person(NamedTuple):
    """A name and an e-mail, as far as they are known."""

    name: str | None
    email: str | None
    is_deleted: bool


NOBODY = Person(None, None, False)
DELETED = Person("Deleted user", None, True)


def person(directory: Iterable[Event], records: Iterable[Event], organization: str, account: str) -> Person:
    """Return a person as the organization's own profiles say, from its directory and the records of `tally.profiles`.

    Who is deleted, or forgotten by a tombstone behind which there is no profile, has no name.
    """
    profile: Event | None = None
    is_forgotten = False
    for record in records:
        if record["account_id"] != account:
            continue
        if record["type"] == "tombstone":
            profile, is_forgotten = None, True
        elif record["organization_id"] == organization:
            profile = in_order(filter(None, (profile, record)))[-1]
    if is_deleted(directory, account) or (is_forgotten and profile is None):
        return DELETED
    return Person(profile["name"] or None, profile["email"], False) if profile else NOBODY


def is_deleted(directory: Iterable[Event], account: str) -> bool:
    """Return whether the account was deleted and has not joined again."""
    types = ("account.deleted", "member.joined")
    told = [event["type"] for event in in_order(directory) if event["type"] in types and event["account_id"] == account]
    return told[-1:] == ["account.deleted"]
