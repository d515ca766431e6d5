"""axe-core finds nothing on any page and state, light, dark and narrow; nothing needs a mouse or sideways scrolling."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Open
from tests.support.accessibility import violations
from tests.support.dashboard_addresses import ALL, PAGES
from tests.support.simulated_world import World

pytestmark = pytest.mark.slow

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


def open_all(page: Page) -> None:
    """Every part that can be opened is open."""
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")


@pytest.mark.parametrize("path", ALL)
def test_axe_finds_nothing(open_page: Open, world: World, path: str) -> None:
    page = open_page(path)
    open_all(page)
    for scheme, size in (("light", WIDE), ("dark", NARROW)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert violations(page) == [], f"{path}, {scheme}, {size['width']} wide"


def test_axe_would_find_something(open_page: Open) -> None:
    page = open_page("activity")
    page.locator("h1").evaluate("each => { each.style.color = '#ddd'; each.style.background = '#eee' }")
    assert [found[0] for found in violations(page)] == ["color-contrast"]


@pytest.mark.parametrize("path", ALL)
def test_nothing_is_wider_than_a_narrow_screen(open_page: Open, path: str) -> None:
    page = open_page(path)
    open_all(page)
    for width in (320, 360, 768):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} at {width}"


@pytest.mark.parametrize("path", PAGES)
def test_what_can_be_pressed_is_large_enough(open_page: Open, path: str) -> None:
    page = open_page(path)
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    small = page.locator(
        "nav a, .choices a, .csv, summary, button, .option, input:not([type=radio]), .number a, .brand"
    ).evaluate_all(
        "all => all.filter(each => each.type !== 'hidden' && each.getBoundingClientRect().height < 43.5)"
        ".map(each => each.outerHTML.slice(0, 100))"
    )
    assert small == []


def test_the_first_stop_of_the_keyboard_skips_to_the_content(open_page: Open) -> None:
    page = open_page("activity")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_stop_of_the_keyboard_is_seen(open_page: Open) -> None:
    """Each has an outline while it has the focus, and the walk passes them all and ends."""
    page = open_page("spend")
    stops = page.locator("a[href], button, input:not([type=hidden]), summary, [tabindex='0']").count()
    seen = []
    for _ in range(stops + 4):  # a date is three stops
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        inside = page.evaluate("document.activeElement !== document.body")
        seen.append(style != "none" if inside else None)
    assert False not in seen
    assert seen.count(True) >= stops


def test_charts_are_told_apart_without_colour(open_page: Open) -> None:
    """Each line of a chart has a dash pattern and a mark of its own, and so has its entry in the legend."""
    page = open_page("activity")
    dashes = page.locator("#active-users .plot .line").evaluate_all(
        "all => all.map(e => getComputedStyle(e).strokeDasharray)"
    )
    assert len(set(dashes)) == len(dashes) == 3
    assert page.locator("#active-users .plot .mark").evaluate_all("all => new Set(all.map(e => e.innerHTML)).size") == 3
    assert page.locator("#active-users .legend .line").count() == 3
