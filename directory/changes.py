"""The events that turn the directory as it is into what an operator wants. What is so already needs no event, so a
command that is repeated sends nothing once its events are folded; before that, it sends events that change nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import orjson
from msgspec import structs, to_builtins

from directory.errors import ConflictingMembers, DuplicateName
from directory.present import Directory, Person
from directory.texts import same_text
from tally_client.derived_ids import account_of_email, derived_id, normal_email
from tally_client.events import Event
from tally_client.events.directory import (
    DiscountChanged,
    ExtraUsageChanged,
    GroupJoined,
    GroupLeft,
    GroupSaved,
    MemberJoined,
    MemberRemoved,
    OrganizationCreated,
    Plan,
    PlanChanged,
    ProfileUpdated,
    Role,
    RoleChanged,
    SeatAssigned,
    SeatsPurchased,
    SeatUnassigned,
)
from tally_client.events.envelope import NIL

E = TypeVar("E", bound=Event)
Wanted = Callable[[Directory, datetime], list[Event]]
"""From the directory and the time of the change to the events that are missing; none if everything is so already."""


@dataclass(frozen=True)
class Terms:
    """The terms of an organization, as far as they are to change. `since` is a whole UTC hour; seats change at once."""

    since: datetime
    plan: Plan | None = None
    discount: str | None = None
    extra_usage: bool | None = None
    seats: int | None = None


@dataclass(frozen=True)
class MemberWanted:
    """Everything that is to be so about one person, who is named by e-mail, by account or by both.

    None leaves a thing as it is; a new member is a `member` without a seat then. `groups` are names; with
    `groups_only`, the person leaves all others. `place` is where it was written, for errors.
    """

    email: str = ""
    account_id: str = ""
    name: str | None = None
    role: Role | None = None
    seat: bool | None = None
    groups: tuple[str, ...] | None = None
    groups_only: bool = False
    place: str = ""


def organization_id_of(name: str) -> str:
    """Return the id of an organization that is created without one: a repeated command means the same organization."""
    return derived_id("organization", same_text(name))


def group_id_of(organization_id: str, name: str) -> str:
    """Return the id of a group that is created by its name."""
    return derived_id("group", organization_id, same_text(name))


def event_of(kind: type[E], directory: Directory, at: datetime, **fields: Any) -> E:
    """Return an event whose id follows from everything else that it contains."""
    event = kind(event_id=NIL, occurred_at=at, organization_id=directory.organization_id, **fields)
    content = orjson.dumps(to_builtins(event), option=orjson.OPT_SORT_KEYS)
    return structs.replace(event, event_id=derived_id("event", content.decode()))


def name_changes(directory: Directory, at: datetime, name: str) -> list[Event]:
    """Return the event that gives the organization this name."""
    return [] if directory.name == name else [event_of(OrganizationCreated, directory, at, name=name)]


def terms_changes(directory: Directory, at: datetime, terms: Terms) -> list[Event]:
    """Return the events after which these terms are in force from their hour, and the seats from now, on."""
    events: list[Event] = []
    since = terms.since
    if terms.plan is not None and directory.in_force("plan.changed", since) != terms.plan:
        events.append(event_of(PlanChanged, directory, at, effective_from=since, plan=terms.plan))
    discount = Decimal(directory.in_force("discount.changed", since) or 0)
    if terms.discount is not None and discount != Decimal(terms.discount):
        events.append(event_of(DiscountChanged, directory, at, effective_from=since, discount=terms.discount))
    is_on = directory.in_force("extra_usage.changed", since) == "on"
    if terms.extra_usage is not None and is_on != terms.extra_usage:
        events.append(event_of(ExtraUsageChanged, directory, at, effective_from=since, enabled=terms.extra_usage))
    if terms.seats is not None and directory.in_force("seats.purchased", at) != str(terms.seats):
        events.append(event_of(SeatsPurchased, directory, at, seats=terms.seats))
    return events


def members_changes(directory: Directory, at: datetime, wanted: Sequence[MemberWanted]) -> list[Event]:
    """Return the events after which everything about these people is so; groups that do not exist are created first.

    Raises ConflictingMembers if two of them are one account, or if an e-mail would belong to two members.
    """
    names = {same_text(name): name for each in reversed(wanted) for name in reversed(each.groups or ())}
    group_ids = {key: _group_id(directory, name) for key, name in reversed(names.items())}
    events: list[Event] = [
        event_of(GroupSaved, directory, at, group_id=group_id, name=names[key])
        for key, group_id in group_ids.items()
        if group_id not in directory.groups
    ]
    by_email = people_by_email(directory)
    places: dict[str, str] = {}
    for each in wanted:
        account = account_of(directory, by_email, each)
        if account in places:
            raise ConflictingMembers(f"{places[account]} and {each.place} are both about account {account}")
        places[account] = each.place or each.email
        person = directory.people.get(account, Person(account))
        groups = None if each.groups is None else {group_ids[same_text(name)] for name in each.groups}
        events += _member_changes(directory, at, person, each, groups)
    return events


def removals(directory: Directory, at: datetime, accounts: Iterable[str]) -> list[Event]:
    """Return the events that end these people's membership."""
    members = [account for account in accounts if directory.people.get(account, Person("")).is_member]
    return [event_of(MemberRemoved, directory, at, account_id=account) for account in members]


def people_by_email(directory: Directory) -> dict[str, list[Person]]:
    """Return the people of each e-mail address in its normal form: the members, or the others if none is a member."""
    found: dict[str, list[Person]] = {}
    for person in directory.people.values():
        if person.email:
            found.setdefault(normal_email(person.email), []).append(person)
    return {email: [each for each in people if each.is_member] or people for email, people in found.items()}


def account_of(directory: Directory, by_email: dict[str, list[Person]], wanted: MemberWanted) -> str:
    """Return the account: the one that is named, else that of a known person with the e-mail, else the derived one."""
    if not wanted.email:
        return wanted.account_id
    found = by_email.get(wanted.email, [])
    where = f"{wanted.place}: " if wanted.place else ""
    others = [each.account_id for each in found if each.is_member and each.account_id != wanted.account_id]
    if wanted.account_id and others:
        message = f"{where}the e-mail {wanted.email} is that of account {others[0]}, not of {wanted.account_id}"
        raise ConflictingMembers(message, "Two members cannot have one e-mail: remove one of them, or correct the id.")
    derived = account_of_email(directory.organization_id, wanted.email)
    known = [each.account_id for each in found]
    if wanted.account_id or not found or derived in known:
        return wanted.account_id or derived
    if len(known) > 1:
        message = f"{where}{len(known)} accounts have the e-mail {wanted.email}: {', '.join(known)}"
        raise ConflictingMembers(message, "Name one of them by its account id.")
    return known[0]


def _group_id(directory: Directory, name: str) -> str:
    """Return the id that the group with this name has, or will have. Raises DuplicateName if several have the name."""
    ids = [group_id for group_id, existing in directory.groups.items() if same_text(existing) == same_text(name)]
    if len(ids) > 1:
        message = f"{len(ids)} groups are named {name}: {', '.join(ids)}"
        raise DuplicateName(message, "Rename or delete one of them.")
    return ids[0] if ids else group_id_of(directory.organization_id, name)


def _member_changes(
    directory: Directory, at: datetime, person: Person, wanted: MemberWanted, groups: set[str] | None
) -> list[Event]:
    def event(kind: type[E], **fields: Any) -> E:
        return event_of(kind, directory, at, account_id=person.account_id, **fields)

    events: list[Event] = []
    if not person.is_member:
        events.append(event(MemberJoined, role=wanted.role or "member"))
    elif wanted.role and wanted.role != person.role:
        events.append(event(RoleChanged, role=wanted.role))
    is_same = not wanted.email or normal_email(person.email) == wanted.email
    email, name = person.email if is_same else wanted.email, person.name if wanted.name is None else wanted.name
    if (email, name) != (person.email, person.name):
        events.append(event(ProfileUpdated, email=email, name=name))
    if wanted.seat is not None and wanted.seat != person.seat:
        events.append(event(SeatAssigned if wanted.seat else SeatUnassigned))
    held = person.groups if person.is_member else frozenset()
    joined = sorted((groups or set()) - held)
    left = sorted(held - groups) if groups is not None and wanted.groups_only else []
    events += [event(GroupJoined, group_id=group_id) for group_id in joined]
    events += [event(GroupLeft, group_id=group_id) for group_id in left]
    return events
