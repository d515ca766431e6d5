"""The events for a wanted directory: what is missing, each once, and none once they are in force."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.changes import (
    MemberWanted,
    Terms,
    Wanted,
    group_id_of,
    members_changes,
    name_changes,
    organization_id_of,
    removals,
    terms_changes,
)
from directory.errors import ConflictingMembers, DuplicateName
from directory.present import Change, Directory, Person
from tally_client.derived_ids import account_of_email
from tally_client.emitter import encode
from tally_client.events import Event

ORGANIZATION = organization_id_of("Acme")
EMPTY = Directory(ORGANIZATION)
AT = datetime(2026, 12, 1, 10, 42, tzinfo=UTC)
HOUR = AT.replace(minute=0)
ADA, BOB = (account_of_email(ORGANIZATION, email) for email in ("ada@x", "bob@x"))
OTHER = "bbbbbbbb-0000-4000-8000-000000000001"


def kinds(events: Sequence[Event]) -> list[str]:
    return [str(event.__struct_config__.tag) for event in events]


def applied(directory: Directory, events: Sequence[Event]) -> Directory:
    """The directory once these events are in force, by rules of its own."""
    people, groups = dict(directory.people), dict(directory.groups)
    terms, name = {kind: list(changes) for kind, changes in directory.terms.items()}, directory.name
    for event in events:
        said: Any = event
        kind = str(event.__struct_config__.tag)
        person = people.get(getattr(event, "account_id", ""), Person(getattr(event, "account_id", "")))
        if kind == "organization.created":
            name = said.name
        elif kind == "group.saved":
            groups[said.group_id] = said.name
        elif kind == "member.removed":
            person = Person(person.account_id, kind, email=person.email, name=person.name)
        elif kind == "member.joined":
            person = replace(person, membership=kind, role=said.role)
        elif kind == "role.changed":
            person = replace(person, role=said.role)
        elif kind == "profile.updated":
            person = replace(person, email=said.email, name=said.name)
        elif kind.startswith("seat."):
            person = replace(person, seat=kind == "seat.assigned")
        elif kind == "group.joined":
            person = replace(person, groups=person.groups | {said.group_id})
        elif kind == "group.left":
            person = replace(person, groups=person.groups - {said.group_id})
        else:
            since = getattr(event, "effective_from", event.occurred_at)
            value = {"plan.changed": "plan", "discount.changed": "discount", "seats.purchased": "seats"}.get(kind)
            text = str(getattr(event, value)) if value else "on" if said.enabled else "off"
            terms[kind] = sorted([*terms.get(kind, []), Change(since, text)], key=lambda change: change.since)
        if person.account_id:
            people[person.account_id] = person
    return Directory(directory.organization_id, name, terms, groups, people)


def settled(directory: Directory, wanted: Wanted) -> Directory:
    """The directory after the wanted events, each of which is valid, and after which none is missing."""
    events = wanted(directory, AT)
    for event in events:
        encode(event, AT)
    assert len({event.event_id for event in events}) == len(events)
    after = applied(directory, events)
    assert kinds(wanted(after, AT)) == []
    return after


def members(*wanted: MemberWanted) -> Wanted:
    return lambda directory, at: members_changes(directory, at, wanted)


def test_ids_follow_from_what_the_events_contain() -> None:
    once, twice = (members(MemberWanted("ada@x"))(EMPTY, AT) for _ in range(2))
    assert [encode(event, AT) for event in once] == [encode(event, AT) for event in twice]
    later = members(MemberWanted("ada@x"))(EMPTY, AT + timedelta(microseconds=1))
    assert {event.event_id for event in once}.isdisjoint(event.event_id for event in later)
    assert organization_id_of(" ACME ") == ORGANIZATION != organization_id_of("Acme 2")


def test_a_name_is_given_once() -> None:
    assert settled(EMPTY, lambda directory, at: name_changes(directory, at, "Acme")).name == "Acme"


def test_terms_change_only_where_they_differ_in_their_hour() -> None:
    def of(**terms: Any) -> Wanted:
        since = terms.pop("since", HOUR)
        return lambda directory, at: terms_changes(directory, at, Terms(since, **terms))

    first = settled(EMPTY, of(plan="team", discount="0.15", extra_usage=True, seats=5))
    assert kinds(of(plan="team", discount="0.150", extra_usage=True, seats=5)(first, AT)) == []
    assert kinds(of(plan="team", since=HOUR - timedelta(hours=1))(first, AT)) == ["plan.changed"]
    assert kinds(of(plan="team", since=HOUR + timedelta(days=90))(first, AT)) == []
    planned = settled(first, of(plan="enterprise_usage_based", since=HOUR + timedelta(days=30)))
    assert kinds(of(plan="team", since=HOUR + timedelta(days=29))(planned, AT)) == []
    assert kinds(of(plan="team", since=HOUR + timedelta(days=31))(planned, AT)) == ["plan.changed"]
    assert kinds(of(discount="0", extra_usage=False)(EMPTY, AT)) == []
    assert kinds(of(seats=0)(EMPTY, AT)) == ["seats.purchased"]


def test_a_new_member_a_known_one_and_one_who_comes_back() -> None:
    new = settled(EMPTY, members(MemberWanted("ada@x", name="Ada", role="owner", seat=True)))
    assert new.people[ADA] == Person(ADA, "member.joined", "owner", True, frozenset(), "ada@x", "Ada")
    assert kinds(members(MemberWanted("ada@x"))(new, AT)) == []
    assert kinds(members(MemberWanted("ada@x", role="admin"))(new, AT)) == ["role.changed"]
    assert kinds(members(MemberWanted("ada@x", name="Ada L."))(new, AT)) == ["profile.updated"]
    spelled = replace(new, people={ADA: replace(new.people[ADA], email="Ada@X")})
    assert settled(spelled, members(MemberWanted("ada@x", name="A."))).people[ADA].email == "Ada@X"
    gone = settled(new, lambda directory, at: removals(directory, at, [ADA]))
    assert kinds(removals(gone, AT, [ADA, BOB])) == []
    back = settled(gone, members(MemberWanted("ada@x")))
    assert back.people[ADA] == Person(ADA, "member.joined", "member", False, frozenset(), "ada@x", "Ada")


def test_a_person_whom_another_service_reported_keeps_the_account() -> None:
    known = replace(EMPTY, people={OTHER: Person(OTHER, email="Ada@X", name="Ada")})
    events = members(MemberWanted("ada@x", role="owner"))(known, AT)
    assert [(kind, event.account_id) for kind, event in zip(kinds(events), events, strict=True)] == [  # type: ignore[attr-defined]
        ("member.joined", OTHER)
    ]
    both = {OTHER: Person(OTHER, email="ada@x"), BOB: Person(BOB, email="ada@x")}
    with pytest.raises(ConflictingMembers, match="2 accounts have the e-mail ada@x"):
        members(MemberWanted("ada@x"))(replace(EMPTY, people=both), AT)
    one = {**both, OTHER: replace(both[OTHER], membership="member.joined", role="member")}
    assert kinds(members(MemberWanted("ada@x"))(replace(EMPTY, people=one), AT)) == []


def test_two_members_never_get_one_address() -> None:
    one = settled(EMPTY, members(MemberWanted("ada@x")))
    with pytest.raises(ConflictingMembers, match=f"m.csv:2: the e-mail ada@x is that of account {ADA}, not of {OTHER}"):
        members(MemberWanted("ada@x", account_id=OTHER, place="m.csv:2"))(one, AT)
    with pytest.raises(ConflictingMembers, match=f"m.csv:2 and m.csv:3 are both about account {ADA}"):
        members(MemberWanted("ada@x", place="m.csv:2"), MemberWanted("new@x", account_id=ADA, place="m.csv:3"))(one, AT)
    moved = settled(one, members(MemberWanted("new@x", account_id=ADA)))
    assert moved.people[ADA].email == "new@x"


def test_groups_are_made_once_joined_and_left() -> None:
    wanted = members(
        MemberWanted("ada@x", groups=("Research", "Core"), groups_only=True),
        MemberWanted("bob@x", groups=("RESEARCH ",), groups_only=True),
    )
    events = wanted(EMPTY, AT)
    assert kinds(events)[:2] == ["group.saved", "group.saved"]
    research, core = (group_id_of(ORGANIZATION, name) for name in ("research", "core"))
    first = settled(EMPTY, wanted)
    assert first.groups == {research: "Research", core: "Core"}
    assert (first.people[ADA].groups, first.people[BOB].groups) == ({research, core}, {research})
    added = settled(first, members(MemberWanted("bob@x", groups=("Core",))))
    assert added.people[BOB].groups == {research, core}
    left = settled(added, members(MemberWanted("bob@x", groups=(), groups_only=True)))
    assert left.people[BOB].groups == frozenset()
    renamed = replace(first, groups={research: "Science", OTHER: "Research"})
    assert settled(renamed, members(MemberWanted("bob@x", groups=("Research",)))).people[BOB].groups == {
        research,
        OTHER,
    }
    with pytest.raises(DuplicateName, match="2 groups are named Research"):
        wanted(replace(EMPTY, groups={OTHER: "Research", ADA: "research"}), AT)


@given(
    st.lists(
        st.lists(
            st.builds(
                MemberWanted,
                email=st.sampled_from(["ada@x", "bob@x", "eve@x"]),
                name=st.sampled_from([None, "A", "B"]),
                role=st.sampled_from([None, "owner", "member"]),
                seat=st.sampled_from([None, True, False]),
                groups=st.sampled_from([None, (), ("G",), ("g", "H")]),
                groups_only=st.booleans(),
            ),
            max_size=3,
            unique_by=lambda each: each.email,
        ),
        max_size=4,
    )
)
def test_whatever_is_wanted_is_so_afterwards(rounds: list[list[MemberWanted]]) -> None:
    directory = EMPTY
    for wanted in rounds:
        directory = settled(directory, members(*wanted))
        for each in wanted:
            person = directory.people[account_of_email(ORGANIZATION, each.email)]
            assert person.is_member
            assert (each.name or person.name, each.role or person.role) == (person.name, person.role)
            assert each.seat in (None, person.seat)
