"""Fixtures for tests of commands that let people in: a world with people of every role, and a command line over it."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from cli.main import run
from simulation import Plan
from tests.support.people import people_events
from tests.support.simulated_world import UNTIL, World, make_world


@pytest.fixture(scope="module")
def world(clickhouse: str) -> World:
    """A world with people of every role."""
    plan = Plan(until=UNTIL, seed=6, organizations=1, users=3, days=3)
    return make_world(clickhouse, f"links_{uuid4().hex}", plan, lambda _: people_events())


Tally = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tally(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tally:
    """Runs a command over the world: its exit code and what it printed."""
    for variable in [name for name in os.environ if name.upper().startswith("TALLY_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_CLICKHOUSE_URL", world.url)
    monkeypatch.setenv("TALLY_CLICKHOUSE_DATABASE", world.database)
    monkeypatch.setenv("TALLY_API_BASE_URL", "https://tally.example/")

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        printed = capsys.readouterr()
        return code, printed.out.strip(), printed.err

    return command
