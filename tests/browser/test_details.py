"""One person and one connector: a name leads there, for the same days, and every number equals a recount."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from access.sessions import Identity
from tests.browser.conftest import LASTS, NEWEST, Open, Recounts, owner_of
from tests.reference import dashboard_details as expected
from tests.reference.metric_rules import first_day
from tests.reference.metrics import Recount
from tests.support.api_server import Served
from tests.support.odd_names import NAMES, SCRIPT, SOMEBODY
from tests.support.page_values import SPEND, csv_rows, differing, table, texts, tiles
from tests.support.people import somebody
from tests.support.sign_in import browser as signed_in
from tests.support.sign_in import holder_of
from tests.support.simulated_world import World

pytestmark = pytest.mark.slow

ADMIN = somebody("enterprise_usage_based", "admin")
TILES = (
    *("Messages", "Chats", "Sessions", "Lines accepted", "Commits", "Pull requests", "Projects used"),
    *("Artifacts made", "Connector calls"),
)
CALLS = ("People", "Calls", "Reads", "Writes", "Unclassified")


def follow(page: Page, figure: str, row: int) -> str:
    """Follows the name in a row of a figure; the name."""
    link = page.locator(f"#{figure} tbody tr").nth(row).locator("th a")
    name = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return name


def asked(page: Page) -> dict[str, str]:
    """The parameters of the address."""
    return dict(re.findall(r"[?&](\w+)=([^&#]*)", page.url))


@pytest.mark.parametrize(("kind", "row"), [("mtd", 0), ("qtd", 3), ("ytd", 7)])
def test_a_person(open_page: Open, world: World, recounts: Recounts, kind: str, row: int) -> None:
    recount = recounts[world.organizations[0]]
    page = open_page(f"spend?people={kind}")
    net = table(page, "people")[row][2]
    follow(page, "people", row)
    account = asked(page)["account"]
    assert asked(page) == {"account": account, "days": kind, "until": str(NEWEST)}
    assert tiles(page)["Net spend"] == net
    wanted = expected.person(recount, account, kind, NEWEST) | expected.spend(recount, account, kind, NEWEST)
    assert differing(page, wanted) == set()
    whole = expected.did(expected.acts(recount, account, first_day(kind, NEWEST), NEWEST))
    assert [tiles(page)[label] for label in TILES] == [str(count) for count in whole]
    for figure, rows in wanted.items():
        assert csv_rows(page, figure) == texts(rows)
    assert wanted["spend-products"]


@pytest.mark.parametrize(("number", "last"), list(enumerate(LASTS)))
def test_people_of_every_plan(open_page: Open, world: World, recounts: Recounts, number: int, last: date) -> None:
    """Numbers of rankings are those of the person's page; a plan without spend says so."""
    organization = world.organizations[number]
    page = open_page(f"claude-code?until={last}&people=1-month&ranked=sessions", organization)
    sessions = table(page, "people")[0][5]
    follow(page, "people", 0)
    account = asked(page)["account"]
    wanted = expected.person(recounts[organization], account, "1-month", last)
    assert differing(page, wanted) == set()
    coded = next(row for row in table(page, "products") if row[0] == "Claude Code")
    assert coded[3] == sessions
    assert ("which is not the same as 0" in page.locator("#spend").inner_text()) == (number == 2)


@pytest.mark.parametrize(("kind", "row"), [("1-week", 0), ("1-month", 2), ("1-year", 5)])
def test_a_connector(open_page: Open, world: World, recounts: Recounts, kind: str, row: int) -> None:
    page = open_page(f"activity?connectors={kind}")
    counts = table(page, "connectors")[row][2:]
    follow(page, "connectors", row)
    key = asked(page)["connector"]
    assert asked(page) == {"connector": key, "days": kind, "until": str(NEWEST)}
    assert [tiles(page)[label] for label in CALLS] == counts
    wanted = expected.connector(recounts[world.organizations[0]], key, kind, NEWEST)
    assert differing(page, wanted) == set()
    assert csv_rows(page, "days") == texts(wanted["days"])


@pytest.mark.parametrize("kind", ["1-week", "1-year"])
def test_who_called_a_connector(open_page: Open, world: World, recounts: Recounts, kind: str) -> None:
    """The number of people leads to who they are, in the ranking, on the connector's page and on a day of it."""
    recount = recounts[world.organizations[0]]
    page = open_page(f"activity?connectors={kind}")
    people = page.locator("#connectors tbody tr").first.locator("td a")
    key = re.findall(r"connector=([^&]+)", str(people.get_attribute("href")))[0]
    people.click()
    first = first_day(kind, NEWEST)
    assert listed(page) == callers(recount, key, first, NEWEST) != set()
    page = open_page(f"connector?connector={key}&days={kind}")
    page.locator(".tile", has_text="People").get_by_role("link").click()
    assert listed(page) == callers(recount, key, first, NEWEST)
    page = open_page(f"connector?connector={key}&days={kind}")
    page.locator("#days summary").first.click()
    page.locator("#days tbody tr").last.locator("td a").first.click()
    assert listed(page) == callers(recount, key, NEWEST, NEWEST)


def listed(page: Page) -> set[str]:
    """The e-mails of a list of people that is one page long, which says how many they are."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(" people who called ")
    emails = page.locator("tbody td.text").all_inner_texts()
    assert page.get_by_role("heading", level=1).inner_text().startswith(f"{len(emails)} ")
    return set(emails)


def callers(recount: Recount, key: str, first: date, last: date) -> set[str]:
    """The e-mails of who called a connector, by the events."""
    calls = expected.called(recount, key, first, last)
    accounts = {event["actor"]["id"] for event in calls if event["actor"]["type"] == "user"}
    return {recount.name(account)[1] or "" for account in accounts}


def test_a_wrong_recount_is_noticed(open_page: Open, world: World, recounts: Recounts) -> None:
    """Controls: somebody else's events, a day less, and a connector of another name."""
    recount = recounts[world.organizations[0]]
    page = open_page("spend?people=mtd")
    follow(page, "people", 0)
    account = asked(page)["account"]
    other = next(event["actor"]["id"] for event in recount.events
                 if event["type"] == "chat.message" and event["actor"]["id"] != account)  # fmt: skip
    figures = {"days", "products", "models"}
    assert differing(page, expected.person(recount, other, "mtd", NEWEST)) == figures
    assert differing(page, expected.person(recount, account, "mtd", LASTS[1])) == figures
    assert differing(page, expected.spend(recount, other, "mtd", NEWEST)) >= {"spend", "spend-models"}
    page = open_page("connector?connector=notion")
    assert differing(page, expected.connector(recount, "atlassian", "1-month", NEWEST)) == {"days", "products"}


def test_names_in_a_list_of_people_lead_there(open_page: Open) -> None:
    page = open_page("activity")
    page.locator(".tile", has_text="Weekly active people").get_by_role("link").click()
    link = page.locator("tbody th a").first
    name = link.inner_text()
    link.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert (asked(page)["days"], asked(page)["until"]) == ("1-week", str(NEWEST))


def test_a_change_of_period_changes_every_figure(open_page: Open, world: World, recounts: Recounts) -> None:
    page = open_page(f"person?account={SOMEBODY}")
    page.evaluate("window.marked = true")
    chosen = page.get_by_role("list", name="Period").locator("[aria-current]")
    expect(chosen).to_have_text(["1 month"])
    page.get_by_role("link", name="1 week").click()
    expect(page).to_have_url(re.compile("days=1-week"))
    expect(chosen).to_have_text(["1 week"])
    expect(chosen).to_be_focused()
    assert page.evaluate("window.marked")
    wanted = expected.person(recounts[world.organizations[0]], SOMEBODY, "1-week", NEWEST)
    assert differing(page, wanted) == set()


def test_odd_names_and_the_deleted(open_page: Open) -> None:
    for name in (*NAMES, "Deleted user"):
        page = open_page("spend?people=ytd&top=1000")
        page.locator("#people tbody th a").get_by_text(name, exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page).to_have_title("Person · Tally")
        assert page.locator("img[src=x], main script, h1 b").count() == 0
    page = open_page(f"connector?connector={SCRIPT}")
    expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
    expect(page.locator("#days")).to_contain_text("No one called this connector in this period.")
    page = open_page("connector?connector=notion")
    expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)


def test_an_admin_sees_no_spend_of_a_person(
    served: Served, world: World, sign_in: Callable[[Identity], None], open_page: Open
) -> None:
    sign_in(holder_of(ADMIN))
    path = f"person?account={ADMIN.account}"
    page = open_page(path, ADMIN.organization)
    expect(page.get_by_role("heading", level=1)).to_have_text("N")
    assert page.locator(".figure").count() == 3
    assert [word for word in SPEND if word in page.content().lower()] == []
    with signed_in(world, served, holder_of(ADMIN)) as client:
        for file in ("spend.csv", "spend-models.csv", "spend-products.html", "days,spend.html"):
            answer = client.get(f"/organizations/{ADMIN.organization}/{path.replace('?', f'/{file}?')}")
            assert answer.status_code == 404, file


@pytest.mark.parametrize("path", ["person", "person/days.csv", "person/spend.csv", "person/products.html"])
def test_nobody_sees_somebody_of_another_organization(served: Served, world: World, path: str) -> None:
    """Nor learns whether there is such a person, or what they are called."""
    owner = somebody("enterprise_usage_based", "owner")
    theirs = owner_of(world, world.organizations[0])
    with signed_in(world, served, holder_of(owner)) as client:

        def get(organization: str, account: str) -> Any:
            return client.get(f"/organizations/{organization}/{path}?account={account}")

        assert get(owner.organization, owner.account).status_code == 200
        assert get(world.organizations[0], theirs).status_code == 404
        foreign = get(owner.organization, theirs)
        nobody = get(owner.organization, "00000000-0000-4000-8000-00000000beef")
        assert (foreign.status_code, foreign.text) == (404, nobody.text)
        assert get(owner.organization, "x").status_code == 400
        assert client.get(f"/organizations/{owner.organization}/{path}").status_code == 400


def test_a_look_at_a_persons_spend_is_in_the_audit_log(served: Served, world: World) -> None:
    owner = somebody("enterprise_usage_based", "owner")
    with signed_in(world, served, holder_of(owner)) as client:
        address = f"/organizations/{owner.organization}/person"
        assert client.get(address, params={"account": owner.account}).status_code == 200
    client = world.client()
    assert address in str(client.query("SELECT * FROM audit_log").result_rows)
    client.close()
