"""Fixtures of several modules here: a log, and databases filled from it, for the tests of `tally verify`."""

from tests.integration.verifying import broker, load, right

__all__ = ["broker", "load", "right"]
