"""Who sees what: owners all, admins no trace of spend, others nothing, nobody another organization."""

import html
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from access.sessions import Identity
from tests.browser.conftest import Open
from tests.support.api_server import Served
from tests.support.page_values import SPEND
from tests.support.people import somebody
from tests.support.sign_in import browser as signed_in
from tests.support.sign_in import holder_of, link_for
from tests.support.simulated_world import World

ADMIN = somebody("enterprise_usage_based", "admin")
OWNER = somebody("enterprise_usage_based", "owner")

Enter = Callable[[Identity], None]


def test_a_link_signs_in_and_opens_the_dashboard(served: Served, world: World, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{served.base_url}/sign-in?link={link_for(world, holder_of(OWNER))}")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{served.base_url}/organizations/{OWNER.organization}/activity")
    expect(page.get_by_role("heading", level=1)).to_have_text("All activity")
    expect(page.locator(".who")).to_contain_text(OWNER.email)
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{served.base_url}/organizations/{OWNER.organization}/spend")
    expect(page).to_have_url(f"{served.base_url}/sign-in")


def test_an_admin_finds_no_trace_of_spend(served: Served, sign_in: Enter, open_page: Open) -> None:
    sign_in(holder_of(ADMIN))
    page = open_page("activity", ADMIN.organization)
    expect(page.get_by_role("heading", level=1)).to_have_text("All activity")
    for path in [link.get_attribute("href") or "" for link in page.locator("nav a").all()]:
        page.goto(served.base_url + path)
        assert [word for word in SPEND if word in page.content().lower()] == [], path
    for path in ("spend", "spend/models.csv", "spend/people.html", "spend?models=1-year"):
        with signed_in_as(served, page.context) as client:
            answer = client.get(f"/organizations/{ADMIN.organization}/{path}")
            missing = client.get(f"/organizations/{ADMIN.organization}/{path.replace('spend', 'nothing')}")
        assert (answer.status_code, missing.status_code) == (404, 404)
        assert answer.text.replace("spend", "nothing") == missing.text


def signed_in_as(served: Served, context: BrowserContext) -> httpx.Client:
    """A plain client with the browser's cookies."""
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
    return httpx.Client(base_url=served.base_url, cookies=cookies, timeout=30)


@pytest.mark.parametrize("role", ["member", ""])
def test_others_are_not_let_in(served: Served, world: World, role: str) -> None:
    one = somebody("enterprise_usage_based", role)
    answer = httpx.post(f"{served.base_url}/sign-in", data={"link": link_for(world, holder_of(one))}, timeout=30)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("of=connector", "connector: missing."),
        ("of=active&connector=notion", "connector: not allowed. Allowed: with of=connector"),
        ("of=nobody", "of: 'nobody' is not allowed."),
        ("of=chat&page=0", "page: '0' is not allowed."),
        ("of=chat&first=2026-11-20", "first: given twice."),
    ],
)
def test_a_list_of_people_says_what_is_wrong_with_its_address(
    served: Served, world: World, address: str, problem: str
) -> None:
    with signed_in(world, served, holder_of(OWNER)) as client:
        path = f"/organizations/{OWNER.organization}/people?first=2026-11-13&last=2026-11-19&{address}"
        answer = client.get(path)
    assert answer.status_code == 400
    assert problem in html.unescape(answer.text)


@pytest.mark.parametrize(
    "path",
    [
        "activity",
        "activity/connectors.csv",
        "spend/models.html",
        "people?of=active",
        f"person?account={OWNER.account}",
        "person/spend.csv",
        "connector?connector=notion",
        "connector/days.csv",
    ],
)
def test_nobody_sees_another_organization(served: Served, world: World, path: str) -> None:
    with signed_in(world, served, holder_of(OWNER)) as client:
        for organization in (
            world.organizations[0],
            "00000000-0000-0000-0000-000000000000",
            "x",
            OWNER.organization.upper(),
        ):
            answer = client.get(f"/organizations/{organization}/{path}")
            assert answer.status_code == 404
            assert "There is no such organization, or it is not yours." in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "organizations/x/activity",
        "organizations/x/people",
        "organizations/x/spend/models.csv",
        "organizations/x/person?account=x",
        "organizations/x/connector/days.csv",
    ],
)
def test_who_is_not_signed_in_is_asked_to(served: Served, path: str) -> None:
    answer = httpx.get(f"{served.base_url}/{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_link_in_a_mail_opens_for_who_is_signed_in(
    served: Served, world: World, context: BrowserContext, sign_in: Enter
) -> None:
    """Browsers keep a strict cookie from a request that another site causes; our page then asks again by itself."""
    sign_in(holder_of(OWNER))
    address = f"{served.base_url}/organizations/{OWNER.organization}/activity?days=3-months"
    page = context.new_page()
    page.route(
        "http://mail.example/",
        lambda route: route.fulfill(body=f'<a href="{address}">look</a>', content_type="text/html"),
    )
    page.goto("http://mail.example/")
    page.get_by_text("look").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All activity")
    expect(page).to_have_url(address)
