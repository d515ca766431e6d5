"""Who sees what: every role of every plan at every route of the route table, and how fast a change takes hold."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from access.keys import READ_ACTIVITY, create_key
from access.roles import read_person
from access.sessions import Identity
from api.app import make_app
from api.auth.guards import require_spend
from api.schemas.common import without_spend
from api.usage.endpoints import REPORTS
from intake.ndjson import ProducerRecord
from simulation import Plan
from tests.support.api_server import PREFIX, Served, context_of, serve
from tests.support.people import EVERYBODY, Someone, event, people_events, somebody
from tests.support.route_table import days_of, handlers, may_tell_spend, money_in
from tests.support.sign_in import browser, holder_of, link_for, use
from tests.support.simulated_world import NOW, UNTIL, World, fold_lines, line_of, make_world

PATH = f"{PREFIX}/summaries?starting_date=2026-11-18"
USAGE = {f"{PREFIX}/{report.name}" for report in REPORTS if not report.priced}
"""Reports that on a seat-based plan tell of extra usage alone, which is a bill."""


@pytest.fixture(scope="module")
def own(clickhouse: str) -> World:
    """A world whose directory a test may change."""
    plan = Plan(until=UNTIL, seed=6, organizations=1, users=3, days=3)
    return make_world(clickhouse, f"roles_{uuid4().hex}", plan, lambda _: people_events())


def routes_of(world: World) -> Iterator[tuple[str, bool]]:
    """Every route of an organization, and whether it is about spend alone."""
    for path, handler in handlers(make_app(context_of(world)).app):
        yield path, require_spend in handler.resolve_guards()


@pytest.mark.parametrize("one", EVERYBODY, ids=lambda one: f"{one.plan or 'no plan'} {one.role or 'removed'}")
def test_a_role_sees_what_the_article_says(served: Served, world: World, one: Someone) -> None:
    client = world.client()
    person = read_person(client, one.organization, one.account, NOW)
    client.close()
    assert (person.can_read, person.can_read_spend) == (one.sees != "", one.sees == "all")
    if not one.sees:
        refused = use(served, link_for(world, holder_of(one)))
        assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
        roles = {"team": "primary owner and owner", "": "no plan"}.get(one.plan, "primary owner and owner and admin")
        assert roles in refused.text
        return
    signed_in = browser(world, served, holder_of(one))
    for path, is_spend in routes_of(world):
        answer = signed_in.get(path, params=days_of(path))
        is_spend |= path in USAGE and one.plan == "enterprise_seat_based"
        assert answer.status_code == (403 if is_spend and one.sees != "all" else 200), path
        if one.sees != "all":
            assert money_in(answer.json()) == [], path


def test_money_would_be_noticed_and_is_taken_away() -> None:
    row = {"data": [{"skill_name": "x", "currency": None, "more": [{"net_spend_usd": "0"}]}], "total_cost": 1}
    assert money_in(row) == ["total_cost", "data.more.net_spend_usd"]


def test_a_key_without_spend_sees_the_same_without_money(served: Served, world: World, organization: str) -> None:
    client = world.client()
    _, text = create_key(client, organization, "blind", NOW, None, scopes=(READ_ACTIVITY,))
    client.close()
    on_seats = served.get(f"{PREFIX}/usage", text, **days_of("usage")).status_code == 403
    for path, is_guarded in routes_of(world):
        answer = served.get(path, text, **days_of(path))
        is_spend = is_guarded or (on_seats and path in USAGE)
        assert answer.status_code == (403 if is_spend else 200), path
        assert money_in(answer.json()) == [], path
        for order in ("estimated_overage_spend", "attributed_list_price"):
            refused = served.get(path, text, order_by=order, **days_of(path))
            assert refused.status_code == (403 if is_guarded else 400), "what is no order is none on seats either"
            assert order not in refused.text.partition("Allowed")[2]


def test_every_field_of_a_list_that_sounds_like_money_is_hidden() -> None:
    from api.engagement.routes import LISTS

    for endpoint in LISTS:
        kind: Any = endpoint.row.__annotations__["return"]
        row = kind(**dict.fromkeys(kind.__struct_fields__, "1"))
        assert money_in({name: getattr(without_spend(row), name) for name in kind.__struct_fields__}) == []


def test_every_route_about_spend_has_its_guard_and_its_opt(world: World) -> None:
    for path, handler in handlers(make_app(context_of(world)).app):
        if may_tell_spend(handler) or require_spend in handler.resolve_guards():
            assert handler.opt.get("exposes_spend") is True, path


def change(world: World, organization: str, kind: str, at: str = "2026-11-20T11:59:00Z", **fields: Any) -> None:
    """One more event of the directory, folded as a worker folds it."""
    made = event(organization, kind, "00:00", event_id=str(uuid4()), **fields)
    fold(world, line_of(made | {"occurred_at": at}))


def fold(world: World, line: ProducerRecord) -> None:
    client = world.client()
    fold_lines(client, world, [line], start=1_000_000 + len(world.events))
    client.close()


def test_a_change_of_role_takes_hold_at_once(own: World) -> None:
    one = somebody("enterprise_seat_based", "owner")
    who = {"organization": one.organization, "account_id": one.account}
    with serve(context_of(own)) as served:
        signed_in = browser(own, served, holder_of(one))
        sees: list[Any] = []
        for step in (
            {},
            {"kind": "role.changed", "role": "admin"},
            {"kind": "role.changed", "role": "member", "at": "2026-11-20T11:59:01Z"},
            {"kind": "role.changed", "role": "owner", "at": "2026-11-20T12:04:00Z"},
            {"kind": "member.removed", "at": "2026-11-20T12:04:00Z"},
            {"kind": "role.changed", "role": "owner", "at": "2026-11-20T12:04:30Z"},
            {"kind": "member.joined", "role": "owner", "at": "2026-11-20T12:04:40Z"},
            {"kind": "account.deleted", "at": "2026-11-20T12:04:50Z"},
        ):
            if step:
                change(own, **who, **step)
            client = own.client()
            member = read_person(client, one.organization, one.account, NOW)
            sees.append((signed_in.get(PATH).status_code, member.can_read_spend))
            client.close()
    assert sees == [
        *((200, True), (200, False), (403, False), (200, True)),
        *((403, False), (403, False), (200, True), (403, False)),
    ]


def test_a_forgotten_person_is_out(own: World) -> None:
    one = somebody("enterprise_seat_based", "primary_owner")
    with serve(context_of(own)) as served:
        signed_in = browser(own, served, holder_of(one))
        assert signed_in.get(PATH).status_code == 200
        fold(own, ProducerRecord("tally.profiles", one.account.encode(), None, "2026-11-20T11:00:00Z"))
        assert signed_in.get(PATH).status_code == 403


def test_a_plan_counts_from_its_hour_on(own: World) -> None:
    one = somebody("team", "admin")
    own_client = own.client()

    def may_look() -> bool:
        return read_person(own_client, one.organization, one.account, NOW).can_read

    seen = [may_look()]
    for hour in ("2026-11-21T00:00:00Z", "2026-11-20T12:00:00Z"):
        change(own, one.organization, "plan.changed", plan="enterprise_usage_based", effective_from=hour)
        seen.append(may_look())
    own_client.close()
    assert seen == [False, False, True]


def test_operators_see_the_pipeline_and_nobody_else_does(served: Served, world: World, organization: str) -> None:
    operator = browser(world, served, Identity(operator="kim"))
    owner = browser(world, served, holder_of(somebody("team", "owner")))
    paths = [path for path, _ in handlers(make_app(context_of(world)).app, of_operators=True)]
    assert paths == ["/operator/pipeline"]
    for path in paths:
        assert operator.get(path).status_code == 200
        assert owner.get(path).status_code == 403
        assert served.get(path, served.keys[organization]).status_code == 403
        assert served.get(path).status_code == 401
    for path, _ in routes_of(world):
        assert operator.get(path, params=days_of(path)).status_code == 403


def test_a_person_of_one_organization_is_nobody_in_another(served: Served, world: World) -> None:
    one, other = somebody("team", "owner"), somebody("enterprise_usage_based", "owner")
    client = world.client()
    assert not read_person(client, other.organization, one.account, NOW).can_read
    client.close()
    signed_in = browser(world, served, holder_of(one))
    for path, _ in routes_of(world):
        body = signed_in.get(path, params=days_of(path)).text
        assert one.organization in body
        assert [mark for mark in (other.organization, other.account, other.email) if mark in json.dumps(body)] == []
