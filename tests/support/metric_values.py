"""Metrics as reports/metrics gives them beside the recount's: the same plain form, one name for each."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from reports import metrics
from reports.metric_windows import days_between, window
from reports.metrics import ClaudeCode, Leaders, PeopleCount, QueryContext, Spend
from tests.reference.metric_rules import first_day
from tests.reference.metrics import Recount

Pair = tuple[str, Any, Any]
"""(what, found, expected)"""

MORE_PRODUCTS = (("chat",), ("claude_code",), ("cowork",), ("office_agent",), ("science",), ("chat", "cowork"))
MADE = (
    ("chats started", metrics.chats_started, "chat.started", "conversation_id"),
    ("projects created", metrics.projects_created, "project.created", "project_id"),
    ("artifacts created", metrics.artifacts_created, "artifact.created", "artifact_id"),
)
TOP = (
    ("top by projects used", metrics.top_people_by_projects_used, "project.used", "project_id"),
    ("top by artifacts made", metrics.top_people_by_artifacts_made, "artifact.created", "artifact_id"),
)
CODE_RANKS: tuple[tuple[metrics.RankedBy, int], ...] = (
    *(("sessions", 1), ("lines_accepted", 2), ("commits", 4), ("pull_requests", 5)),
)


def differing(
    reading: QueryContext, recount: Recount, first: date, last: date, kinds: Sequence[str] = ("1-week",)
) -> set[str]:
    """The names of what differs: series over [first, last], windows of these kinds that end with last."""
    return {what for what, found, expected in everything(reading, recount, first, last, kinds) if found != expected}


def everything(
    reading: QueryContext, recount: Recount, first: date, last: date, kinds: Sequence[str]
) -> Iterator[Pair]:
    yield from of_days(reading, recount, first, last)
    cohorts = metrics.retention(reading, last, 9).cohorts or ()
    yield "retention", [list(cohort.active) for cohort in cohorts], recount.retention(last, 9)
    for kind in kinds:
        for what, found, expected in of_window(reading, recount, kind, last):
            yield f"{what} {kind}", found, expected


def of_days(reading: QueryContext, recount: Recount, first: date, last: date) -> Iterator[Pair]:
    """The daily series."""
    days = [date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)]
    asked = days_between(first, last)
    for products in (metrics.ACTIVITY_PRODUCTS, *MORE_PRODUCTS):
        found = values(metrics.active_users(reading, asked, products))
        for width, name in ((1, "daily"), (7, "weekly"), (30, "monthly")):
            expected = [recount.count_active(back(day, width), day, products) for day in days]
            yield f"active users {name} {products}", [getattr(value, name) for value in found], expected
    held = [recount.seats(day) for day in days]
    yield "seats", [(of.assigned, of.purchased) for of in values(metrics.seats(reading, asked))], held
    weekly = [(recount.count_active(back(day, 7), day), seats) for day, (seats, _) in zip(days, held, strict=True)]
    used = values(metrics.utilization(reading, asked))
    sticky = [(recount.count_active(day, day), recount.count_active(back(day, 30), day)) for day in days]
    found_sticky = values(metrics.stickiness(reading, asked))
    yield "stickiness", [(of.numerator, of.denominator) for of in found_sticky], sticky
    yield "utilization", [(of.weekly.numerator, of.weekly.denominator) for of in used], weekly
    pending = [recount.pending(day) for day in days]
    yield "pending invites", values(metrics.pending_invites(reading, asked)), pending
    for what, function, type_, field in MADE:
        made = [recount.made(day, day, type_, field) for day in days]
        yield f"{what} a day", values(function(reading, asked)), made
    code = [recount.code(day, day) for day in days]
    yield "claude code a day", [columns(of) for of in values(metrics.claude_code(reading, asked))], code


def of_window(reading: QueryContext, recount: Recount, kind: str, last: date) -> Iterator[Pair]:
    """What belongs to one window."""
    asked, first = window(kind, last), first_day(kind, last)
    yield "window", (asked.first, asked.last), (first, last)
    active = recount.active(first, last)
    yield "active people", plain_people(metrics.active_people(reading, asked, listed=True)), active
    used = plain_people(metrics.token_users(reading, asked, listed=True))
    yield "token users", used, recount.with_tokens(first, last)
    yield "active days", metrics.active_days(reading, asked).people, recount.active_days(first, last)
    life = metrics.lifecycle(reading, asked)
    phases = (life.new, life.returning, life.resurrected, life.dormant)
    yield "lifecycle", phases, recount.lifecycle(first, last)
    yield "connectors", plain_connectors(reading, kind, last), recount.connectors(first, last)
    for what, function, type_, field in MADE:
        yield what, function(reading, asked).total, recount.made(first, last, type_, field)
    for what, ranking, type_, field in TOP:
        yield what, plain_leaders(ranking(reading, asked)), recount.top(first, last, type_, field)
    yield from shares(reading, recount, kind, last)
    yield "claude code", columns(metrics.claude_code(reading, asked).total), recount.code(first, last)
    for ranked_by, place in CODE_RANKS:
        found = metrics.top_people_by_claude_code(reading, asked, ranked_by)
        yield f"top by {ranked_by}", plain_leaders(found, place), recount.top_coders(first, last, place)
    yield from spending(reading, recount, kind, last)


def shares(reading: QueryContext, recount: Recount, kind: str, last: date) -> Iterator[Pair]:
    """People with a chat, a project and an artifact."""
    first = first_day(kind, last)
    seats, active = recount.seats(last)[0], len(recount.active(first, last))
    things: dict[metrics.Thing, set[str]] = {
        "chat": recount.with_chat(first, last),
        "project": recount.with_project(first, last),
        "artifact": recount.with_artifact(first, last),
    }
    for thing, who in things.items():
        share = metrics.people_with(reading, thing, window(kind, last), listed=True)
        found = (share.of_seats.numerator, share.of_seats.denominator, share.of_active.denominator)
        yield f"people with {thing}", found, (len(who), seats, active)
        yield f"people with {thing}, listed", share.account_ids, tuple(sorted(who))


def spending(reading: QueryContext, recount: Recount, kind: str, last: date) -> Iterator[Pair]:
    """Spend: in all, by model and by person."""
    asked, first = window(kind, last), first_day(kind, last)
    whole, by_model = metrics.spend(reading, asked), metrics.spend_by_model(reading, asked)
    leaders = metrics.top_people_by_spend(reading, asked)
    reported = recount.has_spend(first, last)
    yield "spend reported", {whole.reported, by_model.reported, leaders.reported}, {reported}
    nothing = (0, 0, 0, 0, 0, ())
    total = recount.spend(first, last, lambda used: "").get("", nothing)
    yield "spend", whole.spend and plain_spend(whole.spend), total if reported else None
    coding = metrics.spend_in_products(reading, asked, ["claude_code"]).spend
    of_product = recount.spend(first, last, lambda used: used.product).get("claude_code", nothing)
    yield "spend in claude code", coding and plain_spend(coding), of_product if reported else None
    models = [(of.model, plain_spend(of.spend)) for of in by_model.models or ()]
    expected = recount.spend(first, last, lambda used: used.model)
    order = sorted(expected.items(), key=lambda row: (bool(row[1][5]), -row[1][3], row[0]))
    yield "spend by model", models, order
    people = recount.spend(first, last, lambda used: used.person)
    people.pop("", None)
    top = sorted(people.items(), key=lambda row: (-row[1][3], row[0]))[:10]
    yield "top by spend", [(of.person.account_id, plain_spend(of.value)) for of in leaders.leaders], top
    yield "people ranked by spend", leaders.ranked, len(people) if reported else None
    named = [(of.person.name, of.person.email, of.person.deleted) for of in leaders.leaders]
    yield "names", named, [recount.name(account) for account, _ in top]


# -- plain forms ------------------------------------------------------------------------------------------------


def back(day: date, width: int) -> date:
    return date.fromordinal(day.toordinal() - width + 1)


def values(answer: Any) -> list[Any]:
    assert all(each.value is not None for each in answer.days)
    return [each.value for each in answer.days]


def columns(code: ClaudeCode | None) -> tuple[int, ...]:
    assert code is not None
    tools = (code.edit, code.multi_edit, code.write, code.notebook_edit)
    decisions = [count for tool in tools for count in (tool.accepted, tool.rejected)]
    own = (code.people, code.sessions, code.lines_accepted, code.lines_removed, code.commits, code.pull_requests)
    return (*own, *decisions)


def plain_people(found: PeopleCount) -> set[str]:
    assert found.account_ids is not None
    assert found.people == len(found.account_ids), "the number is that of its list"
    assert list(found.account_ids) == sorted(found.account_ids)
    return set(found.account_ids)


def plain_connectors(reading: QueryContext, kind: str, last: date) -> list[tuple[Any, ...]]:
    return [
        (of.name, of.people, of.calls, of.read_calls, of.write_calls, of.unclassified_calls)
        for of in metrics.top_connectors(reading, window(kind, last)).connectors
    ]


def plain_leaders(found: Leaders[Any], place: int | None = None) -> list[tuple[str, int]]:
    assert [leader.rank for leader in found.leaders] == list(range(1, len(found.leaders) + 1))
    assert (found.ranked or 0) >= len(found.leaders)
    return [
        (leader.person.account_id, leader.value if place is None else columns(leader.value)[place])
        for leader in found.leaders
    ]


def plain_spend(spend: Spend) -> tuple[Any, ...]:
    counts = (spend.requests, spend.prompt_tokens, spend.completion_tokens)
    return (*counts, spend.priced_net_usd, spend.priced_list_usd, spend.unpriced_models)
