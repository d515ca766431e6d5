"""Spend metrics: what a plan reports and from when, prices that are missing, discounts, machines, late events."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pricing.price_table import load_prices
from reports import metrics
from reports.metric_windows import window
from reports.metrics import QueryContext
from tests.support.folded_tables import Event, Folded, at
from tests.support.handwritten_events import ADA, BEN, CLEO, DAN, DAY, ORGANIZATION, OTHER, ago, done, entry, profile
from tests.support.table_rows import database

MILLION = 1_000_000
MONTH = window("mtd", DAY)


@pytest.fixture
def folded(clickhouse: str) -> Iterator[Folded]:
    client = database(clickhouse)
    load_prices(client)
    yield Folded(client)
    client.close()


def tokens(person: str, funding: str = "usage_based", day: date = DAY, clock: str = "12:00", **fields: Any) -> Event:
    """A million tokens of output; 25 USD at Opus 4.5's list price, 5 USD at Haiku 4.5's."""
    usage = {"request_id": "r", "model": "claude-opus-4-5", "output_tokens": MILLION, "product": "chat", **fields}
    return done("token.used", person, day, clock, funding=funding, **usage)


def policy(kind: str, day: date, clock: str, organization: str = ORGANIZATION, **fields: Any) -> Event:
    return entry(kind, day, clock, organization, effective_from=at(day, clock).isoformat(), **fields)


def reached(folded: Folded, *events: Event, organization: str = ORGANIZATION) -> QueryContext:
    folded.say(*events)
    folded.reach(at(DAY + timedelta(days=1), "03:00"))
    return folded.look(organization)


def net(reading: QueryContext, kind: str = "mtd", last: date = DAY) -> Decimal | None:
    spend = metrics.spend(reading, window(kind, last)).spend
    return spend.net_usd if spend else None


def test_windows_begin_at_midnight_and_end_with_the_last_hour(folded: Folded) -> None:
    moments = [(date(2027, 12, 31), "23:59:59"), (date(2028, 1, 1), "00:00"), (date(2028, 1, 31), "23:00"),
               (date(2028, 2, 1), "00:00"), (DAY, "23:59:59.999"), (DAY + timedelta(days=1), "00:00")]  # fmt: skip
    reading = reached(folded, *(tokens(ADA, day=day, clock=clock) for day, clock in moments))
    assert [net(reading, kind) for kind in ("1-day", "mtd", "qtd", "ytd", "1-year")] == [25, 50, 100, 100, 125]
    assert metrics.spend(reading, window("1-year", DAY)).about.complete
    assert not metrics.spend(reading, window("mtd", DAY + timedelta(days=1))).about.complete


def test_seats_report_extra_usage_and_only_while_it_is_on(folded: Folded) -> None:
    seats = policy("plan.changed", ago(40), "00:00", plan="enterprise_seat_based")
    before = [tokens(ADA, "extra_usage", ago(2)), tokens(ADA, "seat_allotment", ago(2))]
    reading = reached(folded, seats, *before)
    for answer in (metrics.spend(reading, MONTH), metrics.top_people_by_spend(reading, MONTH)):
        assert not answer.reported
    assert metrics.spend(reading, MONTH).spend is None
    assert metrics.spend_by_model(reading, MONTH).models is None
    assert metrics.top_people_by_spend(reading, MONTH).ranked is None

    on = policy("extra_usage.changed", ago(1), "10:00", enabled=True)
    within = [tokens(ADA, "extra_usage", ago(1), clock) for clock in ("09:59:59", "10:00")]
    reading = reached(folded, on, *within, tokens(BEN, "seat_allotment"))
    assert metrics.spend(reading, MONTH).reported
    assert net(reading) == 25
    assert [of.person.account_id for of in metrics.top_people_by_spend(reading, MONTH).leaders] == [ADA]
    assert not metrics.spend(reading, window("1-week", ago(2))).reported


def test_a_missing_price_is_named_and_the_rest_stays(folded: Folded) -> None:
    reading = reached(
        folded,
        tokens(ADA),
        tokens(ADA, model="claude-unheard-of"),
        tokens(BEN, model="claude-haiku-4-5-20251001"),
        tokens(CLEO, model="another-unheard-of"),
        profile(ADA, "Ada"),
    )
    spend = metrics.spend(reading, MONTH).spend
    assert spend is not None
    assert (spend.net_usd, spend.list_usd) == (None, None)
    assert (spend.priced_net_usd, spend.priced_list_usd, spend.requests) == (30, 30, 4)
    assert spend.unpriced_models == ("another-unheard-of", "claude-unheard-of")
    models = metrics.spend_by_model(reading, MONTH).models or ()
    assert [(of.model, of.family, of.spend.net_usd) for of in models] == [
        ("claude-opus-4-5", "Opus", 25),
        ("claude-haiku-4-5-20251001", "Haiku", 5),
        ("another-unheard-of", None, None),
        ("claude-unheard-of", None, None),
    ]
    top = metrics.top_people_by_spend(reading, MONTH)
    assert [(of.person.account_id, of.value.net_usd, of.value.priced_net_usd) for of in top.leaders] == [
        *((ADA, None, 25), (BEN, 5, 5), (CLEO, None, 0)),
    ]
    assert (top.ranked, top.leaders[0].person.name) == (3, "Ada")


def test_net_is_after_the_discount_of_the_hour_and_machines_are_not_ranked(folded: Folded) -> None:
    reading = reached(
        folded,
        policy("discount.changed", DAY, "10:00", discount="0.333333"),
        tokens(ADA, clock="09:59:59"),
        tokens(ADA, clock="10:00"),
        tokens(DAN, machine=True),
        tokens(BEN, organization=OTHER),
        done("execution.used", BEN, funding="usage_based", milliseconds=3_600_000),
    )
    spend = metrics.spend(reading, MONTH).spend
    assert spend is not None
    execution = Decimal("0.000000013888888889") * 3_600_000
    assert spend.list_usd == 75 + execution
    assert spend.net_usd == 25 + (50 + execution) * Decimal("0.666667")
    top = metrics.top_people_by_spend(reading, MONTH)
    assert [(of.person.account_id, of.value.list_usd) for of in top.leaders] == [(ADA, 50), (BEN, execution)]
    assert [of.model for of in metrics.spend_by_model(reading, MONTH).models or ()] == ["claude-opus-4-5", ""]


def test_equal_spend_goes_by_account_id(folded: Folded) -> None:
    reading = reached(folded, *(tokens(person) for person in (CLEO, ADA, BEN)))
    assert [of.person.account_id for of in metrics.top_people_by_spend(reading, MONTH).leaders] == [ADA, BEN, CLEO]


def test_what_comes_late_counts_in_its_day(folded: Folded) -> None:
    reading = reached(folded, tokens(ADA))
    assert (net(reading), net(reading, "1-day", ago(3))) == (25, 0)
    reading = reached(folded, tokens(ADA, day=ago(3)), tokens(BEN, day=ago(3), organization=OTHER))
    assert (net(reading), net(reading, "1-day", ago(3)), net(reading, "1-day")) == (50, 25, 25)
