"""What can be pressed: periods, days, tables, CSV, more of a ranking, the people behind a number."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.support.page_values import csv_rows, table, tiles
from tests.support.simulated_world import World

pytestmark = pytest.mark.slow


def mark(page: Page) -> None:
    """Leaves a mark that a full reload would wipe out."""
    page.evaluate("window.marked = true")


def is_marked(page: Page) -> Any:
    return page.evaluate("window.marked === true")


def test_a_period_is_changed_in_place_and_stands_in_the_address(open_page: Open) -> None:
    page = open_page("activity")
    mark(page)
    connectors = table(page, "connectors")
    page.locator("#active-users").get_by_role("link", name="3 months").click()
    expect(page).to_have_url(re.compile(r"/activity\?days=3-months#active-users$"))
    for figure in ("active-users", "utilization", "seats"):
        assert len(table(page, figure)) == 90
    page.locator("#connectors").get_by_role("link", name="1 week").click()
    expect(page).to_have_url(re.compile(r"\?days=3-months&connectors=1-week#connectors$"))
    assert table(page, "connectors") != connectors
    assert page.evaluate("document.activeElement.textContent") == "1 week"
    assert is_marked(page)
    seen = [table(page, figure) for figure in ("active-users", "connectors")]
    page.reload()
    assert [table(page, figure) for figure in ("active-users", "connectors")] == seen
    page.go_back()
    expect(page.locator("#connectors [aria-current]")).to_have_text("1 month")


def test_a_change_keeps_an_open_table_open(open_page: Open) -> None:
    page = open_page("activity")
    page.locator("#seats summary").first.click()
    page.locator("#seats").get_by_role("link", name="3 months").click()
    expect(page).to_have_url(re.compile("days=3-months"))
    expect(page.locator("#seats table")).to_be_visible()
    expect(page.locator("#utilization table")).to_be_hidden()


def test_all_works_without_script(open_page: Open, world: World) -> None:
    page = open_page("activity")
    browser = page.context.browser
    assert browser
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    other = plain.new_page()
    other.goto(page.url)
    other.locator("#active-users").get_by_role("link", name="3 months").click()
    expect(other).to_have_url(re.compile(r"days=3-months#active-users$"))
    expect(other.locator("#active-users .plot .line").first).to_be_visible()
    other.get_by_label("Up to the day (UTC)").fill("2026-11-02")
    other.get_by_role("button", name="Show").click()
    expect(other).to_have_url(re.compile(r"days=3-months&until=2026-11-02$"))
    expect(other.locator("#seats tbody tr")).to_have_count(90)
    plain.close()


def test_the_day_is_chosen_and_kept_between_pages(open_page: Open) -> None:
    page = open_page("activity")
    page.get_by_label("Up to the day (UTC)").fill("2026-11-02")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"/activity\?until=2026-11-02$"))
    assert table(page, "active-users")[-1][0] == "2026-11-02"
    page.get_by_role("navigation").get_by_role("link", name="Spend").click()
    expect(page).to_have_url(re.compile(r"/spend\?until=2026-11-02$"))
    expect(page.locator(".tile").first).to_contain_text("1–2 Nov 2026")


def test_a_csv_holds_what_the_figure_shows(open_page: Open) -> None:
    page = open_page("activity?days=3-months")
    assert csv_rows(page, "active-users") == table(page, "active-users")
    with page.expect_download() as download:
        page.locator("#connectors a.csv").click()
    name = download.value.suggested_filename
    assert re.fullmatch(r"activity-connectors-[0-9a-f-]{36}-2026-10-21-2026-11-19\.csv", name)
    lines = download.value.path().read_bytes().split(b"\r\n")
    assert lines[0] == b"rank,connector,connector_name,people,calls,read_calls,write_calls,unclassified_calls"
    assert any(b"'=hyperlink(0)" in line or b"'+formula" in line for line in lines)


def test_more_of_a_ranking_is_shown(open_page: Open) -> None:
    page = open_page("spend")
    ten = table(page, "people")
    page.locator("#people").get_by_role("link", name="First 100").click()
    expect(page).to_have_url(re.compile("top=100"))
    more = table(page, "people")
    assert len(ten) == 10 < len(more)
    assert more[:10] == ten


def test_a_number_leads_to_what_it_is_made_of(open_page: Open) -> None:
    page = open_page("activity")
    for label in ("Weekly active people", "Daily active people", "Monthly active people"):
        count = tiles(page)[label]
        page.locator(".tile", has_text=label).locator("a").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(rf"^{count} active people$"))
        assert page.locator("tbody tr").count() == int(count)
        page.go_back()
    page.locator("#active-users summary").first.click()
    cell = page.locator("#active-users tbody tr").nth(3).locator("a").nth(1)
    count = cell.inner_text()
    cell.click()
    expect(page.locator("tbody tr")).to_have_count(int(count))


def test_a_total_leads_to_models_and_people_that_add_up_to_it(open_page: Open) -> None:
    from decimal import Decimal

    page = open_page("spend")
    total = Decimal(tiles(page)["Quarter to date"])
    page.locator(".tile", has_text="Quarter to date").locator("a").click()
    expect(page).to_have_url(re.compile(r"models=qtd&people=qtd#models$"))
    assert sum(Decimal(row[2]) for row in table(page, "models")) == total


def test_the_pointer_tells_the_numbers_of_a_day(open_page: Open) -> None:
    page = open_page("activity")
    plot = page.locator("#active-users .plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 50)
    last = table(page, "active-users")[-1]
    expect(page.locator(".tip")).to_have_text(f"19 Nov 2026Daily: {last[1]}Weekly: {last[2]}Monthly: {last[3]}")
    page.mouse.move(1, 1)
    expect(page.locator(".tip")).to_have_count(0)
