"""The rules of the reference model, each with a case worked out by hand. The recounts are tested by their surfaces."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.reference.model.events import Event, once
from tests.reference.model.groups import Groups
from tests.reference.model.money import units, usd
from tests.reference.model.people import DELETED, NOBODY, person
from tests.reference.model.prices import Prices
from tests.reference.model.seats import pending_invites, seat_holders, seats_purchased
from tests.reference.model.terms import Terms, after_discount, changes_of, charges
from tests.reference.model.usage import usage_of

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def event(kind: str, hours: float = 0, **fields: Any) -> Event:
    """Something that happened so many hours after noon."""
    happened = {"occurred_at": (NOON + hours * HOUR).isoformat(), "organization_id": "o"}
    return {"type": kind, "event_id": "e", **happened, **fields}


def change(kind: str, hours: int, decided: int = -99, **value: Any) -> Event:
    """A term in force from so many hours after noon, decided another time."""
    return event(kind, decided, effective_from=(NOON + hours * HOUR).isoformat(), **value)


def request(funding: str = "usage_based", model: str = "claude-opus-4-8", hours: float = 0.5, **fields: Any) -> Event:
    """A request of a million tokens in and out."""
    counts = {"uncached_input_tokens": 1_000_000, "output_tokens": 1_000_000}
    who = {"actor": {"type": "user", "id": "p"}, "funding": funding, "model": model}
    return event("token.used", hours, **who, **counts, **fields)


def paid(request: Event, *terms: Event) -> Decimal | None:
    """What a request costs under these terms; None if it is not charged."""
    found = list(charges([usage_of(request)], Terms(changes_of(terms)), Prices()))
    return usd(found[0].net or 0) if found else None


def test_the_first_of_an_id_counts() -> None:
    first, other = event("chat.message", text="first"), event("chat.started")
    assert once([first, event("chat.message", text="other"), other]) == [first, other]
    assert once([first, event("chat.message", organization_id="q")]) != [first]


def test_of_two_changes_from_one_hour_the_last_decided_applies() -> None:
    late, early = (change("discount.changed", 0, decided, discount=d) for decided, d in ((-1, "0.5"), (-2, "0.25")))
    assert paid(request(), late, early) == paid(request(), early, late) == 15
    assert paid(request(hours=-0.5), late, early) == 30
    again = change("discount.changed", 0, -1, discount="0.1")
    assert paid(request(), late, again) == 27, "at the same time the later in the log"


@pytest.mark.parametrize("plan", ["team", "enterprise_seat_based"])
def test_on_seats_only_extra_usage_is_charged_while_it_is_enabled(plan: str) -> None:
    seats, extra = change("plan.changed", -5, plan=plan), change("extra_usage.changed", 0, enabled=True)
    off = change("extra_usage.changed", 1, enabled=False)
    assert paid(request("seat_allotment"), seats, extra) is paid(request("extra_usage"), seats) is None
    assert paid(request("extra_usage"), seats, extra, off) == 30
    assert paid(request("extra_usage", hours=-0.5), seats, extra) is paid(request("extra_usage", hours=1), seats, off)
    assert paid(request("seat_allotment", hours=-6), seats) == 30, "before the first plan"
    assert paid(request("seat_allotment"), seats, change("plan.changed", 0, plan="enterprise_usage_based")) == 30


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 30),
        ({"model": "claude-opus-4-8-20260528"}, 30),
        ({"service_tier": "batch"}, 15),
        ({"inference_geo": "us"}, 33),
        ({"speed": "fast"}, 60),
        ({"web_search_requests": 3}, Decimal("30.03")),
        ({"model": "claude-unheard-of"}, None),
        ({"model": "claude-haiku-4-5", "speed": "fast"}, None),
        ({"model": "claude-haiku-4-5", "context_window": "200k-1M"}, None),
    ],
)
def test_a_price_is_that_of_the_list(fields: dict[str, Any], expected: Decimal | None) -> None:
    cost = Prices().cost(usage_of(request(**fields)))
    assert (None if cost is None else usd(cost)) == expected


def test_money_has_all_its_digits_or_is_refused() -> None:
    tiny = units(Fraction("1e-18"))
    assert usd(after_discount(tiny, Fraction("0.000001"))) == Decimal("0.000000000000000000999999")
    assert usd(10**30 + 1) == Decimal("1000000.000000000000000000000001")
    with pytest.raises(ValueError, match="more than 24 decimals"):
        units(Fraction("1e-25"))
    with pytest.raises(ValueError, match="not a whole number"):
        after_discount(1, Fraction("0.5"))


def test_a_cost_centre_is_that_of_the_group_joined_first() -> None:
    saved = [event("group.saved", -9, group_id=group, cost_center=center) for group, center in ("aA", "bB", "c-")]
    saved[2]["cost_center"] = None
    joins = [event("group.joined", hours, group_id=g, account_id="p") for g, hours in (("c", -8), ("b", -7), ("a", -6))]
    left = event("group.left", 1, group_id="b", account_id="p")
    groups = Groups([*joins, *saved, left])
    assert [groups.cost_center("p", NOON + hours * HOUR) for hours in (-8, -7, -6, 0.99, 1)] == ["", "B", "B", "B", "A"]
    removed = Groups([*saved, *joins, event("member.removed", 2, account_id="p")])
    assert removed.cost_center("p", NOON + 2 * HOUR) == ""
    assert (removed.on("p", date(2026, 11, 10)), removed.on("p", date(2026, 11, 11))) == ({"a", "b", "c"}, set())


def test_seats_and_invites_are_those_before_the_moment() -> None:
    directory = [
        *(event("seat.assigned", -2, account_id="p"), event("seat.assigned", -2, account_id="q")),
        *(event("member.removed", -1, account_id="p"), event("seats.purchased", 0, seats=9)),
        *(event("invite.sent", -2, invite_id="i"), event("invite.closed", 0, invite_id="i")),
    ]
    assert [seat_holders(directory, NOON + hours * HOUR) for hours in (-2, -1, 0)] == [set(), {"p", "q"}, {"q"}]
    assert [seats_purchased(directory, NOON + hours * HOUR) for hours in (0, 1)] == [None, 9]
    assert [pending_invites(directory, NOON + hours * HOUR) for hours in (0, 1)] == [{"i"}, set()]


def test_a_person_is_who_the_organization_says_until_it_is_deleted_or_forgotten() -> None:
    def shown(*directory: Event, records: list[Event]) -> tuple[str | None, str | None, bool]:
        return person(directory, records, "o", "p")

    def profile(name: str, hours: float, **fields: Any) -> Event:
        return event("profile.updated", hours, account_id="p", name=name, email="p@example.com", **fields)

    old, new, foreign = profile("Old", 0), profile("New", 1), profile("Other", 2, organization_id="q")
    forgotten = {"type": "tombstone", "event_id": "t", "account_id": "p"}
    assert shown(records=[new, old, foreign]) == ("New", "p@example.com", False)
    assert shown(records=[foreign]) == shown(records=[]) == NOBODY
    assert shown(records=[new, forgotten]) == shown(records=[forgotten, foreign]) == DELETED
    assert shown(records=[new, forgotten, old])[0] == "Old", "a profile behind the tombstone"
    deleted, joined = event("account.deleted", 2, account_id="p"), event("member.joined", 3, account_id="p")
    assert shown(deleted, records=[new]) == DELETED
    assert shown(joined, deleted, records=[new])[0] == "New", "who joined again"
