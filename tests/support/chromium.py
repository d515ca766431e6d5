"""Debian's Chromium, headless. Nothing is downloaded: Playwright only drives it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ELSEWHERE = "rebind.example"
"""Another site's name that leads to this machine, as a page can make its own name do."""

MISSING = "No Chromium was found. Install Debian's: apt-get install --yes chromium (make setup does it as root)."


def executable() -> str:
    """Where Chromium is. Fails the test, saying what to do, when there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or pytest.fail(MISSING, pytrace=False)


@contextmanager
def started() -> Iterator[Browser]:
    """A running browser.

    Playwright holds an event loop of this thread, so no async test can run meanwhile.
    """
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=executable(), args=arguments)
        yield browser
        browser.close()
