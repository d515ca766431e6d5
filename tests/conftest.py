"""What all tests share: the real Kafka and ClickHouse, started when the first test asks for them, and markers."""

from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.stack"]

# No test is of how fast the machine is: an example that a busy machine takes long for has found nothing.
settings.register_profile("tally", deadline=None)
settings.load_profile("tally")

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
    """Mark each test with what it needs, so that `-m "not (kafka or clickhouse)"` runs without either."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        for name in NEEDS.get(folder) or _servers(folder, set(getattr(item, "fixturenames", ()))):
            item.add_marker(name)


def _servers(folder: str, fixtures: set[str]) -> list[str]:
    asked = [server for server in SERVERS if fixtures & {server, f"own_{server}"}]
    return asked or ([] if folder in ("unit", "property") else list(SERVERS))
