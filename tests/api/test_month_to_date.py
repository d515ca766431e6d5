"""One meaning of month to date on every surface, also while a month has no complete day yet."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from access.sessions import create_credential
from queries.errors import NoCompleteDay
from reports.periods import resolve
from simulation import Plan
from tests.support.api_server import context_of, serve
from tests.support.people import people_events, somebody
from tests.support.sign_in import FORM, holder_of, use
from tests.support.simulated_world import UNTIL, World, make_world

pytestmark = pytest.mark.slow

OWNER = somebody("enterprise_usage_based", "owner")
EARLY = datetime(2026, 12, 1, 5, tzinfo=UTC)
"""The newest complete day is in November, and there is no later one."""


@pytest.fixture(scope="module")
def own(clickhouse: str) -> World:
    plan = Plan(until=UNTIL, seed=6, organizations=1, users=3, days=3)
    return make_world(clickhouse, f"month_{uuid4().hex}", plan, lambda _: people_events())


@pytest.fixture(scope="module")
def owner(own: World) -> Iterator[httpx.Client]:
    """Somebody who sees spend, on the first of December."""
    with serve(context_of(own, now=EARLY)) as served:
        link = create_credential(own.client(), "link", holder_of(OWNER), EARLY, EARLY + timedelta(minutes=10))
        base = f"{served.base_url}/organizations/{OWNER.organization}/"
        with httpx.Client(base_url=base, cookies=use(served, link).cookies, headers=FORM, timeout=30) as client:
            client.follow_redirects = True
            yield client


def rows_of(answer: httpx.Response) -> dict[str, dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return {row["period"]: row for row in csv.DictReader(answer.text.splitlines())}


def test_the_dashboard_and_reports_agree_that_there_is_none(owner: httpx.Client) -> None:
    with pytest.raises(NoCompleteDay) as told:
        resolve("mtd", EARLY, UNTIL)
    page, totals = owner.get("spend"), rows_of(owner.get("spend/totals.csv"))
    assert told.value.why in page.text
    assert totals["Month to date"]["days"] == told.value.why
    assert totals["Month to date"]["net_spend_usd"] == ""
    assert totals["Quarter to date"]["net_spend_usd"]
    offers, refused = owner.get("exports"), owner.get("exports/download", params={"period": "mtd"})
    assert told.value.why in offers.text
    assert refused.status_code == 400
    assert told.value.why in refused.text
    for figure in ("models", "people"):
        assert owner.get(f"spend/{figure}.csv", params={figure: "mtd"}).status_code == 400
    assert "people=qtd" in owner.get("spend").text, "the other periods can be chosen"


def test_the_usual_choice_of_an_export_can_be_had(owner: httpx.Client) -> None:
    page = owner.get("exports").text
    [usual] = [part for part in page.split("<label")[1:] if " checked" in part and 'name="period"' in part]
    kind = usual.partition('value="')[2].partition('"')[0]
    assert kind == "last-90-days"
    assert owner.get("exports/download", params={"period": kind}).status_code == 200
    assert owner.get("exports/download", params={"period": "last-month"}).status_code == 400


def test_a_day_of_the_month_before_still_has_its_month_to_date(owner: httpx.Client) -> None:
    day = {"until": str(UNTIL)}
    assert rows_of(owner.get("spend/totals.csv", params=day))["Month to date"]["net_spend_usd"]
