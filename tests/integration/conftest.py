"""Fixtures of several modules here: a log, and databases filled from it, for the tests of `tally verify`."""

from collections.abc import Iterator

import pytest

from tests.support.table_rows import drop_databases
from tests.support.verify_fixtures import broker, load, right

__all__ = ["broker", "load", "right"]


@pytest.fixture(scope="module", autouse=True)
def databases_are_dropped() -> Iterator[None]:
    """What a module's tests were given is gone when they have ended."""
    yield
    drop_databases()
