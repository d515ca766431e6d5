"""What all tests share: the real Kafka and ClickHouse, started when the first test asks for them, and markers."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.stack"]

# No test is of how fast the machine is: an example that a busy machine takes long for has found nothing.
settings.register_profile("tally", deadline=None)
settings.load_profile("tally")

ORDER = ("bench", "chaos", "simulation", "integration", "api", "browser", "property", "unit")
"""Folders as they run: files that take minutes come first, so that at the end no process waits long for another."""

SERVERS = ("kafka", "clickhouse")
NEEDS = {
    "browser": ("browser", "clickhouse"),
    "simulation": ("simulation",),
    "chaos": ("chaos", "slow", *SERVERS),
    "bench": ("bench", "slow", *SERVERS),
}
"""By folder. Elsewhere the fixtures of a test say what it needs; outside of unit and property tests one that asks for
neither server may start some of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders in order, and mark each test with what it needs, so that `-m "not (kafka or clickhouse)"` runs
    without either. `make coverage` traces the tests that name the folds: others would run their branches by chance."""
    items.sort(key=lambda item: ORDER.index(_folder(item)))
    for item in items:
        folder = _folder(item)
        for name in NEEDS.get(folder) or _servers(folder, set(getattr(item, "fixturenames", ()))):
            item.add_marker(name)
        if not _names_folds(item.path):
            item.add_marker("no_cover")


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


@cache
def _names_folds(module: Path) -> bool:
    return "aggregators" in module.read_text()


def _servers(folder: str, fixtures: set[str]) -> list[str]:
    asked = [server for server in SERVERS if fixtures & {server, f"own_{server}"}]
    return asked or ([] if folder in ("unit", "property") else list(SERVERS))
