"""Export: every period, its limits, a download that is the recount, by keyboard alone, and what was issued before."""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Download, Page, expect

from access.sessions import Identity
from pricing.price_table import load_prices
from reports.exports.export_worker import run_once
from simulation import Plan
from tests.browser.conftest import NEWEST, Open, Recounts, owner_of
from tests.reference.metrics import Recount
from tests.support.api_server import Served, context_of, serve
from tests.support.page_values import text
from tests.support.sign_in import browser as signed_in
from tests.support.simulated_world import NOW, UNTIL, World, fold_lines, line_of, make_world

pytestmark = pytest.mark.slow

GRACE = timedelta(minutes=120)


def rows_of(download: Download) -> list[dict[str, str]]:
    with Path(download.path()).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def summed(rows: list[dict[str, str]]) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """(day, account, model) to requests, tokens and exact money, over all products."""
    sums: dict[tuple[str, str, str], list[Decimal]] = {}
    for row in rows:
        key = row["date"], row["account_uuid"], row["model"]
        amounts = [Decimal(value) for name, value in row.items() if name.startswith("total_")]
        sums[key] = [a + b for a, b in zip(sums.get(key, [Decimal(0)] * 5), amounts, strict=True)]
    return {key: tuple(map(text, amounts)) for key, amounts in sums.items()}


def recounted(recount: Recount, first: date, last: date) -> dict[tuple[str, str, str], tuple[str, ...]]:
    found = recount.spend(first, last, lambda used: f"{used.at.date()} {used.person} {used.model}")
    return {
        (*key.split(" "),): tuple(text(Decimal(value)) for value in amounts[:5])  # type: ignore[misc]
        for key, amounts in found.items()
    }


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("Month to date", date(2026, 11, 1), NEWEST),
        ("Last month", date(2026, 10, 1), date(2026, 10, 31)),
        ("Last 90 days", date(2026, 8, 22), NEWEST),
    ],
)
def test_a_download_is_the_recount(
    open_page: Open, world: World, recounts: Recounts, label: str, first: date, last: date
) -> None:
    page = open_page("exports")
    page.get_by_label(label).check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    organization = world.organizations[0]
    assert download.value.suggested_filename == f"spend-daily-{organization}-{first}-{last}.csv"
    assert summed(rows_of(download.value)) == recounted(recounts[organization], first, last)


def test_a_custom_period_by_keyboard_alone(open_page: Open, world: World, recounts: Recounts) -> None:
    page = open_page("exports")
    page.keyboard.press("Tab")
    walk_to(page, "el => el.name === 'period'")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.value") == "custom"
    for name, keys in (("start", "11032026"), ("end", "11052026")):
        walk_to(page, f"el => el.name === '{name}'")
        page.keyboard.type(keys)
    walk_to(page, "el => el.textContent === 'Download'")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    found = summed(rows_of(download.value))
    assert found == recounted(recounts[world.organizations[0]], date(2026, 11, 3), date(2026, 11, 5))
    assert found


def walk_to(page: Page, wanted: str) -> None:
    """Tab until the element that has the focus is the wanted one."""
    for _ in range(60):
        if page.evaluate(f"({wanted})(document.activeElement)"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("period=custom&start=2026-08-21&end=2026-08-30", "2026-08-21 is more than 90 days back."),
        ("period=custom&start=2026-11-10&end=2026-11-20", "2026-11-20 is not complete yet."),
        ("period=custom&start=2026-11-10&end=2026-11-09", "The end 2026-11-09 is before the start 2026-11-10."),
        ("period=custom&start=&end=", "The period custom needs a start."),
        ("period=custom&start=2026-11-10&end=2027-01-01", "2027-01-01 is in the future."),
    ],
)
def test_limits_are_said_on_the_page_that_asked(open_page: Open, asked: str, said: str) -> None:
    page = open_page(f"exports/download?{asked}&format=csv")
    expect(page.get_by_role("alert").locator("strong")).to_have_text(said)
    expect(page.get_by_label("Custom")).to_be_checked()


def test_a_chosen_day_makes_the_period_custom(open_page: Open) -> None:
    page = open_page("exports")
    page.get_by_label("First day").fill("2026-11-10")
    expect(page.get_by_label("Custom")).to_be_checked()


def test_seats_without_extra_usage_have_no_report(open_page: Open, world: World) -> None:
    page = open_page("exports/download?period=mtd", world.organizations[2])
    expect(page.get_by_role("alert")).to_contain_text("its plan is seat-based with extra usage off")


# -- issued reports --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def revised(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Served, Path]]:
    """Ten days issued, then a day revised by a late event."""
    folder = tmp_path_factory.mktemp("reports")
    plan = Plan(until=UNTIL, seed=8, organizations=1, users=6, days=10)
    world = make_world(clickhouse, f"issued_{uuid4().hex}", plan)
    client = world.client()
    load_prices(client)
    run_once(client, folder, NOW, world.sources, GRACE)
    late = next(
        event for event in world.events if event["type"] == "token.used" and "2026-11-17" in event["occurred_at"]
    )
    fold_lines(client, world, [line_of(late | {"event_id": str(uuid4()), "output_tokens": 7})], start=1 << 20)
    run_once(client, folder, NOW + timedelta(hours=1), world.sources, GRACE)
    client.close()
    with serve(context_of(world, reports_dir=folder)) as served:
        yield world, served, folder


@pytest.fixture
def issued(revised: tuple[World, Served, Path], context: Any) -> Page:
    """The page of the world whose reports were issued."""
    world, served, _ = revised
    organization = world.organizations[0]
    with signed_in(world, served, Identity(organization, owner_of(world, organization))) as client:
        for name, value in client.cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": served.base_url}])
    page: Page = context.new_page()
    page.goto(f"{served.base_url}/organizations/{organization}/exports")
    return page


def test_issued_reports_say_what_changed_between_revisions(issued: Page, revised: tuple[World, Served, Path]) -> None:
    folder = revised[2] / revised[0].organizations[0]
    row = issued.locator("#issued tbody tr", has=issued.locator("time[datetime='2026-11-17']"))
    expect(row).to_have_count(2)
    newest = row.first
    expect(newest.locator("td").first).to_have_text("2")
    before, after = (list(csv.DictReader((folder / f"2026-11-17.r{n}.csv").open(newline=""))) for n in (1, 2))
    for name, what in (("total_net_spend_usd", "net spend"), ("total_gross_spend_usd", "gross spend")):
        totals = [text(sum(Decimal(each[name]) for each in rows)) for rows in (before, after)]
        expect(newest).to_contain_text(f"{what}: {totals[0]} → {totals[1]} USD")
    expect(newest).to_contain_text("Late events")
    expect(newest).to_contain_text("rows: 0 added, 1 changed, 0 removed")
    expect(row.last).to_contain_text("First issue")


def test_an_issued_file_is_had_as_it_was_issued(issued: Page, revised: tuple[World, Served, Path]) -> None:
    folder = revised[2] / revised[0].organizations[0]
    rows = issued.locator("#issued tbody tr")
    assert rows.count() > 10
    for number in range(3):
        with issued.expect_download() as download:
            rows.nth(number).locator("th a").click()
        content = Path(download.value.path()).read_bytes()
        assert sha256(content).hexdigest() == rows.nth(number).locator("code").inner_text()
        assert any(content == path.read_bytes() for path in folder.glob("*.csv"))


@pytest.mark.parametrize("path", ["2026-11-17/3", "2026-11-20/1", "2026-11-17/..%2f", "x/1", "2026-11-17/0"])
def test_only_what_was_issued_is_had(issued: Page, path: str) -> None:
    answer = issued.request.get(f"{issued.url}/issued/{path}")
    assert answer.status in (400, 404)


@pytest.mark.parametrize(("name", "suffix"), [("FOCUS 1.2, CSV", "csv"), ("FOCUS 1.2, Parquet", "parquet")])
def test_focus_is_what_the_report_writes(open_page: Open, world: World, name: str, suffix: str) -> None:
    page = open_page("exports")
    page.get_by_label("Last month").check()
    page.get_by_label(name).check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    organization = world.organizations[0]
    assert download.value.suggested_filename == f"focus-1.2-{organization}-2026-10-01-2026-10-31.{suffix}"
    content = Path(download.value.path()).read_bytes()
    assert content[:4] == b"PAR1" == content[-4:] if suffix == "parquet" else content.count(b"\n") > 50
