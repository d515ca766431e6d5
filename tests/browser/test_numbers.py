"""Every number on every page equals a recount of the events, and a wrong recount is noticed."""

from datetime import date
from typing import Any

import pytest

from tests.browser.conftest import LASTS, NEWEST, Open, Recounts
from tests.reference import dashboard_figures
from tests.reference.metrics import Recount
from tests.reference.model.terms import Charge
from tests.support.page_values import csv_rows, differing, table, text, texts, texts_of, tiles, without
from tests.support.simulated_world import World


@pytest.mark.parametrize(("number", "last"), list(enumerate(LASTS)))
def test_all_activity(open_page: Open, world: World, recounts: Recounts, number: int, last: date) -> None:
    organization = world.organizations[number]
    recount = recounts[organization]
    page = open_page(f"activity?until={last}", organization)
    assert tiles(page) == texts_of(dashboard_figures.activity_tiles(recount, last))
    assert differing(page, dashboard_figures.activity(recount, last)) == set()


@pytest.mark.parametrize("days", ["3-months", "1-year"])
def test_all_activity_over_longer_periods(open_page: Open, world: World, recounts: Recounts, days: str) -> None:
    page = open_page(f"activity?days={days}&connectors={days}")
    wanted = dashboard_figures.activity(recounts[world.organizations[0]], NEWEST, days, days)
    assert differing(page, wanted) == set()
    assert csv_rows(page, "active-users") == texts(wanted["active-users"])


class CountsStarts(Recount):
    """Wrong: a session that was merely started makes somebody active."""

    def active(self, first: date, last: date, products: Any = ()) -> set[str]:
        return super().active(first, last) | self.people(first, last, lambda _: True, "session.started")


def test_a_wrong_recount_of_activity_is_noticed(open_page: Open, world: World, recounts: Recounts) -> None:
    right = recounts[world.organizations[0]]
    wrong = CountsStarts(world.events, right.organization_id, right.prices)
    page = open_page("activity")
    assert differing(page, dashboard_figures.activity(wrong, NEWEST)) == {"active-users", "utilization"}


@pytest.mark.parametrize(("number", "last"), list(enumerate(LASTS[:2])))
def test_spend(open_page: Open, world: World, recounts: Recounts, number: int, last: date) -> None:
    organization = world.organizations[number]
    recount = recounts[organization]
    page = open_page(f"spend?until={last}", organization)
    amounts = {label: dashboard_figures.total(recount, kind, last) for label, kind in dashboard_figures.TOTALS.items()}
    assert tiles(page) == {label: text(amount[0]) for label, amount in amounts.items()}
    assert [row[2:] for row in table(page, "totals")] == texts(amounts.values())
    assert without(1, table(page, "models")) == texts(dashboard_figures.by_model(recount, "1-month", last))
    assert table(page, "people") == texts(dashboard_figures.by_person(recount, "mtd", last))
    assert any(amount[0] for amount in amounts.values())


@pytest.mark.parametrize("kind", ["3-months", "1-year", "mtd", "qtd", "ytd"])
def test_spend_over_other_periods(open_page: Open, world: World, recounts: Recounts, kind: str) -> None:
    people = kind if kind in ("qtd", "ytd") else "mtd"
    recount = recounts[world.organizations[0]]
    page = open_page(f"spend?models={kind}&people={people}")
    assert without(1, table(page, "models")) == texts(dashboard_figures.by_model(recount, kind, NEWEST))
    assert without(1, csv_rows(page, "models")) == texts(dashboard_figures.by_model(recount, kind, NEWEST))
    assert table(page, "people") == texts(dashboard_figures.by_person(recount, people, NEWEST))


class Cheaper(Recount):
    """Wrong: everything costs 10^-12 dollar less."""

    def cost(self, charge: Charge) -> Any:
        return tuple(amount and amount - 10**12 for amount in super().cost(charge))


def test_a_wrong_recount_of_spend_is_noticed(open_page: Open, world: World, recounts: Recounts) -> None:
    right = recounts[world.organizations[0]]
    wrong = Cheaper(world.events, right.organization_id, right.prices)
    page = open_page("spend")
    assert differing(page, {"people": dashboard_figures.by_person(right, "mtd", NEWEST)}) == set()
    assert differing(page, {"people": dashboard_figures.by_person(wrong, "mtd", NEWEST)}) == {"people"}
