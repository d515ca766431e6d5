"""Odd names show as they are and run nowhere; somebody whose account is gone is a deleted user."""

import pytest
from playwright.sync_api import expect

from api.dashboard.rendering import POLICY
from tests.browser.conftest import NOWHERE, Open
from tests.support.odd_names import NAMES, SCRIPT
from tests.support.page_values import csv_rows, table

pytestmark = pytest.mark.slow


def test_odd_names_show_as_they_are(open_page: Open) -> None:
    page = open_page("spend?people=ytd&top=1000")
    shown = {row[1].partition("\n")[0] for row in table(page, "people")}
    assert set(NAMES) - shown == set()
    assert "Deleted user" in shown
    expect(page).to_have_title("Spend · Tally")
    assert page.locator("img[src=x], main script, #people b").count() == 0
    exported = {row[1].removeprefix("'") for row in csv_rows(page, "people")}
    assert set(NAMES) - exported == set()
    assert NAMES[4] not in {row[1] for row in csv_rows(page, "people")}, "a spreadsheet would run it"


def test_a_name_is_held_apart_from_what_stands_beside_it(open_page: Open) -> None:
    """A right-to-left name turns nothing else around."""
    page = open_page("spend?people=ytd&top=1000")
    page.locator("#people tbody th").evaluate_all(
        "all => { if (all.some(th => !th.querySelector('bdi'))) throw Error('a name without bdi') }"
    )


def test_a_connector_with_a_script_as_its_name_runs_nowhere(open_page: Open) -> None:
    page = open_page("activity?connectors=1-year")
    assert SCRIPT in [row[1] for row in table(page, "connectors")]
    expect(page).to_have_title("All activity · Tally")


def test_what_is_asked_for_is_shown_and_run_nowhere(open_page: Open) -> None:
    page = open_page(f"activity?days={SCRIPT}")
    expect(page.get_by_role("heading", level=1)).to_have_text("This address is not valid")
    expect(page.locator("main")).to_contain_text("<script>")
    expect(page).to_have_title("This address is not valid · Tally")


def test_the_policy_lets_nothing_foreign_run(open_page: Open) -> None:
    page = open_page("activity")
    response = page.reload()
    assert response
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert page.locator("[style], style, script:not([src])").count() == 0
    assert page.evaluate(f"fetch('{NOWHERE}').then(() => 'let through', () => 'stopped')") == "stopped"
