"""What is told of people and organizations, and a recount of what it comes to, sharing no code with folds and views.

It replays the log as one: whatever partition a record is on, its log time says when it came.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.simulation.events import NIL, Record

Answers = dict[tuple[str, ...], str]
"""(what is asked, organization, of whom) to the answer."""


class Told(NamedTuple):
    """One thing that counts. A tombstone is nobody's and has no event_id; of a profile `says` is the e-mail."""

    kind: str
    organization: str
    subject: str
    says: str
    event_id: str
    since: str
    occurred: str
    logged: str


def tombstone(record: Record) -> Told:
    """A record without a value, under the account that it forgets."""
    logged = _text(datetime.fromtimestamp(record.timestamp / 1000, UTC))[:-3]
    return Told("tombstone", NIL, (record.key or b"").decode(), "", "", logged, logged, logged)


def told_of(event: Mapping[str, Any], record: Record) -> Told:
    """A valid event of people."""
    occurred, logged = _text(event["at"]), _text(datetime.fromtimestamp(record.timestamp / 1000, UTC))[:-3]
    since = _text(datetime.fromisoformat(event["effective_from"])) if "effective_from" in event else occurred
    says = event.get("email") or event.get("name") or event.get("discount") or ""
    who = event["organization_id"], event.get("account_id", "")
    return Told(event["type"], *who, says, event["event_id"], since, occurred, logged)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


Partitions = Mapping[int, Mapping[int, Told]]
"""Each partition of a topic by its number, and what it tells by offset."""


def answers(profiles: Partitions, directory: Partitions) -> Answers:
    """Who is called what, who has left and how, what organizations are called and what discount they have."""
    changes = _changes(directory)
    found: Answers = {}
    returned: dict[tuple[str, str], str] = {}
    for change in changes:
        organization, who = change.organization, change.subject
        if change.kind == "organization.created":
            found["name", organization] = change.says
        elif change.kind == "discount.changed":
            found["discount", organization, change.since] = change.says
        elif change.kind == "member.joined":
            found.pop(("left", organization, who), "")
            if (organization, who) in returned:  # after a deletion: since when is told by the first time
                returned[organization, who] = returned[organization, who] or change.occurred
        else:
            found["left", organization, who] = change.kind
            if change.kind == "account.deleted":
                returned[organization, who] = ""
    return found | _emails(profiles, found, returned)


def _in_order(partitions: Partitions) -> list[Told]:
    """All of a topic, as the log took it."""
    told = [
        (each.logged, number, offset, each) for number, of_one in partitions.items() for offset, each in of_one.items()
    ]
    return [each for *_, each in sorted(told)]


def _changes(directory: Partitions) -> list[Told]:
    """Each change once, where it came first, in the order in which they hold."""
    first: dict[tuple[str, str, str], Told] = {}
    for told in _in_order(directory):
        first.setdefault((told.organization, told.kind, told.event_id), told)
    return sorted(first.values(), key=lambda told: (told.since, told.occurred))  # stable: ties as they came


def _emails(profiles: Partitions, found: Answers, returned: Mapping[tuple[str, str], str]) -> Answers:
    emails: dict[tuple[str, str], tuple[str, str]] = {}
    forgotten: dict[str, str] = {}
    for told in _in_order(profiles):
        who = told.organization, told.subject
        if told.kind == "tombstone":
            forgotten[told.subject] = told.logged
            for known in [known for known in emails if known[1] == told.subject]:
                del emails[known]
            continue
        since = min(forgotten.get(told.subject, ""), returned.get(who) or "9999")
        if told.occurred >= max(since, emails.get(who, ("", ""))[0]):
            emails[who] = told.occurred, told.says
    gone = {who[1:] for who, how in found.items() if how == "account.deleted"}
    return {("email", *who): email for who, (_, email) in emails.items() if who not in gone}
