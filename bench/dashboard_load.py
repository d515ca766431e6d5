"""How fast the dashboard is in Chromium over a stack that runs: `python -m bench.dashboard_load [--data-dir D]`.

Signs in as an owner of the largest organization, opens each page `--rounds` times and presses every choice of a period.
With `--big-world FOLDER` over the organization of 100,000 people that api_load makes, which it keeps in the folder.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page

from access.roles import largest_owner
from access.sessions import Identity, create_credential
from bench.api_load import served
from bench.big_world import DATABASE, Size, make
from deploy.login_links import links_to_show
from deploy.running_stack import beside_the_stack
from deploy.settings import load_given
from sinks.client import connect
from tests.support.chromium import started
from tests.support.simulated_world import NOW
from tests.support.stack import start_clickhouse

PAGES = ("activity", "spend", "exports", "claude-ai", "claude-code", "live")
USABLE = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
LOADED = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .map(each => [each.transferSize, each.decodedBodySize])"""
SETTLED = "() => !document.querySelector('[aria-busy]') && location.href === window.wanted"


@dataclass
class Measured:
    """What was seen, in milliseconds and bytes."""

    usable: dict[str, list[float]] = field(default_factory=dict)
    changes: dict[str, list[float]] = field(default_factory=dict)
    weights: dict[str, tuple[int, int, int]] = field(default_factory=dict)


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(".tally"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--big-world", type=Path)
    arguments = parser.parse_args()
    stack = big_world(arguments.big_world) if arguments.big_world else running_stack(arguments.data_dir)
    with stack as link, started() as browser:
        page = browser.new_context().new_page()
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/activity")
        measured = measure(page, arguments.rounds)
    show(measured)


@contextmanager
def running_stack(data_dir: Path) -> Iterator[str]:
    """A link into the stack that runs over the folder."""
    running = beside_the_stack(load_given(flags={"data_dir": str(data_dir)})).settings
    yield links_to_show(running)["an owner"]


@contextmanager
def big_world(folder: Path) -> Iterator[str]:
    """A link into an API over the big organization, which was just started."""
    clickhouse = start_clickhouse(folder)
    try:
        url = clickhouse.child.url
        make(url, Size())
        with closing(connect(url, database=DATABASE)) as client, served(url) as base_url:
            owner = largest_owner(client)
            assert owner, "the big organization has no owner"
            secret = create_credential(client, "link", Identity(*owner), NOW, NOW + timedelta(hours=1))
            yield f"{base_url}/sign-in?link={secret}"
    finally:
        clickhouse.stop()


def measure(page: Page, rounds: int) -> Measured:
    """Every page, `rounds` times."""
    seen, base = Measured(), page.url.rpartition("/")[0]
    for name in PAGES:
        for _ in range(rounds):
            page.goto(f"{base}/{name}")
            seen.usable.setdefault(name, []).append(page.evaluate(USABLE))
            seen.changes.setdefault(name, []).extend(changes(page))
        seen.weights[name] = weight(page, f"{base}/{name}")
    return seen


def changes(page: Page) -> Iterator[float]:
    """How long each choice of a period takes, from the click until its figures are there."""
    for place in range(page.locator("a[data-swap]:not([aria-current])").count()):
        link = page.locator("a[data-swap]").nth(place)
        began = time.perf_counter()
        link.evaluate("link => { window.wanted = link.href; link.click() }")
        page.wait_for_function(SETTLED, polling=5)
        yield 1000 * (time.perf_counter() - began)


def weight(page: Page, address: str) -> tuple[int, int, int]:
    """(requests, bytes over the wire, bytes unpacked) of a first visit: nothing is in the browser's cache."""
    session = page.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    page.goto(address, wait_until="load")
    sizes = page.evaluate(LOADED)
    return len(sizes), sum(size[0] for size in sizes), sum(size[1] for size in sizes)


def show(measured: Measured) -> None:
    """The table."""
    print("| page | usable, median | p95 | change of period, median | p95 | requests | over the wire | unpacked |")
    print("|---|---|---|---|---|---|---|---|")
    for name in PAGES:
        requests, wire, whole = measured.weights[name]
        cells = [*spread(measured.usable[name]), *spread(measured.changes[name]), str(requests), kb(wire), kb(whole)]
        print(f"| {name} | {' | '.join(cells)} |")
    every = [change for changes in measured.changes.values() for change in changes]
    print(f"\nAll {len(every)} changes of a period: {' median, '.join(spread(every))} p95.")


def spread(times: list[float]) -> tuple[str, str]:
    """(median, p95) as text."""
    if not times:
        return "-", "-"
    ordered = sorted(times)
    return f"{statistics.median(ordered):.0f} ms", f"{ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]:.0f} ms"


def kb(size: int) -> str:
    """Kilobytes."""
    return f"{size / 1000:.0f} KB"


if __name__ == "__main__":
    main()
