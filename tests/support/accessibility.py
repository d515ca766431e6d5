"""What axe-core finds on a page."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def violations(page: Page) -> list[Any]:
    """What axe-core finds, each with the place of the first."""
    response = Axe().run(page, options=RULES).response
    return [(found["id"], found["help"], found["nodes"][0]["html"][:300]) for found in response["violations"]]
