"""Metrics of a few events written by hand: edges of days and windows, gaps, ties, other organizations, the deleted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from reports import metrics
from reports.metric_windows import days_between, window
from tests.support.folded_tables import Event, Folded, at
from tests.support.handwritten_events import (
    ADA,
    BEN,
    CLEO,
    DAN,
    DAY,
    EMPTY,
    ORGANIZATION,
    OTHER,
    THINGS,
    ago,
    done,
    entry,
    message,
    profile,
    session,
)
from tests.support.table_rows import database

pytestmark = pytest.mark.slow


@pytest.fixture
def folded(clickhouse: str) -> Iterator[Folded]:
    client = database(clickhouse)
    yield Folded(client)
    client.close()


def test_an_organization_without_anything_has_zeros_and_no_ratios(folded: Folded) -> None:
    folded.say(message(ADA), entry("organization.created", ago(50), organization=EMPTY, name="Nobody yet"))
    folded.reach(at(DAY + timedelta(days=2)))
    reading, week = folded.look(EMPTY), window("1-week", DAY)
    assert {day.value for day in metrics.active_users(reading, week).days} == {
        metrics.Actives(daily=0, weekly=0, monthly=0)
    }
    assert {day.value for day in metrics.seats(reading, week).days} == {metrics.Seats(assigned=0, purchased=None)}
    used = metrics.utilization(reading, week)
    assert [of.value.weekly.percent for of in used.days if of.value] == [None] * 7
    assert [of.value for of in metrics.pending_invites(reading, week).days] == [0] * 7
    assert metrics.chats_started(reading, week).total == 0
    assert metrics.people_with(reading, "project", week).of_active.value is None
    spend = metrics.spend(reading, window("ytd", DAY)).spend
    assert spend is not None
    assert (spend.net_usd, spend.list_usd, spend.unpriced_models) == (0, 0, ())
    assert metrics.spend_by_model(reading, week).models == ()
    assert metrics.top_people_by_spend(reading, week).ranked == 0
    assert metrics.top_connectors(reading, week).ranked == 0
    code = metrics.claude_code(reading, week)
    assert code.about.complete
    assert code.total is not None
    assert (code.total.sessions, code.total.decisions.accept_rate.value) == (0, None)


def test_what_the_tables_do_not_reach_is_a_gap_in_every_metric(folded: Folded) -> None:
    """Although a later event is there already."""
    folded.say(message(ADA), message(ADA, DAY + timedelta(days=3)))
    unreached = days_between(DAY + timedelta(days=2), DAY + timedelta(days=3))
    for reached in (None, at(DAY + timedelta(days=2), "00:00")):
        if reached:
            folded.reach(reached)
        reading = folded.look(ORGANIZATION)
        assert all(answer is None for answer in numbers(reading, unreached)), reached
    assert all(answer is not None for answer in numbers(reading, window("1-week", DAY)))
    days = metrics.active_users(reading, days_between(DAY, DAY + timedelta(days=2))).days
    assert [(of.value and of.value.daily, of.complete) for of in days] == [(1, True), (0, False), (None, False)]


def numbers(reading: metrics.QueryContext, asked: Any) -> Iterator[Any]:
    """The number of every metric for the window, its last day's where it has one a day."""
    for series in (
        metrics.active_users,
        metrics.seats,
        metrics.pending_invites,
        metrics.utilization,
        metrics.stickiness,
    ):
        yield series(reading, asked).days[-1].value
    made = (metrics.chats_started, metrics.projects_created, metrics.artifacts_created, metrics.claude_code)
    for totals in made:
        answer = totals(reading, asked)
        yield from (answer.total, answer.days[-1].value)
    yield from (metrics.active_people(reading, asked).people, metrics.token_users(reading, asked).people)
    life = metrics.lifecycle(reading, asked)
    yield from (life.new, life.returning, life.resurrected, life.dormant)
    yield from (metrics.active_days(reading, asked).people, metrics.retention(reading, asked.last, 2).cohorts)
    for thing in ("chat", "project", "artifact"):
        share = metrics.people_with(reading, thing, asked)
        yield from (share.of_seats.numerator, share.of_seats.denominator, share.of_active.denominator)
    rankings = (
        *(metrics.top_people_by_projects_used, metrics.top_people_by_artifacts_made),
        *(metrics.top_people_by_claude_code, metrics.top_connectors, metrics.top_people_by_spend),
    )
    for ranking in rankings:
        yield ranking(reading, asked).ranked
    yield from (metrics.spend(reading, asked).spend, metrics.spend_by_model(reading, asked).models)


def test_seats_and_invites_are_those_at_the_end_of_the_day(folded: Folded) -> None:
    folded.say(
        entry("seats.purchased", ago(3), "09:00", seats=5),
        entry("seat.assigned", ago(3), account_id=ADA),
        entry("seat.assigned", ago(3), account_id=BEN),
        entry("seat.unassigned", ago(2), "23:59:59.999999", account_id=BEN),
        entry("seat.assigned", ago(1), "00:00", account_id=CLEO),
        entry("seat.assigned", ago(1), "08:00", account_id=BEN),
        entry("seat.unassigned", ago(1), "08:00", account_id=BEN),
        entry("seats.purchased", ago(1), "10:00", seats=9),
        entry("seats.purchased", ago(1), "11:00", seats=4),
        entry("member.removed", DAY, account_id=ADA),
        entry("seat.assigned", DAY, organization=OTHER, account_id=DAN),
        entry("invite.sent", ago(3), invite_id=THINGS[0]),
        entry("invite.sent", ago(3), invite_id=THINGS[1]),
        entry("invite.closed", ago(1), invite_id=THINGS[0], outcome="expired"),
        entry("invite.sent", DAY, "13:00", invite_id=THINGS[0]),
        entry("invite.closed", DAY, "12:00", invite_id=THINGS[1], outcome="accepted"),
        *(message(person) for person in (ADA, BEN)),
    )
    folded.reach(at(DAY + timedelta(days=2)))
    reading, days = folded.look(ORGANIZATION), days_between(ago(4), DAY)
    held = [(of.value.assigned, of.value.purchased) for of in metrics.seats(reading, days).days if of.value]
    assert held == [(0, None), (2, 5), (1, 5), (2, 4), (1, 4)]
    assert [of.value for of in metrics.pending_invites(reading, days).days] == [0, 2, 2, 1, 1]
    used = metrics.utilization(reading, days).days[-1].value
    assert used is not None
    assert (used.weekly.percent, used.purchased_seats) == (200.0, 4)
    share = metrics.people_with(reading, "chat", window("1-week", DAY))
    assert (share.of_seats.percent, share.of_active.percent) == (200.0, 100.0)


def test_a_total_is_distinct_over_its_window(folded: Folded) -> None:
    started: dict[str, Any] = {"product": "chat", "conversation_id": THINGS[3]}
    folded.say(
        done("chat.started", ADA, ago(1), **started),
        done("chat.started", BEN, DAY, **started),
        done("chat.started", ADA, DAY, product="chat", conversation_id=THINGS[4]),
        session(ADA, ago(1), tool_uses=1, lines_added=3),
        session(ADA, DAY, commits=1, lines_added=4, edit_accepted=2, write_rejected=1, notebook_edit_accepted=1),
        session(BEN, DAY, THINGS[1], messages=5),
        session(DAN, DAY, THINGS[2], lines_added=100, machine=True),
        session(CLEO, DAY, THINGS[5], product="cowork", tool_uses=1),
    )
    folded.reach(at(DAY + timedelta(days=2)))
    reading, days = folded.look(ORGANIZATION), days_between(ago(1), DAY)
    chats = metrics.chats_started(reading, days)
    assert (chats.total, [of.value for of in chats.days]) == (2, [1, 2])
    code = metrics.claude_code(reading, days)
    assert code.total is not None
    assert (code.total.sessions, code.total.people, code.total.lines_accepted, code.total.commits) == (3, 1, 107, 1)
    assert [of.value.sessions for of in code.days if of.value] == [1, 3]
    assert code.total.decisions.accept_rate.value == 0.75
    top = metrics.top_people_by_claude_code(reading, days)
    assert [(of.person.account_id, of.value.lines_accepted) for of in top.leaders] == [(ADA, 7)]
    by_sessions = metrics.top_people_by_claude_code(reading, days, "sessions")
    assert [of.person.account_id for of in by_sessions.leaders] == [ADA, BEN]


def test_ties_go_by_account_id_and_the_deleted_stay_without_a_name(folded: Folded) -> None:
    people = (ADA, BEN, CLEO, DAN)
    folded.say(
        *(profile(person, name) for person, name in zip(people[:3], ("Ada", "Ben", "Cleo"), strict=True)),
        *(done("project.used", person, project_id=THINGS[1]) for person in reversed(people)),
        *(done("project.used", person, ago(1), project_id=THINGS[2]) for person in (CLEO, BEN)),
        done("project.used", BEN, ago(2), project_id=THINGS[2]),
        *(done("project.used", ADA, organization=OTHER, project_id=thing) for thing in THINGS[5:9]),
        entry("account.deleted", account_id=BEN),
        entry("tombstone", account_id=CLEO),
        entry("account.deleted", organization=OTHER, account_id=ADA),
    )
    folded.reach(at(DAY + timedelta(days=2)))
    reading, month = folded.look(ORGANIZATION), window("mtd", DAY)
    found = metrics.top_people_by_projects_used(reading, month)
    assert [(of.rank, of.person.account_id, of.value) for of in found.leaders] == [
        *((1, BEN, 2), (2, CLEO, 2), (3, ADA, 1), (4, DAN, 1)),
    ]
    named = [(of.person.name, of.person.email, of.person.deleted) for of in found.leaders]
    gone = ("Deleted user", None, True)
    assert named == [gone, gone, ("Ada", "ada@example.com", False), (None, None, False)]
    first_two = metrics.top_people_by_projects_used(reading, month, limit=2)
    assert (first_two.ranked, len(first_two.leaders)) == (4, 2)


def test_connectors_rank_by_people_then_calls_then_name(folded: Folded) -> None:
    def call(person: str, name: str, access: str = "read", **fields: Any) -> Event:
        return done("connector.called", person, name=name, access=access, **fields)

    folded.say(
        *(call(person, "Atlassian MCP server") for person in (ADA, BEN)),
        call(ADA, "mcp-atlassian", "write"),
        *(call(CLEO, name) for name in ("zeta", "beta")),
        *(call(DAN, "drive", "unclassified", machine=True) for _ in range(9)),
        *(call(DAN, "elsewhere", organization=OTHER) for _ in range(9)),
        entry("connector.saved", name="atlassian", display_name="Atlassian"),
    )
    folded.reach(at(DAY + timedelta(days=2)))
    found = metrics.top_connectors(folded.look(ORGANIZATION), window("1-day", DAY))
    assert [(of.name, of.display_name, of.people, of.calls) for of in found.connectors] == [
        *(("atlassian", "Atlassian", 2, 3), ("beta", None, 1, 1), ("zeta", None, 1, 1), ("drive", None, 0, 9)),
    ]
    first = found.connectors[0]
    assert (first.read_calls, first.write_calls, first.unclassified_calls, found.ranked) == (2, 1, 0, 4)


def test_nobody_sees_another_organization(folded: Folded) -> None:
    """The same people and things in two: what one did in the other is in no number."""
    shared = (
        *(message(ADA, clock=clock) for clock in ("10:00", "11:00")),
        done("chat.started", ADA, product="chat", conversation_id=THINGS[0]),
        done("project.created", ADA, project_id=THINGS[1]),
        done("project.used", ADA, project_id=THINGS[1]),
        done("artifact.created", ADA, artifact_id=THINGS[2], artifact_type="text/html"),
        done("connector.called", ADA, name="drive"),
        session(ADA, commits=1, lines_added=3),
        done("token.used", ADA, request_id="r", model="claude-none", funding="usage_based", output_tokens=4),
        entry("seat.assigned", account_id=ADA),
        entry("invite.sent", invite_id=THINGS[3]),
    )
    folded.say(*shared)
    folded.reach(at(DAY + timedelta(days=2)))
    alone = list(numbers(folded.look(ORGANIZATION), window("1-week", DAY)))
    empty = list(numbers(folded.look(OTHER), window("1-week", DAY)))
    folded.say(*(event | {"organization_id": OTHER} for event in shared * 2))
    assert list(numbers(folded.look(ORGANIZATION), window("1-week", DAY))) == alone
    assert list(numbers(folded.look(OTHER), window("1-week", DAY))) != empty
