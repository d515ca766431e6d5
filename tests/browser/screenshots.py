"""Pictures of a simulated world's pages for README.md and docs: `python -m tests.browser.screenshots [FOLDER]`."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page

from pricing.price_table import load_prices
from reports.exports.export_worker import run_once
from simulation import Plan
from tests.support.api_server import context_of, make_keys, serve
from tests.support.chromium import started
from tests.support.simulated_world import NOW, UNTIL, World, make_world
from tests.support.stack import start_clickhouse

PLAN = Plan(until=UNTIL, seed=3, organizations=3, users=130, days=45)
WIDE, NARROW = (1280, 860), (390, 844)
PICTURES = {
    "activity-light": ("activity", "light", WIDE),
    "activity-dark": ("activity", "dark", WIDE),
    "spend-light": ("spend?models=mtd", "light", WIDE),
    "spend-dark": ("spend?models=mtd", "dark", WIDE),
    "claude-code-light": ("claude-code", "light", WIDE),
    "claude-ai-narrow": ("claude-ai", "light", NARROW),
    "claude-code-narrow-dark": ("claude-code", "dark", NARROW),
    "exports-light": ("exports", "light", WIDE),
}


def main() -> None:
    """Make the world, then every picture."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = start_clickhouse(Path(folder))
        try:
            world = make_world(server.child.url, "pictures", PLAN)
            prepare(world, Path(folder) / "reports")
            with serve(context_of(world)) as served, started() as browser:
                key = make_keys(world)[world.organizations[0]]
                for name, (path, scheme, size) in PICTURES.items():
                    page = opened(browser, key, scheme, size)
                    page.goto(f"{served.base_url}/organizations/{world.organizations[0]}/{path}")
                    page.screenshot(path=target / f"{name}.png")
                    page.context.close()
        finally:
            server.stop()


def prepare(world: World, folder: Path) -> None:
    """Prices, and issued reports."""
    client = world.client()
    load_prices(client)
    run_once(client, folder, NOW, world.sources, timedelta(hours=2))
    client.close()


def opened(browser: Browser, key: str, scheme: str, size: tuple[int, int]) -> Page:
    """A page of a browser of this size, signed in by a key."""
    context = browser.new_context(
        extra_http_headers={"x-api-key": key},
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": size[0], "height": size[1]},
    )
    return context.new_page()


if __name__ == "__main__":
    main()
