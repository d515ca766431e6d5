"""Fixtures of several modules here: a log, and databases filled from it, for the tests of `tally verify`."""

from tests.support.verify_fixtures import broker, load, right

__all__ = ["broker", "load", "right"]
